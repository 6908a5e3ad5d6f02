package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.image.ProgressListener;
import dev.caisson.launch.FilesLauncher;
import dev.caisson.launch.FilesPlan;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.IdRanges;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.Parts;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Reactor;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.state.Groups;
import dev.caisson.state.Ranges;
import dev.caisson.state.State;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The files of a workspace, served by a process that has what a container has, ids, namespaces and a
/// control group of its own, and no program: of all files it sees the workspace's alone. Its group pays
/// for what it writes.
final class WorkspaceFiles implements FileSource, AutoCloseable {
    /// The parts of an engine that start such a process.
    record Makers(
            Engine engine,
            Preparation preparation,
            State state,
            Groups groups,
            Ranges ranges,
            SharedParts shared,
            RunningZygote zygote) {}

    private static final InRootPath PLACE = InRootPath.of("workspace");
    /// In place of a program.
    private static final String NO_PROGRAM = "caisson-workspace";
    private static final String MEMORY = "64m";
    private static final int PROCESSES = 8;

    private final Makers makers;
    private final ContainerSpec spec;
    private final Reactor reactor;
    private @Nullable ContainerId current;

    WorkspaceFiles(Makers makers, WorkspaceName name, Reactor reactor) {
        this.makers = makers;
        this.reactor = reactor;
        this.spec = ContainerSpec.onHost(NO_PROGRAM)
                .memory(MEMORY)
                .pids(PROCESSES)
                .mount(new Mount.Workspace(name, PLACE, false));
    }

    @Override
    public synchronized FileService start(boolean outside) {
        close();
        Preparation.Prepared prepared = makers.preparation().prepare(spec, ProgressListener.none());
        ContainerId id = ContainerId.random();
        IdRanges.Lease lease = makers.ranges().make(id.value(), makers.zygote().get());
        LaunchPlan plan;
        try {
            plan = prepared.plan(lease.range(), id, GuestNetwork.NONE);
            makers.state().announce(id.value());
        } catch (RuntimeException | Error e) {
            makers.ranges().undo(id.value());
            throw e;
        }
        // A failure after this removes what was made.
        current = id;
        try {
            return start(prepared, id, lease.userNamespace(), plan);
        } catch (RuntimeException | Error e) {
            try {
                close();
            } catch (RuntimeException stuck) {
                e.addSuppressed(stuck);
            }
            throw e;
        }
    }

    private FileService start(Preparation.Prepared prepared, ContainerId id, Fd userNamespace, LaunchPlan holder) {
        Cgroup group = makers.groups().create(spec, id.value());
        List<Fd> mounts = makers.shared().make(id, prepared, holder, false);
        List<Fd> layers = prepared.rootfs().openLayers();
        var root = new Launcher.Layers(layers, userNamespace, Optional.empty(), List.of());
        try (Parts parts = Parts.make(makers.zygote().get(), holder, root, mounts, group, List.of())) {
            LaunchPlan plan = FilesPlan.of(holder, PLACE);
            List<Integer> needed = FilesLauncher.mounts(plan);
            var bySlot = new HashMap<Integer, Fd>();
            for (Parts.Part part : parts.all()) {
                if (needed.contains(part.slot())) {
                    bySlot.put(part.slot(), part.fd());
                }
            }
            return new FileServices(makers.zygote(), reactor).stand(plan, bySlot, group);
        } finally {
            layers.forEach(Fd::close);
            mounts.forEach(Fd::close);
        }
    }

    @Override
    public boolean isFrozen() {
        return false;
    }

    @Override
    public boolean isCurrent() {
        return true;
    }

    /// Gives back what the last service had, whose process is gone.
    @Override
    public synchronized void close() {
        ContainerId id = current;
        if (id != null) {
            makers.groups().remove(id.value());
            makers.engine().release(id);
            current = null;
        }
    }
}
