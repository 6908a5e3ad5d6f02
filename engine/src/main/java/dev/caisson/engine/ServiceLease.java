package dev.caisson.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The file service of one container, started at first use; another, outside of the container's group,
/// while that is paused.
final class ServiceLease implements AutoCloseable {
    private final Function<Boolean, FileService> start;
    private final FileSource source;
    private final Consumer<ServiceLease> ended;
    private final List<RunningFileWatch> watches = new ArrayList<>();
    private @Nullable FileService inside;
    private @Nullable FileService outside;
    private boolean closed;

    /// @param start starts one, outside of the group if that is asked for
    ServiceLease(Function<Boolean, FileService> start, FileSource source, Consumer<ServiceLease> ended) {
        this.start = start;
        this.source = source;
        this.ended = ended;
    }

    synchronized FileService get() {
        if (closed) {
            throw new EngineException("FILES_CLOSED", "the container's files are closed: open them again");
        }
        if (source.isFrozen()) {
            outside = usable(outside, true);
            return outside;
        }
        inside = usable(inside, false);
        return inside;
    }

    private FileService usable(@Nullable FileService known, boolean apart) {
        if (known != null && known.isUsable() && source.isCurrent()) {
            return known;
        }
        if (known != null) {
            known.close();
        }
        return start.apply(apart);
    }

    synchronized FileWatch watching(RunningFileWatch watch) {
        watches.removeIf(RunningFileWatch::hasEnded);
        watches.add(watch);
        return watch;
    }

    synchronized boolean isClosed() {
        return closed;
    }

    @Override
    public synchronized void close() {
        closed = true;
        watches.forEach(RunningFileWatch::close);
        if (inside != null) {
            inside.close();
        }
        if (outside != null) {
            outside.close();
        }
        inside = null;
        outside = null;
        ended.accept(this);
    }
}
