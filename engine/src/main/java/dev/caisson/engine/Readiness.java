package dev.caisson.engine;

import dev.caisson.state.StateException;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// True if an engine starts containers, and what it says if it does not.
final class Readiness {
    private static final String BROKEN = "ENGINE_BROKEN";

    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicReference<@Nullable Throwable> broken = new AtomicReference<>();

    /// Notes the end of the engine; false if it was closed before.
    boolean close() {
        return closed.compareAndSet(false, true);
    }

    /// Notes that the engine can watch nothing any more; false if that was known.
    boolean breakDown(Throwable why) {
        return broken.compareAndSet(null, why);
    }

    boolean isBroken() {
        return broken.get() != null;
    }

    boolean isGiven() {
        return !closed.get() && !isBroken();
    }

    /// @throws EngineException ENGINE_CLOSED or ENGINE_BROKEN
    void require() {
        if (!isGiven()) {
            throw refusal();
        }
    }

    /// Returns what an engine hands out while it is open.
    /// @throws EngineException ENGINE_CLOSED or ENGINE_BROKEN
    <T> T given(T value) {
        require();
        return value;
    }

    /// Explains a failure that comes from the engine's end. One that broke has killed its containers, so that whoever
    /// looks for them fails too.
    RuntimeException explain(RuntimeException failure) {
        boolean known = failure instanceof EngineException || failure instanceof StateException;
        boolean said = failure instanceof EngineException e && e.code().equals(BROKEN);
        if (isGiven() || said || (known && !isBroken())) {
            return failure;
        }
        EngineException refusal = refusal();
        refusal.addSuppressed(failure);
        return refusal;
    }

    EngineException refusal() {
        if (closed.get()) {
            return new EngineException("ENGINE_CLOSED", "the engine is closed: open another");
        }
        Throwable why = Objects.requireNonNull(broken.get());
        return new EngineException(
                BROKEN,
                "the engine can watch no container any more (" + why + ") and has killed all of them: close it and "
                        + "open another, with more memory for this process if that was short",
                why);
    }
}
