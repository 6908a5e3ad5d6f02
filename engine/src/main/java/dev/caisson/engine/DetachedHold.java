package dev.caisson.engine;

import dev.caisson.linux.Fd;
import java.util.Optional;

/// The lock of one container, which everybody takes who changes what it is or does. Until it is given back, the thread
/// that took it knows the container's directory and options without another look: nobody else changes them.
final class DetachedHold implements AutoCloseable {
    private final Fd kept;
    private final Fd lock;
    private final Runnable closing;
    private final Thread owner = Thread.currentThread();
    private DetachedFile file;

    /// @param kept its directory, with a lock file of its own; both are closed with this
    /// @param closing runs before the lock is given back
    DetachedHold(Fd kept, Fd lock, DetachedFile file, Runnable closing) {
        this.kept = kept;
        this.lock = lock;
        this.file = file;
        this.closing = closing;
    }

    /// Returns its directory, which stays this object's to close.
    Fd kept() {
        return kept;
    }

    DetachedFile file() {
        return file;
    }

    /// Replaces its options.
    void write(DetachedFile changed) {
        changed.write(kept);
        file = changed;
    }

    /// Reads its options again, which this thread has replaced in another way.
    /// @return false if they are gone
    boolean reread() {
        Optional<DetachedFile> found = DetachedFile.read(kept);
        found.ifPresent(changed -> file = changed);
        return found.isPresent();
    }

    boolean isMine() {
        return owner == Thread.currentThread();
    }

    @Override
    public void close() {
        closing.run();
        lock.close();
        kept.close();
    }
}
