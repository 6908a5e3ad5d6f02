package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.ProgressListener;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The caller's code that a launch calls. What it throws reaches the caller as it is; it is no failure of the engine.
final class Observers {
    private final ProgressListener progress;
    private final Consumer<Container> standing;
    private final AtomicReference<@Nullable RuntimeException> thrown = new AtomicReference<>();

    Observers(ProgressListener progress, Consumer<Container> standing) {
        this.progress = present(progress, "progress");
        this.standing = present(standing, "standing");
    }

    void progress(String activity, long done, long total) {
        call(() -> progress.progress(activity, done, total));
    }

    void standing(Container container) {
        call(() -> standing.accept(container));
    }

    private void call(Runnable code) {
        try {
            code.run();
        } catch (RuntimeException e) {
            thrown.set(e);
            throw e;
        }
    }

    /// The form in which the caller gets a failure of the launch.
    RuntimeException coded(RuntimeException failure) {
        return failure.equals(thrown.get()) ? failure : Failures.coded(failure);
    }
}
