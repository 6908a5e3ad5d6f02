package dev.caisson.network.relay;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// A TCP port: each connection to it gets one to the container.
final class TcpPort implements RelayedPort {
    private final Carried carried;
    private final Fd listening;
    private final InetSocketAddress container;
    private final int most;
    private final Set<Connection> connections = new HashSet<>();
    private long watch = -1;
    private boolean closed;

    TcpPort(Carried carried, Fd listening, InetSocketAddress container, int most) {
        this.carried = carried;
        this.listening = listening;
        this.container = container;
        this.most = most;
    }

    @Override
    public void begin() {
        if (!closed && watch < 0 && connections.size() < most) {
            watch = carried.reactor().watch(listening, this::accept, _ -> pause());
        }
    }

    private void stop() {
        if (watch >= 0) {
            carried.reactor().forget(watch, listening);
            watch = -1;
        }
    }

    private void pause() {
        stop();
        carried.later(this::begin);
    }

    private void accept() {
        try {
            while (connections.size() < most) {
                Optional<Fd> client = InternetSockets.accept(listening);
                if (client.isEmpty()) {
                    return;
                }
                connect(client.get());
            }
            stop();
        } catch (ErrnoException e) { // no descriptor left
            pause();
        }
    }

    /// A client whose connection cannot be carried on finds its own closed.
    private void connect(Fd client) {
        Fd server;
        try {
            server = InternetSockets.connectTcp(container);
        } catch (ErrnoException e) {
            client.close();
            return;
        }
        var connection = new Connection(carried, client, server, this::ended);
        connections.add(connection);
        connection.begin();
    }

    private void ended(Connection connection) {
        connections.remove(connection);
        begin();
    }

    @Override
    public void close() {
        closed = true;
        stop();
        Set.copyOf(connections).forEach(Connection::close);
        listening.close();
    }
}
