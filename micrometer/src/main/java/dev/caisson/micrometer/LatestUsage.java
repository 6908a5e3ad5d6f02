package dev.caisson.micrometer;

import dev.caisson.cgroup.CgroupException;
import dev.caisson.engine.ContainerUsage;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// The usage of a container a moment ago: one reading serves all of its meters.
final class LatestUsage {
    private final Supplier<ContainerUsage> source;
    private @Nullable ContainerUsage latest;
    private long readAt;

    LatestUsage(Supplier<ContainerUsage> source) {
        this.source = source;
    }

    /// Null where the container has ended before anything was read; else the last figures stay.
    synchronized @Nullable ContainerUsage get() {
        long now = System.nanoTime();
        if (latest == null || now - readAt > ContainerMetrics.FRESH.toNanos()) {
            try {
                latest = source.get();
                readAt = now;
            } catch (CgroupException e) {
                if (e.reason() != CgroupException.Code.NO_SUCH_GROUP) {
                    throw e;
                }
            }
        }
        return latest;
    }

    double figure(ToDoubleFunction<ContainerUsage> figure) {
        ContainerUsage usage = get();
        return usage == null ? Double.NaN : figure.applyAsDouble(usage);
    }
}
