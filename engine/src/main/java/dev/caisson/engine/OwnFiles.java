package dev.caisson.engine;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The files of a container of this engine, opened when they are asked for and closed with it. Who has closed
/// them gets others.
final class OwnFiles implements AutoCloseable {
    private final Supplier<ContainerFiles> open;
    private @Nullable ContainerFiles files;
    private boolean ended;

    OwnFiles(Supplier<ContainerFiles> open) {
        this.open = open;
    }

    synchronized ContainerFiles get() {
        ContainerFiles known = files;
        if (known == null || (!ended && known instanceof ServedFiles served && served.areClosed())) {
            known = open.get();
            files = known;
        }
        return known;
    }

    @Override
    public synchronized void close() {
        ended = true;
        if (files != null) {
            files.close();
        }
    }
}
