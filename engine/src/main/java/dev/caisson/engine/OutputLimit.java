package dev.caisson.engine;

import dev.caisson.spec.Bytes;
import java.util.concurrent.atomic.AtomicLong;

/// How much a container may still write, to all its streams together.
final class OutputLimit {
    private final AtomicLong left;

    OutputLimit(Bytes most) {
        left = new AtomicLong(most.count());
    }

    /// Returns how many of `count` bytes may be passed on.
    int take(int count) {
        return Math.clamp(left.getAndAdd(-count), 0, count);
    }
}
