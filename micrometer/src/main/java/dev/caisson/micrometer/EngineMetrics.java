package dev.caisson.micrometer;

import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineStatistics;
import dev.caisson.engine.Verdict;
import dev.caisson.error.ArgumentException;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.concurrent.TimeUnit;

/// Meters of an engine as a whole: runs by verdict, how long launches and runs take, what waits, and the engine's own
/// processor time. Their tags have a fixed number of values, whatever callers run.
///
/// | meter | kind |
/// |---|---|
/// | `caisson.runs`, tag `verdict` | counter of runs that have ended |
/// | `caisson.launch` | timer of launches that succeeded |
/// | `caisson.launch.failed` | counter of launches that did not |
/// | `caisson.run` | timer of runs that have ended |
/// | `caisson.running` | gauge of containers |
/// | `caisson.queue` | gauge of launches that wait |
/// | `caisson.engine.cpu` | counter of seconds |
public final class EngineMetrics implements MeterBinder {
    private final Engine engine;

    public EngineMetrics(Engine engine) {
        this.engine = ArgumentException.present(engine, "engine");
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        ArgumentException.present(registry, "registry");
        for (Verdict verdict : Verdict.values()) {
            FunctionCounter.builder("caisson.runs", engine, source -> ends(source, verdict))
                    .description("Runs that have ended.")
                    .tag("verdict", verdict.name())
                    .register(registry);
        }
        FunctionTimer.builder(
                        "caisson.launch",
                        engine,
                        source -> source.statistics().launches(),
                        source -> source.statistics().launchTime().toNanos(),
                        TimeUnit.NANOSECONDS)
                .description("Time until a program may run.")
                .register(registry);
        FunctionCounter.builder(
                        "caisson.launch.failed",
                        engine,
                        source -> source.statistics().failedLaunches())
                .description("Launches that failed or were refused.")
                .register(registry);
        FunctionTimer.builder(
                        "caisson.run",
                        engine,
                        source -> sum(source.statistics()),
                        source -> source.statistics().runTime().toNanos(),
                        TimeUnit.NANOSECONDS)
                .description("Time from a program's start to its end.")
                .register(registry);
        Gauge.builder("caisson.running", engine, source -> source.statistics().running())
                .description("Containers that run.")
                .register(registry);
        Gauge.builder("caisson.queue", engine, source -> source.statistics().queued())
                .description("Launches that wait.")
                .register(registry);
        FunctionCounter.builder(
                        "caisson.engine.cpu",
                        engine,
                        source -> source.statistics().cpuTime().toNanos() / 1e9)
                .description("Processor time of the engine itself.")
                .baseUnit("seconds")
                .register(registry);
    }

    private static double ends(Engine engine, Verdict verdict) {
        return engine.statistics().ends().getOrDefault(verdict, 0L);
    }

    private static long sum(EngineStatistics statistics) {
        return statistics.ends().values().stream().mapToLong(Long::longValue).sum();
    }
}
