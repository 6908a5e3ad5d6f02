package dev.caisson.launch.monitor;

import dev.caisson.linux.Fd;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.util.List;
import java.util.Optional;

/// A process that will be the monitor of a container. It leaves its starter's session, descriptors and control group
/// and starts its zygote, which needs nothing of the container, and waits until it is set up or its starter is gone.
public final class MonitorProcess implements AutoCloseable {
    private final Fd socket;
    private final int starter;
    private boolean reaped;
    private boolean given;

    private MonitorProcess(Fd socket, int starter) {
        this.socket = socket;
        this.starter = starter;
    }

    /// Starts it.
    ///
    /// @param program as [Monitor#program] or the zygote gives it; stays the caller's
    /// @param group the directory of the group to move to, in the unified tree; stays the caller's
    public static MonitorProcess start(Fd program, Optional<Fd> group) {
        Sockets.Pair pair = Sockets.pair();
        try (Fd theirs = pair.theirs()) {
            Sockets.send(
                    pair.ours(),
                    Packet.encode(Requests.PREPARE, 0, 0, new byte[0]),
                    group.stream().toList());
            return new MonitorProcess(
                    pair.ours(), Processes.spawn(program, List.of("caisson-init", "monitor"), List.of(theirs)));
        } catch (RuntimeException e) {
            pair.ours().close();
            throw e;
        }
    }

    /// Returns whether it lives. The process that was started has ended then: its child stays.
    public boolean waits() {
        reap();
        Optional<Sockets.Message> end = Sockets.receiveNow(socket, 1);
        end.ifPresent(Sockets.Message::close);
        return end.isEmpty();
    }

    /// Makes it the monitor of a container, which stands as created when this returns.
    ///
    /// @throws dev.caisson.launch.HostException if it did not start
    public Monitor setUp(MonitorSetup setup) throws InterruptedException {
        reap();
        given = true;
        return Monitor.setUp(socket, setup);
    }

    private void reap() {
        if (!reaped) {
            reaped = true;
            Processes.reap(starter);
        }
    }

    /// Ends it, unless it was set up.
    @Override
    public void close() {
        if (!given) {
            given = true;
            socket.close();
            reap();
        }
    }
}
