package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.ContainerId;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/// The boundary to the caller: whatever fails below reaches him as a [CaissonException] with a code and advice.
final class Failures {
    private Failures() {}

    /// Returns what `work` does, or throws its failure in the form that callers get.
    static <T> T call(Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            throw coded(e);
        } catch (LinkageError e) {
            throw FileShortage.coded(e);
        }
    }

    /// Work that waits for a short time.
    interface Waiting<T> {
        T call() throws InterruptedException;
    }

    /// Returns what `work` does; empty if the thread was interrupted, which it then still is.
    static <T> java.util.Optional<T> uninterrupted(Waiting<T> work) {
        try {
            return java.util.Optional.of(work.call());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return java.util.Optional.empty();
        }
    }

    static void run(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            throw coded(e);
        } catch (LinkageError e) {
            throw FileShortage.coded(e);
        }
    }

    static CaissonException coded(RuntimeException failure) {
        Optional<EngineException> shortage = FileShortage.coded(failure);
        if (shortage.isPresent()) {
            return shortage.get();
        }
        return switch (failure) {
            case ErrnoException refused -> new EngineException(refused.code(), refused.sentence(), refused);
            case CaissonException known -> known;
            case RejectedExecutionException closed -> closed(closed);
            default ->
                new EngineException(
                        "INTERNAL",
                        "the engine failed with " + failure
                                + ": this is a defect of Caisson, report it with the stack trace of the cause",
                        failure);
        };
    }

    private static EngineException closed(RuntimeException cause) {
        return new EngineException("ENGINE_CLOSED", "the engine is closed: open another", cause);
    }

    /// Returns what a task or an observer threw, as an unchecked exception.
    static RuntimeException unchecked(Throwable thrown) {
        Throwable cause = thrown instanceof ExecutionException ? thrown.getCause() : thrown;
        return switch (cause) {
            case RuntimeException known -> known;
            case Error known -> throw known;
            case null, default -> new IllegalStateException(thrown);
        };
    }

    /// Returns what `work` finds out of a group, whose descriptors are closed once the engine is.
    static <T> T onGroup(Supplier<T> work, Supplier<EngineException> notRunning) {
        try {
            return work.get();
        } catch (IllegalStateException e) {
            throw notRunning.get();
        } catch (ErrnoException e) {
            throw coded(e);
        }
    }

    static void runOnGroup(Runnable work, Supplier<EngineException> notRunning) {
        boolean _ = onGroup(
                () -> {
                    work.run();
                    return true;
                },
                notRunning);
    }

    /// Closes what was opened before `failure`, to which other failures are added.
    static void closeAll(Iterable<Runnable> opened, Throwable failure) {
        for (Runnable close : opened) {
            try {
                close.run();
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }

    static EngineException notRemoved(ContainerId id, Duration patience) {
        return new EngineException(
                "CONTAINER_NOT_REMOVED",
                "the container " + id.shortForm() + " is killed but not removed after " + patience.toSeconds()
                        + " seconds: a process of it may wait for a disk or device of the host");
    }

    /// @param lease of the container; empty if it has none
    static EngineException notRenewed(String name, Optional<Duration> lease) {
        return lease.isPresent()
                ? new EngineException(
                        "LEASE_OVER",
                        "the lease of container " + name + " is over, it is being removed: create it again")
                : new EngineException("NO_LEASE", "container " + name + " has no lease: create it with --lease");
    }

    /// A name or id that no container has, in Docker's words.
    static EngineException unknown(String container) {
        return new EngineException(
                "CONTAINER_UNKNOWN",
                "no such container: " + container + ": 'caisson ps -a' lists those that run and those that are kept");
    }

    /// A container that somebody has removed meanwhile.
    static EngineException removed(String name) {
        return new EngineException(
                "CONTAINER_UNKNOWN",
                "the container " + name + " has been removed: 'caisson ps -a' lists those there are");
    }

    static EngineException dead(String code, String name) {
        return new EngineException(
                code,
                "container " + name + " has lost its monitor and does not run: start it with 'caisson start " + name
                        + "'");
    }

    /// A container whose process 1 was killed before its program was started, as at the end of its lease.
    static EngineException endedAtStart(String name, Throwable cause) {
        return new EngineException(
                "CONTAINER_DEAD", "container " + name + " was ended while it was being started: start it again", cause);
    }
}
