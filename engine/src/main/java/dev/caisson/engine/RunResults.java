package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Events;
import dev.caisson.cgroup.Totals;
import dev.caisson.linux.Processes;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import java.time.Duration;
import java.util.Optional;

/// Puts together how a run ended and what it took.
final class RunResults {
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
                cause.orElseGet(() -> Verdict.of(end.code(), end.signal(), events)),
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
                answers.learned(),
                streams.failures(),
                init.obstacles(),
                RunResult.Resources.of(used));
    }
}
