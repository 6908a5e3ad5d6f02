package dev.caisson.engine;

import java.util.OptionalInt;

/// A probe that acts where the engine reads who made a denied call, and leaves launches alone.
record CallerProbe(Runnable reads) implements Probe {
    @Override
    public void reached(Moment moment) {
        // The launch is not what this is about.
    }

    @Override
    public OptionalInt pauseBefore() {
        return OptionalInt.empty();
    }

    @Override
    public void readsCaller() {
        reads.run();
    }
}
