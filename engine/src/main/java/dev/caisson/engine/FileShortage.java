package dev.caisson.engine;

import dev.caisson.launch.StepFailedException;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import java.nio.file.FileSystemException;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Recognizes failures whose cause is that this process or this host has no room for another open file:
/// RLIMIT_NOFILE of setrlimit(2), and `fs.file-max` of proc_sys_fs(5).
final class FileShortage {
    private static final int LONGEST_CHAIN = 20;

    private FileShortage() {}

    /// Loads what is needed to report a shortage, which opens files itself.
    static void prepare() {
        var _ = coded(new ErrnoException("open", Errno.EMFILE));
        var _ = isThere("");
    }

    /// Returns the error to report in place of `failure`; empty if it has another cause.
    static Optional<EngineException> coded(Throwable failure) {
        return sentence(failure, 0).map(sentence -> new EngineException("OPEN_FILES", sentence, failure));
    }

    /// Returns the error to report when the JVM could not load a class for want of open files.
    /// @throws LinkageError `failure` itself, if it has another cause
    static EngineException coded(LinkageError failure) {
        return coded((Throwable) failure).orElseThrow(() -> failure);
    }

    private static Optional<String> sentence(@Nullable Throwable failure, int depth) {
        if (failure == null || depth > LONGEST_CHAIN) {
            return Optional.empty();
        }
        return switch (failure) {
            case StepFailedException _ -> Optional.empty(); // of a container, which has a limit of its own
            case NoClassDefFoundError absent when isThere(absent.getMessage()) -> Optional.of(unread(absent));
            case ErrnoException refused when refused.is(Errno.ENFILE) -> Optional.of(hostIsFull());
            case ErrnoException refused when isFull(refused) -> Optional.of(processIsFull());
            case FileSystemException refused
            when "Too many open files".equals(refused.getReason()) -> Optional.of(processIsFull());
            case FileSystemException refused
            when "Too many open files in system".equals(refused.getReason()) -> Optional.of(hostIsFull());
            default ->
                Stream.concat(Stream.ofNullable(failure.getCause()), Stream.of(failure.getSuppressed()))
                        .flatMap(below -> sentence(below, depth + 1).stream())
                        .findFirst();
        };
    }

    /// Kernel objects that each user has a number of give the same error number. A program that is started is given
    /// descriptors of fixed numbers, which must be below the limit: dup2(2).
    private static boolean isFull(ErrnoException refused) {
        if (refused.call().equals("posix_spawn")) {
            return refused.is(Errno.EBADF) || refused.is(Errno.EMFILE);
        }
        return refused.is(Errno.EMFILE)
                && !refused.call().startsWith("inotify_init")
                && !refused.call().startsWith("fanotify_init");
    }

    /// Returns true if a class has a file, so that only reading it can have failed. The JVM does not look for it a
    /// second time, as section 5.4.3 of its specification demands.
    private static boolean isThere(@Nullable String name) {
        ClassLoader loader = FileShortage.class.getClassLoader();
        return name != null && loader != null && loader.getResource(name + ".class") != null;
    }

    private static String unread(NoClassDefFoundError absent) {
        return "the JVM could not read the class " + absent.getMessage()
                + ", for want of another open file: raise the limit of this process (ulimit -n), and start it again";
    }

    private static String processIsFull() {
        return "this process has no room for another open file: raise its limit (ulimit -n), or run fewer containers"
                + " at once";
    }

    private static String hostIsFull() {
        return "this host has no room for another open file: raise fs.file-max, or close files on it";
    }
}
