package dev.caisson.network.relay;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Two connections whose bytes go from one to the other. Each direction ends by itself; what one side does not take is
/// not read from the other.
final class Connection {
    private static final long PATIENCE_NANOS = 10_000_000_000L;
    private static final int READS_AT_ONCE = 4;

    private final Carried carried;
    private final Fd client;
    private final Fd server;
    private final Consumer<Connection> ended;
    private final Direction toServer;
    private final Direction toClient;
    private Reactor.@Nullable Timer patience;
    private long connecting = -1;
    private long used = System.nanoTime();
    private boolean closed;

    Connection(Carried carried, Fd client, Fd server, Consumer<Connection> ended) {
        this.carried = carried;
        this.client = client;
        this.server = server;
        this.ended = ended;
        toServer = new Direction(client, server);
        toClient = new Direction(server, client);
    }

    void begin() {
        patience = carried.reactor().at(System.nanoTime() + PATIENCE_NANOS, this::close);
        connecting = carried.reactor().watchWritable(server, () -> guarded(this::connected), _ -> close());
    }

    private void connected() {
        stopConnecting();
        InternetSockets.requireConnected(server);
        InternetSockets.noDelay(client);
        InternetSockets.noDelay(server);
        toServer.begin();
        toClient.begin();
    }

    /// Returns for how many nanoseconds nothing has gone either way.
    long silent(long now) {
        return now - used;
    }

    /// True once one side has ended.
    boolean isEnding() {
        return toServer.done || toClient.done;
    }

    private void stopConnecting() {
        if (connecting >= 0) {
            carried.reactor().forget(connecting, server);
            connecting = -1;
        }
        if (patience != null) {
            patience.cancel();
        }
    }

    /// One side broke the connection, or there is no descriptor left: both end.
    private void guarded(Runnable action) {
        try {
            action.run();
        } catch (ErrnoException e) {
            close();
        }
    }

    void close() {
        if (closed) {
            return;
        }
        closed = true;
        stopConnecting();
        toServer.stop();
        toClient.stop();
        client.close();
        server.close();
        ended.accept(this);
    }

    private final class Direction {
        private final Fd from;
        private final Fd to;
        private byte[] rest = new byte[0];
        private int given;
        private long reading = -1;
        private long writing = -1;
        private @Nullable Fd blocked;
        private boolean done;

        Direction(Fd from, Fd to) {
            this.from = from;
            this.to = to;
        }

        void begin() {
            if (reading < 0 && !closed) {
                reading = carried.reactor().watch(from, () -> guarded(this::read), _ -> close());
            }
        }

        private void read() {
            for (int i = 0; i < READS_AT_ONCE; i++) {
                int count = carried.chunk().read(from, Integer.MAX_VALUE);
                if (count < 0) {
                    return;
                }
                used = System.nanoTime();
                if (count == 0) {
                    end();
                    return;
                }
                byte[] bytes = carried.chunk().bytes();
                int written = Math.max(0, Pipes.write(to, bytes, 0, count));
                if (written < count) {
                    rest = Arrays.copyOfRange(bytes, written, count);
                    given = 0;
                    waitForRoom();
                    return;
                }
            }
        }

        private void end() {
            stop();
            done = true;
            InternetSockets.endWriting(to);
            if (toServer.done && toClient.done) {
                close();
            }
        }

        /// A second descriptor of the same socket, because the first may be watched for reading.
        private void waitForRoom() {
            stop();
            blocked = to.duplicate();
            writing = carried.reactor().watchWritable(blocked, () -> guarded(this::write), _ -> close());
        }

        private void write() {
            int written = Pipes.write(to, rest, given, rest.length - given);
            given += Math.max(0, written);
            used = System.nanoTime();
            if (given == rest.length) {
                rest = new byte[0];
                stop();
                begin();
            }
        }

        void stop() {
            if (reading >= 0) {
                carried.reactor().forget(reading, from);
                reading = -1;
            }
            if (blocked != null) {
                if (writing >= 0) {
                    carried.reactor().forget(writing, blocked);
                    writing = -1;
                }
                blocked.close();
                blocked = null;
            }
        }
    }
}
