package dev.caisson.gate;

import dev.caisson.secret.ValueMatcher;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// Finds the values that no answer may have. Those that come while an answer is passed on are found in the rest
/// of it.
final class AnswerValues implements AutoCloseable {
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private ValueMatcher present;

    AnswerValues(ValueMatcher first) {
        present = first;
    }

    /// Searches bytes for the values, see [ValueMatcher#search].
    int search(byte[] bytes, int from, int to, ValueMatcher.Hit hit) {
        lock.readLock().lock();
        try {
            return present.search(bytes, from, to, hit);
        } finally {
            lock.readLock().unlock();
        }
    }

    void replace(ValueMatcher next) {
        lock.writeLock().lock();
        try {
            present.close();
            present = next;
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            present.close();
        } finally {
            lock.writeLock().unlock();
        }
    }
}
