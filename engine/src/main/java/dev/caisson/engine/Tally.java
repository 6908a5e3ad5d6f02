package dev.caisson.engine;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/// Counts what an engine does, for [EngineStatistics].
final class Tally {
    private final LongAdder launches = new LongAdder();
    private final LongAdder launchNanos = new LongAdder();
    private final LongAdder failedLaunches = new LongAdder();
    private final LongAdder runNanos = new LongAdder();
    private final Map<Verdict, LongAdder> ends = new EnumMap<>(Verdict.class);

    Tally() {
        for (Verdict verdict : Verdict.values()) {
            ends.put(verdict, new LongAdder());
        }
    }

    /// Launches, and counts it.
    Container launch(Supplier<Container> launch) {
        long began = System.nanoTime();
        boolean launched = false;
        try {
            Container container = launch.get();
            launched = true;
            return container;
        } finally {
            if (launched) {
                launches.increment();
                launchNanos.add(System.nanoTime() - began);
            } else {
                failedLaunches.increment();
            }
        }
    }

    void ended(RunResult result) {
        runNanos.add(result.wallClock().toNanos());
        LongAdder count = ends.get(result.verdict());
        if (count != null) {
            count.increment();
        }
    }

    EngineStatistics statistics(int running, int queued, Duration cpuTime) {
        var counts = new EnumMap<Verdict, Long>(Verdict.class);
        ends.forEach((verdict, count) -> counts.put(verdict, count.sum()));
        return new EngineStatistics(
                launches.sum(),
                Duration.ofNanos(launchNanos.sum()),
                failedLaunches.sum(),
                counts,
                Duration.ofNanos(runNanos.sum()),
                running,
                queued,
                cpuTime);
    }
}
