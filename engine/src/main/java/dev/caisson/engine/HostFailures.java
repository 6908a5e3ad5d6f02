package dev.caisson.engine;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.text.Quoted;
import java.util.function.Supplier;

/// The errors of the host's side of a copy.
final class HostFailures {
    private HostFailures() {}

    /// Returns what `work` does with a file of the host.
    static <T> T call(String path, Supplier<T> work) {
        try {
            return work.get();
        } catch (ErrnoException e) {
            throw of(e, path);
        }
    }

    static void run(String path, Runnable work) {
        call(path, () -> {
            work.run();
            return path;
        });
    }

    private static EngineException of(ErrnoException e, String path) {
        return switch (e.errno()) {
            case Errno.ENOENT -> make("HOST_FILE_NOT_FOUND", path, "there is none: make it, or correct the path", e);
            case Errno.EISDIR, Errno.ENOTDIR, Errno.ELOOP, Errno.ENOTEMPTY, Errno.EEXIST ->
                make(
                        "HOST_FILE_KIND",
                        path,
                        "a file, directory or link cannot take the place of another kind: remove it first",
                        e);
            case Errno.ENOSPC, Errno.EDQUOT, Errno.EFBIG ->
                make("HOST_SPACE", path, "the host's file system is full: make room, or copy elsewhere", e);
            case Errno.EACCES, Errno.EPERM, Errno.EROFS ->
                make("HOST_FILE_DENIED", path, "it may not be used: choose another path", e);
            default ->
                make("HOST_FILE_FAILED", path, "the kernel refused it (" + Errno.name(e.errno()) + "): try again", e);
        };
    }

    private static EngineException make(String code, String path, String what, ErrnoException cause) {
        return new EngineException(code, Quoted.of(path) + " on the host: " + what, cause);
    }
}
