package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import java.time.Duration;

/// Freezes a container that outlives its command, or lets it run on. Its monitor refuses what is legal by the
/// state that it told when its program has just ended and its last output is on the way: then it is asked
/// again.
record PauseSwitch(DetachedPlace place, ContainerState.Operation operation, Act act) {
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(2);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    interface Act {
        void by(Monitor monitor) throws InterruptedException;
    }

    /// @throws EngineException where the operation is not legal
    void turn() throws InterruptedException {
        long begun = System.nanoTime();
        place.askAlone(_ -> {
            while (!isDone(begun)) {
                Thread.sleep(BETWEEN_TRIES);
            }
        });
    }

    private boolean isDone(long begun) throws InterruptedException {
        try (Monitor monitor = place.monitor(operation)) {
            act.by(monitor);
            return true;
        } catch (HostException e) {
            if (MonitorFailures.isGone(e) || System.nanoTime() - begun > PATIENCE.toNanos()) {
                throw e;
            }
            return false;
        }
    }
}
