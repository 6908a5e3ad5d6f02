package dev.caisson.engine;

import dev.caisson.spec.Bytes;
import java.util.concurrent.atomic.AtomicLong;

/// The memory that the captured output of all containers of an engine may take together, while they run.
final class CaptureBudget {
    private final AtomicLong left;

    CaptureBudget(Bytes most) {
        left = new AtomicLong(most.count());
    }

    /// Takes so much, if there is so much left.
    boolean take(long bytes) {
        while (true) {
            long known = left.get();
            if (known < bytes) {
                return false;
            }
            if (left.compareAndSet(known, known - bytes)) {
                return true;
            }
        }
    }

    void giveBack(long bytes) {
        left.addAndGet(bytes);
    }

    Bytes left() {
        return Bytes.of(left.get());
    }
}
