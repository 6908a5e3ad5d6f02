package dev.caisson.launch.monitor;

import dev.caisson.linux.Fd;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.util.List;

/// A process that will be the monitor of a container. It leaves its starter's session and descriptors while that
/// makes what it will be given, and exits if it is given nothing.
public final class MonitorProcess implements AutoCloseable {
    private final Fd socket;
    private final int starter;
    private boolean reaped;

    private MonitorProcess(Fd socket, int starter) {
        this.socket = socket;
        this.starter = starter;
    }

    /// Starts it. It waits half a minute for what it is given.
    ///
    /// @param program as [Monitor#program] or the zygote gives it; stays the caller's
    public static MonitorProcess start(Fd program) {
        Sockets.Pair pair = Sockets.pair();
        try (Fd theirs = pair.theirs()) {
            return new MonitorProcess(
                    pair.ours(), Processes.spawn(program, List.of("caisson-init", "monitor"), List.of(theirs)));
        } catch (RuntimeException e) {
            pair.ours().close();
            throw e;
        }
    }

    /// Makes it the monitor of a container, which stands as created when this returns.
    ///
    /// @throws dev.caisson.launch.HostException if it did not start
    public Monitor setUp(MonitorSetup setup) throws InterruptedException {
        reap();
        return Monitor.setUp(socket, setup);
    }

    /// The process that was started ends at once, and its child stays.
    private void reap() {
        if (!reaped) {
            reaped = true;
            Processes.reap(starter);
        }
    }

    /// Ends it, unless it was set up.
    @Override
    public void close() {
        if (!reaped) {
            socket.close();
            reap();
        }
    }
}
