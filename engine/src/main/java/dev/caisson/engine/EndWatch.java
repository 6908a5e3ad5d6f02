package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.launch.monitor.MonitorState;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/// Waits for a container that its monitor keeps.
record EndWatch(DetachedPlace place) {
    private static final Duration LOOK = Duration.ofSeconds(1);

    /// Waits until it does not run and will not be started again by its policy, for no longer than `patience`.
    /// @return its state then
    ContainerState last(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + Patience.nanos(patience);
        return watch(
                first -> state -> isGoingOn(state) && System.nanoTime() - deadline < 0,
                ToldState::of,
                Function.identity());
    }

    /// Waits until the run that goes on, or is about to begin, has ended, whether its policy starts it again or not.
    /// @return how its last run ended; empty if it never ran, or nobody knows
    Optional<ContainerState.End> next() throws InterruptedException {
        return watch(
                first -> state -> isGoingOn(state) && state.finished().equals(first.finished()),
                ToldState::end,
                ContainerState::lastEnd);
    }

    /// Makes of the first state what says whether to wait on.
    private interface Waiting {
        Predicate<MonitorState> since(MonitorState first);
    }

    /// @param told makes the answer of the state that its monitor tells
    /// @param kept makes it of the state that is on disk, if its monitor is gone
    private <T> T watch(Waiting waiting, Function<MonitorState, T> told, Function<ContainerState, T> kept)
            throws InterruptedException {
        Optional<Monitor> found = place.connect();
        if (found.isEmpty()) {
            return kept.apply(place.lastState());
        }
        try (Monitor monitor = found.get()) {
            MonitorState state = monitor.watch(false, true);
            Predicate<MonitorState> goesOn = waiting.since(state);
            while (goesOn.test(state)) {
                if (monitor.notice(LOOK).isPresent()) {
                    state = monitor.state();
                }
            }
            return told.apply(state);
        } catch (HostException e) {
            if (!MonitorFailures.isGone(e)) {
                throw e;
            }
            return kept.apply(place.lastState());
        }
    }

    static boolean isGoingOn(MonitorState state) {
        return state.isUp() || state.phase() == MonitorState.Phase.RESTARTING;
    }
}
