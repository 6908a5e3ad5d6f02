package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// The removal of a container that outlives its command: its monitor ends with it, then what it left goes.
///
/// @param force kills it first if it runs
record DetachedRemoval(DetachedPlace place, boolean force) {
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /// A question that is asked under the container's lock.
    interface Condition {
        boolean holds() throws InterruptedException;
    }

    /// @throws EngineException CONTAINER_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING, CONTAINER_UNKNOWN
    void run() throws InterruptedException {
        boolean _ = runIf(() -> true);
    }

    /// Removes it if the condition holds under its lock.
    /// @return whether it is gone
    boolean runIf(Condition condition) throws InterruptedException {
        var gone = new AtomicBoolean();
        place.askAlone(held -> {
            if (!condition.holds()) {
                return;
            }
            Optional<Monitor> found = place.connect();
            if (found.isPresent()) {
                try (Monitor monitor = found.get()) {
                    end(monitor, held);
                }
            }
            place.remove();
            gone.set(true);
        });
        return gone.get();
    }

    private void end(Monitor monitor, DetachedPlace.Held held) throws InterruptedException {
        if (!force) {
            requireLegal(monitor);
        }
        DetachedFile.wants(held.kept(), false);
        if (!monitor.remove(force)) {
            requireLegal(monitor);
        }
        awaitEnd(monitor);
    }

    private void requireLegal(Monitor monitor) throws InterruptedException {
        ToldState.of(monitor.state()).require(ContainerState.Operation.REMOVE, place.name());
    }

    private void awaitEnd(Monitor monitor) throws InterruptedException {
        long begun = System.nanoTime();
        try {
            while (System.nanoTime() - begun < PATIENCE.toNanos()) {
                boolean _ = monitor.notice(LOOK).isPresent();
            }
        } catch (HostException e) {
            if (MonitorFailures.isGone(e)) {
                return;
            }
            throw e;
        }
        throw Failures.notRemoved(place.id(), PATIENCE);
    }
}
