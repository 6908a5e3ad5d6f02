package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import java.time.Duration;

/// How long a caller waits: any duration, of which negative ones are none and the longest are a hundred years.
final class Patience {
    static final Duration FOREVER = Duration.ofDays(36_500);

    private Patience() {}

    /// Returns it in nanoseconds, which may be added to a moment of System.nanoTime.
    static long nanos(Duration patience) {
        if (present(patience, "patience").isNegative()) {
            return 0;
        }
        return (patience.compareTo(FOREVER) > 0 ? FOREVER : patience).toNanos();
    }
}
