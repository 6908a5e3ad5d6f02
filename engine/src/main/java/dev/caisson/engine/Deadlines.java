package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.linux.Reactor;
import dev.caisson.spec.ContainerSpec;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The times after which a container is ended: by the clock, and by what its processes have used of the
/// processors.
final class Deadlines {
    private static final Duration SHORTEST_CPU_CHECK = Duration.ofMillis(5);
    /// The longest deadline: nanoseconds of the clock do not reach for 300 years.
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final Cgroup group;
    private final BooleanSupplier over;
    private final Consumer<Verdict> end;
    private Reactor.@Nullable Timer clock;
    private Reactor.@Nullable Timer cpu;
    private boolean cancelled;

    /// @param over whether the container has ended by itself
    Deadlines(Cgroup group, BooleanSupplier over, Consumer<Verdict> end) {
        this.group = group;
        this.over = over;
        this.end = end;
    }

    void begin(Reactor reactor, long startedNanos, ContainerSpec spec) {
        synchronized (this) {
            if (cancelled) {
                return;
            }
            clock = spec.wallClock()
                    .map(limit -> reactor.at(startedNanos + nanos(limit), () -> end.accept(Verdict.WALL_CLOCK)))
                    .orElse(null);
        }
        spec.cpuTime().ifPresent(limit -> watchCpu(reactor, limit, limit));
    }

    private static long nanos(Duration limit) {
        return (limit.compareTo(LONGEST) > 0 ? LONGEST : limit).toNanos();
    }

    /// No container can use more than all processors do, so the next look is due when it could have used up the
    /// rest.
    private void watchCpu(Reactor reactor, Duration limit, Duration left) {
        Duration wait = left.dividedBy(Runtime.getRuntime().availableProcessors());
        Duration pause = wait.compareTo(SHORTEST_CPU_CHECK) < 0 ? SHORTEST_CPU_CHECK : wait;
        synchronized (this) {
            if (!cancelled) {
                cpu = reactor.at(System.nanoTime() + nanos(pause), () -> lookAtCpu(reactor, limit));
            }
        }
    }

    private void lookAtCpu(Reactor reactor, Duration limit) {
        if (over.getAsBoolean()) {
            return;
        }
        Duration rest;
        try {
            rest = limit.minus(group.cpuTime());
        } catch (CgroupException e) {
            end.accept(Verdict.CPU_TIME); // what cannot be measured is not let run on
            return;
        }
        if (rest.isPositive()) {
            watchCpu(reactor, limit, rest);
        } else {
            end.accept(Verdict.CPU_TIME);
        }
    }

    synchronized void cancel() {
        cancelled = true;
        if (clock != null) {
            clock.cancel();
        }
        if (cpu != null) {
            cpu.cancel();
        }
    }
}
