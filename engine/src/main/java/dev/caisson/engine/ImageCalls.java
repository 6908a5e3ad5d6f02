package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The boundary of [Images] to its caller, which knows whether they were closed.
final class ImageCalls {
    private volatile boolean closed;

    /// Returns what `work` does.
    /// @throws CaissonException IMAGES_CLOSED, or its failure in the form that callers get
    <T> T call(Supplier<T> work) {
        requireOpen(null);
        try {
            return work.get();
        } catch (RuntimeException e) {
            throw coded(e);
        }
    }

    /// Returns a failure in the form that callers get.
    RuntimeException coded(RuntimeException failure) {
        if (!(failure instanceof CaissonException)) {
            requireOpen(failure); // of descriptors that were closed meanwhile
        }
        return Failures.coded(failure);
    }

    /// Returns an argument of work that is done elsewhere.
    /// @throws CaissonException IMAGES_CLOSED
    <T> T open(T argument) {
        requireOpen(null);
        return argument;
    }

    void run(Runnable work) {
        boolean _ = call(() -> {
            work.run();
            return true;
        });
    }

    private void requireOpen(@Nullable RuntimeException failure) {
        if (closed) {
            var refusal = new EngineException("IMAGES_CLOSED", "the images are closed: open them again");
            if (failure != null) {
                refusal.initCause(failure);
            }
            throw refusal;
        }
    }

    void close() {
        closed = true;
    }
}
