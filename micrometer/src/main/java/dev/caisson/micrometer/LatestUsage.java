package dev.caisson.micrometer;

import dev.caisson.engine.ContainerUsage;
import dev.caisson.error.CaissonException;
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

    /// Returns the last figures that could be read, or null if none could: because the container has ended, or this
    /// process
    /// has no open files left. An exception here would fail the reading of the whole registry.
    synchronized @Nullable ContainerUsage get() {
        long now = System.nanoTime();
        if (latest == null || now - readAt > ContainerMetrics.FRESH.toNanos()) {
            try {
                latest = source.get();
                readAt = now;
            } catch (CaissonException e) {
                return latest;
            }
        }
        return latest;
    }

    double figure(ToDoubleFunction<ContainerUsage> figure) {
        ContainerUsage usage = get();
        return usage == null ? Double.NaN : figure.applyAsDouble(usage);
    }
}
