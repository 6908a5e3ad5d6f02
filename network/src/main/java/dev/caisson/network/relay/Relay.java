package dev.caisson.network.relay;

import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Carries connections and datagrams from ports of the host to containers, in one thread for all, from the network
/// namespace of this process. A container sees the host's address on its network as the other end.
public final class Relay implements AutoCloseable {
    /// Bounds of one port, because the host pays for what goes through it.
    ///
    /// @param connections TCP connections at once; for one more the one that was silent longest ends, if it was for
    ///     `silentMillis`, or for a tenth of them after one side has ended; else it waits to be accepted
    /// @param sessions clients of UDP that are remembered; beyond that the one that was silent longest is forgotten
    /// @param silentMillis after which a client of UDP is forgotten
    public record Bounds(int connections, int sessions, int silentMillis) {
        public static final Bounds STANDARD = new Bounds(512, 512, 90_000);
    }

    /// One port that is relayed, until it is closed.
    public final class Port implements AutoCloseable {
        private final RelayedPort relayed;

        private Port(RelayedPort relayed) {
            this.relayed = relayed;
        }

        /// Ends what goes through it. The socket that it was made with stays its owner's.
        @Override
        public void close() {
            inThread(() -> {
                carried.ports().remove(relayed);
                relayed.close();
            });
        }
    }

    private static final int WAITING = 128;
    private static final long PATIENCE_SECONDS = 5;

    private final Reactor reactor;
    private final Carried carried;

    /// @param broke called once if the thread can go on no more
    public Relay(Consumer<Throwable> broke) {
        reactor = new Reactor("caisson relay", broke);
        carried = new Carried(reactor);
    }

    /// Relays a TCP port from now on.
    ///
    /// @param bound a socket that is bound and perhaps listens already; it stays the caller's
    /// @throws dev.caisson.linux.ErrnoException EADDRINUSE if another socket listens at the port
    public Port tcp(Fd bound, InetSocketAddress container, Bounds bounds) {
        Fd own = bound.duplicate();
        try {
            Pipes.doNotWait(own);
            InternetSockets.listen(own, WAITING);
            return begin(new TcpPort(carried, own, container, bounds));
        } catch (RuntimeException e) {
            own.close();
            throw e;
        }
    }

    /// Relays a UDP port from now on.
    ///
    /// @param bound a socket that is bound; it stays the caller's
    public Port udp(Fd bound, InetSocketAddress container, Bounds bounds) {
        Fd own = bound.duplicate();
        try {
            Pipes.doNotWait(own);
            return begin(new UdpPort(carried, own, container, bounds));
        } catch (RuntimeException e) {
            own.close();
            throw e;
        }
    }

    private Port begin(RelayedPort relayed) {
        reactor.at(System.nanoTime(), () -> {
            carried.ports().add(relayed);
            relayed.begin();
        });
        return new Port(relayed);
    }

    private void inThread(Runnable action) {
        var done = new CountDownLatch(1);
        reactor.at(System.nanoTime(), () -> {
            try {
                action.run();
            } finally {
                done.countDown();
            }
        });
        try {
            if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the relay's thread does not answer");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        inThread(() -> {
            carried.ports().forEach(RelayedPort::close);
            carried.ports().clear();
        });
        reactor.close();
    }
}
