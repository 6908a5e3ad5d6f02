package dev.caisson.engine;

import dev.caisson.state.ContainerRecord;
import dev.caisson.state.Groups;
import dev.caisson.state.State;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// What a monitor that is gone has left outside of its container's directory.
final class MonitorLeftovers {
    private static final long PATIENCE_NANOS = 1_000_000_000;
    private static final long PAUSE_NANOS = 100_000;

    private MonitorLeftovers() {}

    /// Clears it, and waits for a monitor that ends: the kernel closes its socket before it gives up its locks, that of
    /// its place and that of the container's directory.
    static void clear(DetachedPlace container) {
        Optional<String> parent = container.findRecord().map(ContainerRecord::cgroupParent);
        long begun = System.nanoTime();
        clear(container, parent);
        while (container.isHeld() && System.nanoTime() - begun < PATIENCE_NANOS) {
            LockSupport.parkNanos(PAUSE_NANOS);
            clear(container, parent);
        }
        if (State.isEmpty(container.options().state())) {
            Leftovers.clearPlaces(container.options());
        }
    }

    /// The group's parent goes with the last container of a tenant or of all, which takes a look at the others.
    private static void clear(DetachedPlace container, Optional<String> parent) {
        EngineOptions options = container.options();
        if (parent.filter(group -> Groups.tenant(group).isEmpty()).isPresent()) {
            boolean _ = Recovery.of(options, container.file().place(), parent.get());
        } else {
            Leftovers.clearPlaces(options);
        }
    }
}
