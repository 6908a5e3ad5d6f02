package dev.caisson.engine;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.HeldDirectories;
import dev.caisson.state.SharedDirectories;
import java.util.List;

/// The workspaces and volumes that containers of an engine have.
final class SharedParts {
    private final SharedDirectories workspaces;
    private final Volumes volumes;
    private final HeldDirectories held;

    SharedParts(SharedDirectories workspaces, Volumes volumes) {
        this.workspaces = workspaces;
        this.volumes = volumes;
        this.held = new HeldDirectories(List.of(workspaces, volumes.directory()));
    }

    HeldDirectories held() {
        return held;
    }

    /// Holds those of a container, and makes volumes that are not there.
    ///
    /// @param lasting whether it outlives its command
    /// @return a detached mount of each, in the order of the plan; the caller's to close
    List<Fd> make(ContainerId id, Preparation.Prepared prepared, LaunchPlan plan, boolean lasting) {
        return held.make(id.value(), plan, new SharedUse(prepared, workspaces, volumes, lasting));
    }

    /// Returns the descriptors whose locks hold what a container has; they stay this object's.
    List<Fd> holders(ContainerId id) {
        return held.holders(id.value());
    }

    /// Lets go of what a container has that somebody else holds for it.
    void handOver(ContainerId id) {
        held.undo(id.value());
    }

    /// Takes back what was made for a container that was not made.
    void undo(ContainerId id, Preparation.Prepared prepared) {
        held.undo(id.value());
        volumes.removeNew(prepared.anonymous());
    }
}
