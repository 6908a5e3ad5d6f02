package dev.caisson.gate;

import dev.caisson.gate.http2.Http2Connection;
import dev.caisson.gate.http2.Patience;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The connections of HTTP/2 to the real server for one connection of the container's: one, and another one when the
/// server takes no more requests on it.
final class ServerStreams implements AutoCloseable {
    private record Open(Server server, Http2Connection connection) {}

    private static final long FRESH_NANOS = 1_000_000_000;

    private final Guest guest;
    private final Gate gate;
    private final Patience patience;
    private final Set<Open> all = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Open present;
    private @Nullable IOException failure;
    private long failed;
    private volatile boolean closed;

    /// @param first that speaks HTTP/2; null if there was none yet
    ServerStreams(Guest guest, Gate gate, Patience patience, @Nullable Server first) throws IOException {
        this.guest = guest;
        this.gate = gate;
        this.patience = patience;
        if (first != null) {
            present = begin(first);
        }
    }

    /// Returns a connection that takes requests.
    Http2Connection usable() throws IOException, Refusal {
        lock.lock();
        try {
            Open known = present;
            if (known != null && known.connection().isUsable()) {
                return known.connection();
            }
            IOException recent = failure;
            if (recent != null && System.nanoTime() - failed < FRESH_NANOS) {
                throw new IOException(recent); // others have waited for the same
            }
            Open next = begin(connect());
            present = next;
            return next.connection();
        } finally {
            lock.unlock();
        }
    }

    private Server connect() throws IOException, Refusal {
        try {
            return guest.connect(gate, Server.Attempt.standard(Server.HTTP_2));
        } catch (IOException e) {
            failure = e;
            failed = System.nanoTime();
            throw e;
        }
    }

    private Open begin(Server server) throws IOException {
        try {
            var connection = Http2Connection.client(
                    server.socket().getInputStream(), server.socket().getOutputStream(), patience);
            var open = new Open(server, connection);
            all.add(open);
            if (closed) {
                throw new IOException("the connection ended");
            }
            Thread.ofVirtual().name("caisson gate answers").start(() -> run(open));
            return open;
        } catch (IOException e) {
            server.close();
            throw e;
        }
    }

    private void run(Open one) {
        try {
            one.connection().run();
        } catch (IOException e) {
            guest.serverFailed(e);
        } finally {
            all.remove(one);
            one.server().close();
        }
    }

    /// Closes those on which a frame does not come to its end.
    void look() {
        all.stream()
                .filter(one -> one.connection().isOver())
                .forEach(one -> one.server().close());
    }

    @Override
    public void close() {
        closed = true;
        all.forEach(one -> one.server().close());
    }
}
