package dev.caisson.engine;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// The result of a container, or why there is none, for all who wait until everything of it is removed.
final class Outcome {

    private final CompletableFuture<RunResult> result = new CompletableFuture<>();

    void know(RunResult made) {
        result.complete(made);
    }

    void fail(Throwable why) {
        result.completeExceptionally(why);
    }

    /// Keeps the first reason, with what came after it.
    static Throwable suppressing(Throwable later, @Nullable Throwable first) {
        if (first == null) {
            return later;
        }
        if (!first.equals(later)) {
            first.addSuppressed(later);
        }
        return first;
    }

    RunResult await() throws InterruptedException {
        try {
            return result.get();
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        }
    }

    /// Waits no longer than `patience`; empty if it is not known by then.
    Optional<RunResult> await(Duration patience) throws InterruptedException {
        long most = Patience.nanos(patience);
        try {
            return Optional.of(result.get(most, TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        }
    }

    private static RuntimeException failure(@Nullable Throwable cause) {
        return switch (cause) {
            case RuntimeException known -> Failures.coded(known);
            case Error known -> throw known;
            case null, default ->
                Failures.coded(new IllegalStateException("the container could not be cleared up", cause));
        };
    }

    /// Returns a future whose dependents run in a pool of the caller's process, and so cannot hold up the engine.
    CompletableFuture<RunResult> future() {
        return result.thenApplyAsync(known -> known);
    }

    /// Waits without regard to interrupts.
    /// @param interrupted set if there was one
    /// @return whether it is known within `patience`
    boolean isKnownWithin(Duration patience, AtomicBoolean interrupted) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                result.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                return true;
            } catch (ExecutionException e) {
                return true;
            } catch (TimeoutException e) {
                return false;
            } catch (InterruptedException e) {
                interrupted.set(true);
            }
        }
    }

    /// Runs `action` when it is known, in the thread that has made it known.
    void whenKnown(Runnable action) {
        CompletableFuture<RunResult> _ = result.whenComplete((_, _) -> action.run());
    }
}
