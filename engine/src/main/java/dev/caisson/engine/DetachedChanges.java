package dev.caisson.engine;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.InRootPath;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Finds what a container that outlives its command has changed of its image's files.
final class DetachedChanges {
    private DetachedChanges() {}

    /// @throws EngineException CHANGES_UNKNOWN if its monitor is of an earlier build
    static List<FileChange> of(DetachedPlace place) throws InterruptedException {
        LaunchPlan plan = place.record().plan().plan();
        List<Fd> layers;
        try (Monitor monitor = place.monitor()) {
            layers = monitor.layers(1 + plan.root().layers());
        }
        try {
            if (layers.size() != 1 + plan.root().layers()) {
                throw new EngineException(
                        "CHANGES_UNKNOWN",
                        "container " + place.name()
                                + " was created by an earlier Caisson, which cannot say what it changed: create it again");
            }
            try (Fd upper = FileSystem.openAt(
                    layers.getFirst(),
                    "upper",
                    FileSystem.O_RDONLY | FileSystem.O_DIRECTORY,
                    0,
                    FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS)) {
                return new LayerDiff(plan.ids().base(), ours(plan)).of(upper, layers.subList(1, layers.size()));
            }
        } finally {
            layers.forEach(Fd::close);
        }
    }

    /// Returns what each start makes or covers.
    private static Set<String> ours(LaunchPlan plan) {
        var paths = new HashSet<InRootPath>();
        plan.all(Step.MountFileSystem.class).forEach(step -> paths.add(step.target()));
        plan.all(Step.MountSlot.class).forEach(step -> paths.add(step.target()));
        plan.all(Step.WriteFile.class).forEach(step -> paths.add(step.path()));
        var texts = new HashSet<String>();
        paths.forEach(path -> texts.add("/" + path.relative()));
        return texts;
    }
}
