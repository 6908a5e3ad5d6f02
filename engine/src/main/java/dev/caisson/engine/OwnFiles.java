package dev.caisson.engine;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The files of a container of this engine, opened when they are first asked for and closed with it.
final class OwnFiles implements AutoCloseable {
    private final Supplier<ContainerFiles> open;
    private @Nullable ContainerFiles files;

    OwnFiles(Supplier<ContainerFiles> open) {
        this.open = open;
    }

    synchronized ContainerFiles get() {
        ContainerFiles known = files;
        if (known == null) {
            known = open.get();
            files = known;
        }
        return known;
    }

    @Override
    public synchronized void close() {
        if (files != null) {
            files.close();
        }
    }
}
