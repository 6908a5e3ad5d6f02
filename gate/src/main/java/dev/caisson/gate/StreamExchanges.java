package dev.caisson.gate;

import dev.caisson.gate.http2.ErrorCode;
import dev.caisson.gate.http2.HeaderList;
import dev.caisson.gate.http2.Http2Connection;
import dev.caisson.gate.http2.Http2Stream;
import dev.caisson.gate.http2.Patience;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// The requests of one connection of HTTP/2, many at a time. Each is looked at for itself; when many were refused, the
/// connection takes no more.
final class StreamExchanges implements AutoCloseable {
    private static final int MOST_REFUSED = 50;

    private final Guest guest;
    private final Guest.Setting setting;
    private final List<Credential> credentials;
    private final Gate gate;
    private final ServerStreams servers;
    private final Http2Connection connection;
    private final AtomicInteger refused = new AtomicInteger();

    /// @param credentials of one host
    /// @param server that was chosen by the greeting; null if it could not be reached then
    StreamExchanges(
            Guest guest, Guest.Setting setting, List<Credential> credentials, SSLSocket client, @Nullable Server server)
            throws IOException {
        this.guest = guest;
        this.setting = setting;
        this.credentials = credentials;
        this.gate = credentials.getFirst().gate();
        Guest.Patience waits = setting.patience();
        var patience = new Patience(waits.head(), waits.idle(), waits.progress(), waits.answer());
        this.servers = new ServerStreams(guest, gate, patience, server);
        this.connection =
                Http2Connection.server(client.getInputStream(), client.getOutputStream(), patience, this::serve);
    }

    /// Serves them until the connection ends.
    void run() throws IOException {
        connection.run();
    }

    private void serve(Http2Stream stream, HeaderList head) throws IOException {
        if (!setting.streams().tryAcquire()) {
            stream.reset(ErrorCode.REFUSED_STREAM);
            refused("more than " + Guest.MOST_STREAMS + " requests at a time: send fewer");
            return;
        }
        try {
            new StreamExchange(this, gate, stream).run(head);
        } finally {
            setting.streams().release();
        }
    }

    Guest.Setting setting() {
        return setting;
    }

    List<Credential> credentials() {
        return credentials;
    }

    ServerStreams servers() {
        return servers;
    }

    /// Notes that bytes move.
    void moves() throws IOException {
        guest.requireAllowed();
    }

    void refused(String reason) throws IOException {
        setting.notes().refused(gate.host(), gate.port(), reason);
        if (refused.incrementAndGet() >= MOST_REFUSED) {
            connection.drain();
        }
    }

    /// True if it has taken too long.
    boolean isOver() {
        servers.look();
        return connection.isOver();
    }

    /// Tells the client that it ends.
    void drain() throws IOException {
        connection.drain();
    }

    @Override
    public void close() {
        servers.close();
    }
}
