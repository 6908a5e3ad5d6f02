package dev.caisson.build;

import dev.caisson.engine.Workspaces;
import dev.caisson.error.CaissonException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.WorkspaceSpec;
import java.nio.file.Path;

/// The lock of a cache that only one build uses at a time. It ends with the process.
final class CacheLock implements AutoCloseable {
    private static final String FILE = "build-caches.lock";
    private static final long PAUSE_MILLIS = 50;
    private static final int DIGITS = 15;
    private static final int HEXADECIMAL = 16;

    private final Fd file;

    private CacheLock(Fd file) {
        this.file = file;
    }

    /// Waits until nobody else has it.
    /// @param hex digits that stand for the cache
    static CacheLock take(Path data, String hex) throws InterruptedException {
        Fd file;
        try (Fd directory = FileSystem.open(data.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            file = FileSystem.openAt(
                    directory, FILE, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, FileSystem.RESOLVE_NO_SYMLINKS);
        }
        try {
            while (!FileLocks.tryLockByte(file, Long.parseLong(hex, 0, DIGITS, HEXADECIMAL))) {
                Thread.sleep(PAUSE_MILLIS);
            }
            return new CacheLock(file);
        } catch (InterruptedException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /// Makes the directory of a cache, unless it is there.
    static void makeOnce(Workspaces workspaces, WorkspaceSpec spec) {
        try {
            workspaces.create(spec);
        } catch (CaissonException e) {
            if (!e.code().equals("WORKSPACE_EXISTS")) {
                throw e;
            }
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
