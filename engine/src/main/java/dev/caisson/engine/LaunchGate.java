package dev.caisson.engine;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/// Lets work through while an engine is open: closing waits for what has begun, and what comes later
/// finds it closed.
final class LaunchGate {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final Readiness readiness;

    LaunchGate(Readiness readiness) {
        this.readiness = readiness;
    }

    <T> T whileOpen(Supplier<T> work) {
        lock.readLock().lock();
        try {
            readiness.require();
            return work.get();
        } finally {
            lock.readLock().unlock();
        }
    }

    /// Like [#whileOpen]; what failed because closing took it away is told as that.
    <T> T explained(Supplier<T> work) {
        return Failures.call(() -> {
            try {
                return whileOpen(work);
            } catch (RuntimeException e) {
                throw readiness.explain(e);
            }
        });
    }

    /// Waits for what has begun, unless somebody's observer holds it up.
    void awaitAll(AtomicBoolean interrupted) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                if (lock.writeLock().tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    lock.writeLock().unlock();
                }
                return;
            } catch (InterruptedException e) {
                interrupted.set(true);
            }
        }
    }
}
