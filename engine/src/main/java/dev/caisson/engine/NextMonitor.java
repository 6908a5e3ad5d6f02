package dev.caisson.engine;

import dev.caisson.launch.monitor.MonitorProcess;
import dev.caisson.linux.Fd;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Starts the processes that become monitors. A monitor needs longer to start than its container needs to be created,
/// and nothing of the container until it is set up. So an engine that has created one before has the next one's
/// process started ahead.
final class NextMonitor implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(NextMonitor.class.getName());

    private final Supplier<Optional<Fd>> group;
    private final AtomicReference<@Nullable MonitorProcess> next = new AtomicReference<>();
    private boolean used;
    private boolean closed;

    /// @param group opens the directory of the group that monitors are in
    NextMonitor(Supplier<Optional<Fd>> group) {
        this.group = group;
    }

    /// Returns the process that was started ahead, else one that starts now.
    MonitorProcess take(Fd program) {
        MonitorProcess waiting = next.getAndSet(null);
        if (waiting != null) {
            if (waiting.waits()) {
                return waiting;
            }
            waiting.close();
        }
        return start(program);
    }

    /// Starts the next one's, if there is none. Not after the first container, which may be the only one, as the
    /// command's.
    /// @param program stays open until [#close] returns
    synchronized void startAhead(Fd program) {
        if (closed || next.get() != null) {
            return;
        }
        if (!used) {
            used = true;
            return;
        }
        try {
            MonitorProcess started = start(program);
            if (started.waits()) {
                next.set(started);
            } else {
                started.close();
            }
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.DEBUG, "no monitor is started ahead; the next container will tell", e);
        }
    }

    private MonitorProcess start(Fd program) {
        Optional<Fd> directory = group.get();
        try {
            return MonitorProcess.start(program, directory);
        } finally {
            directory.ifPresent(Fd::close);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        MonitorProcess left = next.getAndSet(null);
        if (left != null) {
            left.close();
        }
    }
}
