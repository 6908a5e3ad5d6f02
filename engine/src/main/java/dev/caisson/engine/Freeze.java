package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.launch.monitor.MonitorState;
import java.time.Duration;

/// Keeps a container that outlives its command standing still until this is closed. Whoever is killed meanwhile lets it
/// run on: its monitor sees the connection end.
final class Freeze implements AutoCloseable {
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(2);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Monitor monitor;

    private Freeze(Monitor monitor) {
        this.monitor = monitor;
    }

    /// @throws EngineException CONTAINER_NOT_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING
    static Freeze of(DetachedPlace place) throws InterruptedException {
        long begun = System.nanoTime();
        while (true) {
            Monitor monitor = place.monitor(ContainerState.Operation.PAUSE);
            try {
                monitor.pause(true);
                return new Freeze(monitor);
            } catch (HostException e) { // its program has just ended, and its last output is on the way
                monitor.close();
                if (MonitorFailures.isGone(e) || System.nanoTime() - begun > PATIENCE.toNanos()) {
                    throw MonitorFailures.isGone(e) ? place.dead() : e;
                }
                Thread.sleep(BETWEEN_TRIES);
            } catch (RuntimeException | InterruptedException e) {
                monitor.close();
                throw e;
            }
        }
    }

    @Override
    public void close() {
        try (monitor) {
            MonitorState _ = monitor.resume();
        } catch (HostException e) {
            // it has ended, or somebody has let it run on; else the end of the connection does
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
