package dev.caisson.engine;

import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

/// Lets at most so many containers of an engine run at once. Who comes later waits, and is served in the order of
/// coming.
final class RunQueue {
    private static final int EVERYBODY = 1 << 30;

    private final Optional<Semaphore> places;
    private final Runnable requireUsable;
    private final AtomicBoolean dissolved = new AtomicBoolean();

    /// @param most [Integer#MAX_VALUE] for no bound
    /// @param requireUsable throws if the engine starts nothing any more
    RunQueue(int most, Runnable requireUsable) {
        this.places = most == Integer.MAX_VALUE ? Optional.empty() : Optional.of(new Semaphore(most, true));
        this.requireUsable = requireUsable;
    }

    /// Waits for a place, which is the caller's to [#leave].
    void enter() throws InterruptedException {
        requireUsable.run();
        if (places.isPresent()) {
            places.get().acquire();
            try {
                requireUsable.run(); // it may have ended meanwhile
            } catch (RuntimeException e) {
                leave();
                throw e;
            }
        }
    }

    void leave() {
        places.ifPresent(Semaphore::release);
    }

    /// How many wait.
    int length() {
        return places.map(Semaphore::getQueueLength).orElse(0);
    }

    /// Lets everybody who waits find out that the engine starts nothing any more.
    void dissolve() {
        if (dissolved.compareAndSet(false, true)) { // twice would be more places than a semaphore has
            places.ifPresent(all -> all.release(EVERYBODY));
        }
    }
}
