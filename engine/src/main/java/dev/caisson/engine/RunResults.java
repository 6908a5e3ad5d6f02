package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Events;
import dev.caisson.cgroup.Totals;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.linux.Processes;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Denial;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Puts together how a run ended and what it took.
final class RunResults {
    private static final int SIGKILL = 9;

    private RunResults() {}

    /// Reads it from a container that has ended and whose group is still there.
    /// @param cause why the engine ended it, if it did
    static RunResult of(
            ContainerId id,
            Optional<Verdict> cause,
            Duration wallClock,
            Cgroup group,
            InitWatch init,
            StandardStreams streams,
            Answers answers) {
        Events events = group.events();
        Totals used = group.totals();
        Processes.End end = init.end();
        return new RunResult(
                id,
                cause.filter(why -> why != Verdict.KILLED || end.signal() == SIGKILL) // else it was killed too late
                        .orElseGet(() -> Verdict.of(end.code(), end.signal(), events)),
                end.code(),
                end.signal(),
                streams.output(),
                streams.errors(),
                wallClock,
                used.cpuTime(),
                used.peakMemory().orElse(Bytes.ZERO),
                events.oomKills(),
                events.pidsRefused(),
                answers.denials(),
                List.of(),
                answers.learned(),
                streams.failures(),
                init.obstacles(),
                SetIdPrograms.NONE,
                RunResult.Resources.of(used));
    }

    /// Reads it from what the monitor of a container that outlives its command has of its last run, and adds what the
    /// container was denied since it was created.
    static Optional<RunResult> of(DetachedPlace place, MonitorState state) {
        return of(place.id(), state, DetachedDenials.of(place), DetachedSetId.of(place))
                .map(result -> result.withDenied(DeniedDestinations.of(place.options(), place.id())));
    }

    /// @param denials since it was created, as are `setIdPrograms`
    static Optional<RunResult> of(
            ContainerId id, MonitorState state, List<Denial> denials, SetIdPrograms setIdPrograms) {
        return state.end().map(end -> {
            var events = new Events(state.oomKills(), 0);
            Verdict verdict = state.metDeadline()
                    ? Verdict.WALL_CLOCK
                    : state.wasStopped() && end.signal() == SIGKILL
                            ? Verdict.KILLED
                            : Verdict.of(end.code(), end.signal(), events);
            return new RunResult(
                    id,
                    verdict,
                    end.code(),
                    end.signal(),
                    RunResult.Captured.NOTHING,
                    RunResult.Captured.NOTHING,
                    state.run(),
                    state.cpuTime(),
                    Bytes.ZERO,
                    state.oomKills(),
                    0,
                    denials,
                    List.of(),
                    Optional.empty(),
                    List.of(),
                    Obstacle.with(Obstacle.of(state.obstacles()), setIdPrograms),
                    setIdPrograms,
                    RunResult.Resources.UNKNOWN);
        });
    }
}
