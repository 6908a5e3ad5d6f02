package dev.caisson.network.relay;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// A TCP port: each connection to it gets one to the container.
final class TcpPort implements RelayedPort {
    private static final int ENDING_SHARE = 10;

    private final Carried carried;
    private final Fd listening;
    private final InetSocketAddress container;
    private final Relay.Bounds bounds;
    private final Set<Connection> connections = new HashSet<>();
    private long watch = -1;
    private boolean closed;

    TcpPort(Carried carried, Fd listening, InetSocketAddress container, Relay.Bounds bounds) {
        this.carried = carried;
        this.listening = listening;
        this.container = container;
        this.bounds = bounds;
    }

    @Override
    public void begin() {
        if (!closed && watch < 0) {
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
            do {
                boolean hasRoom = connections.size() < bounds.connections() || giveWay();
                if (!hasRoom || !carried.take(this)) {
                    pause();
                    return;
                }
            } while (acceptOne() && connections.size() < bounds.connections());
        } catch (ErrnoException e) { // no descriptor left
            pause();
        }
    }

    /// Returns false if nobody waits.
    private boolean acceptOne() {
        Optional<Fd> client = Optional.empty();
        try {
            client = InternetSockets.accept(listening);
        } finally {
            if (client.isEmpty()) {
                carried.giveBack();
            }
        }
        client.ifPresent(this::connect);
        return client.isPresent();
    }

    /// Ends a connection for somebody who waits; false if none was silent for long enough.
    private boolean giveWay() {
        long now = System.nanoTime();
        long patience = bounds.silentMillis() * 1_000_000L;
        Optional<Connection> found = connections.stream()
                .filter(one -> one.silent(now) > (one.isEnding() ? patience / ENDING_SHARE : patience))
                .max(Comparator.comparingLong(one -> one.silent(now)));
        found.ifPresent(Connection::close);
        return found.isPresent();
    }

    @Override
    public int size() {
        return connections.size();
    }

    @Override
    public void giveUpOne() {
        long now = System.nanoTime();
        connections.stream()
                .max(Comparator.comparingLong(one -> one.silent(now)))
                .ifPresent(Connection::close);
    }

    /// A client whose connection cannot be carried on finds its own closed.
    private void connect(Fd client) {
        Fd server;
        try {
            server = InternetSockets.connectTcp(container);
        } catch (ErrnoException e) {
            client.close();
            carried.giveBack();
            return;
        }
        var connection = new Connection(carried, client, server, this::ended);
        connections.add(connection);
        connection.begin();
    }

    private void ended(Connection connection) {
        connections.remove(connection);
        carried.giveBack();
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
