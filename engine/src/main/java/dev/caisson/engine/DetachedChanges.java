package dev.caisson.engine;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.InRootPath;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// What a container that outlives its command has changed of its image's files.
final class DetachedChanges implements AutoCloseable {
    private final LaunchPlan plan;
    private final List<Fd> layers;
    private final Fd upper;

    /// @param layers the mount that has the upper directory, and those of the image, if they are at hand
    DetachedChanges(LaunchPlan plan, List<Fd> layers, Fd upper) {
        this.plan = plan;
        this.layers = layers;
        this.upper = upper;
    }

    /// @throws EngineException CHANGES_UNKNOWN if its monitor is of an earlier build
    static DetachedChanges open(DetachedPlace place) throws InterruptedException {
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
            return new DetachedChanges(plan, layers, upper(layers.getFirst()));
        } catch (RuntimeException e) {
            layers.forEach(Fd::close);
            throw e;
        }
    }

    /// Opens the directory that a container writes.
    /// @param mount that has it
    static Fd upper(Fd mount) {
        return FileSystem.openAt(
                mount,
                "upper",
                FileSystem.O_RDONLY | FileSystem.O_DIRECTORY,
                0,
                FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS);
    }

    /// Waits until nobody else copies them. Whoever copies has the container stand still for that long only.
    void awaitTurn() {
        FileLocks.lock(upper);
    }

    /// Returns the directories of its image, topmost first.
    List<Fd> lowers() {
        return layers.subList(1, layers.size());
    }

    /// Copies them into an empty directory, to be one more layer.
    /// @param deadline in the time of [System#nanoTime]
    /// @return how many bytes their files take
    long copy(Fd to, OptionalLong deadline) {
        return new LayerCopy(plan.ids().base(), ours(plan), deadline, to).copy(upper);
    }

    List<FileChange> list() {
        return new LayerDiff(plan.ids().base(), ours(plan)).of(upper, layers.subList(1, layers.size()));
    }

    /// Writes them as the archive of an image layer.
    /// @param latest later times become this one
    void write(OutputStream to, Optional<Instant> latest) throws IOException {
        LayerPack.write(upper, plan.ids().base(), withoutPlaces(list(), ours(plan)), to, latest);
    }

    /// Writes the container's root file system as a tar archive.
    void writeRoot(OutputStream to) throws IOException {
        var readable = new ArrayList<Fd>();
        try {
            readable.add(reopened(upper));
            layers.subList(1, layers.size()).forEach(layer -> readable.add(reopened(layer)));
            new RootPack(plan.ids().base(), ours(plan), to).write(readable, true);
        } finally {
            readable.forEach(Fd::close);
        }
    }

    /// Layers that are no directories of the store are held by their path alone.
    private static Fd reopened(Fd layer) {
        return FileSystem.openAt(
                layer, ".", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, FileSystem.RESOLVE_BENEATH);
    }

    /// Leaves out directories that were made for nothing but the places of mounts below.
    static List<FileChange> withoutPlaces(List<FileChange> changes, Set<String> ours) {
        var left = new ArrayDeque<FileChange>();
        for (FileChange change : changes.reversed()) { // what is below a path comes before it
            String below = change.path() + "/";
            boolean isPlace = change.kind() == FileChange.Kind.ADDED
                    && ours.stream().anyMatch(path -> path.startsWith(below))
                    && left.stream().noneMatch(other -> other.path().startsWith(below));
            if (!isPlace) {
                left.addFirst(change);
            }
        }
        return List.copyOf(left);
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

    @Override
    public void close() {
        upper.close();
        layers.forEach(Fd::close);
    }
}
