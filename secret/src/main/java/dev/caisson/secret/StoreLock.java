package dev.caisson.secret;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.SecretException.Code;
import java.time.Duration;

/// The lock of a store, which one process has at a time.
final class StoreLock {
    private static final String NAME = "lock";
    private static final int PATIENCE_MILLIS = 10_000;
    private static final int PAUSE_MILLIS = 5;

    private StoreLock() {}

    /// Waits for it, and has it until the descriptor is closed.
    /// @throws SecretException SECRET_BUSY
    static Fd take(StoreDirectory root) {
        Fd lock = root.openOrMake(NAME, FileSystem.O_RDWR);
        try {
            waitFor(lock, root.shown());
            return lock;
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static void waitFor(Fd lock, String shown) {
        long until = System.nanoTime() + Duration.ofMillis(PATIENCE_MILLIS).toNanos();
        while (!FileLocks.tryLock(lock)) {
            if (System.nanoTime() > until) {
                throw new SecretException(
                        Code.SECRET_BUSY, "another process has had the lock of " + shown + " for 10 s: try again");
            }
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new SecretException(
                        Code.SECRET_BUSY, "interrupted while another process had the lock: try again", e);
            }
        }
    }
}
