package dev.caisson.gate;

import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueMatcher;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;

/// The gates of one container: a listening socket for each port that it sends to, until they are closed.
///
/// The container pays for what it makes the host do: it has 64 connections at a time, and 50 new ones in a second; more
/// wait in the kernel's queue.
public final class GateServer implements OpenGates {
    /// A gate with the value that is put into requests. The value is owned, and closed, by what it is handed to.
    public record Valued(Gate gate, SecretValue value) {}

    /// Connections of one container at a time.
    static final int MOST_CONNECTIONS = 64;

    static final int BACKLOG = 64;
    private static final ContainerConnections.Bounds BOUNDS =
            new ContainerConnections.Bounds(MOST_CONNECTIONS, 100, 20_000_000);

    private final Map<Integer, ServerSocket> sockets = new TreeMap<>();
    private final List<Credential> credentials = new ArrayList<>();
    private final ContainerConnections guests;
    private final AnswerValues values;

    private GateServer(Predicate<InetAddress> isContainer, AnswerValues values) {
        this.guests = new ContainerConnections("caisson gate", isContainer, BOUNDS);
        this.values = values;
    }

    /// Refuses a value that no request of a gate can have.
    /// @throws dev.caisson.error.ArgumentException ARGUMENT_INVALID, without the value
    public static void require(Gate gate, SecretValue value) {
        byte[] bytes = value.copy();
        try {
            GateValues.require(gate, bytes);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /// Opens the gates of a container.
    ///
    /// @param address of the host, that they listen on
    /// @param isContainer true for addresses of the container: others are not served
    /// @param gates with their values, which are closed if this fails too
    /// @param trust for connections to servers
    /// @throws dev.caisson.error.ArgumentException ARGUMENT_INVALID for a value that no request can have
    /// @throws IOException if no socket can be bound
    public static GateServer open(
            InetAddress address,
            Predicate<InetAddress> isContainer,
            Authority authority,
            List<Valued> gates,
            SSLContext trust,
            Origins origins,
            Notes notes)
            throws IOException {
        return open(address, isContainer, authority, gates, trust, origins, notes, Guest.Patience.STANDARD);
    }

    static GateServer open(
            InetAddress address,
            Predicate<InetAddress> isContainer,
            Authority authority,
            List<Valued> gates,
            SSLContext trust,
            Origins origins,
            Notes notes,
            Guest.Patience patience)
            throws IOException {
        return open(
                isContainer,
                authority,
                gates,
                trust,
                origins,
                notes,
                patience,
                new Network.OfProcess(address, BACKLOG));
    }

    static GateServer open(
            Predicate<InetAddress> isContainer,
            Authority authority,
            List<Valued> gates,
            SSLContext trust,
            Origins origins,
            Notes notes,
            Guest.Patience patience,
            Network network)
            throws IOException {
        GateServer server = null;
        try {
            server = new GateServer(
                    isContainer,
                    new AnswerValues(
                            ValueMatcher.of(gates.stream().map(Valued::value).toList())));
            for (Valued one : gates) {
                server.credentials.add(new Credential(one.gate(), one.value()));
            }
            server.listen(authority, trust, origins, notes, patience, network);
            return server;
        } catch (RuntimeException | IOException e) {
            gates.forEach(one -> one.value().close());
            if (server != null) {
                server.close();
            }
            throw e;
        }
    }

    private void listen(
            Authority authority,
            SSLContext trust,
            Origins origins,
            Notes notes,
            Guest.Patience patience,
            Network network)
            throws IOException {
        var ports = new TreeMap<Integer, Map<String, List<Credential>>>();
        for (Credential one : credentials) {
            ports.computeIfAbsent(one.gate().port(), _ -> new LinkedHashMap<>())
                    .computeIfAbsent(one.gate().host(), _ -> new ArrayList<>())
                    .add(one);
        }
        for (Map.Entry<Integer, Map<String, List<Credential>>> port : ports.entrySet()) {
            Guest.Setting setting = Guest.Setting.of(
                    port.getKey(), port.getValue(), values, authority, trust, origins, notes, patience, network);
            ServerSocket socket = network.listen(port.getKey());
            sockets.put(port.getKey(), socket);
            guests.serve(socket, client -> new Guest(client, setting));
        }
    }

    @Override
    public synchronized void replace(List<Valued> next) {
        try {
            next.forEach(one -> require(one.gate(), one.value()));
            if (!next.stream()
                    .map(Valued::gate)
                    .toList()
                    .equals(credentials.stream().map(Credential::gate).toList())) {
                throw new IllegalArgumentException("other gates than those that are open");
            }
            values.replace(ValueMatcher.of(Stream.concat(
                            credentials.stream().flatMap(one -> one.values().stream()),
                            next.stream().map(Valued::value))
                    .toList()));
        } catch (RuntimeException e) {
            next.forEach(one -> one.value().close());
            throw e;
        }
        for (int i = 0; i < next.size(); i++) {
            credentials.get(i).replace(next.get(i).value());
        }
    }

    @Override
    public Map<Integer, Integer> ports() {
        var ports = new TreeMap<Integer, Integer>();
        sockets.forEach((port, socket) -> ports.put(port, socket.getLocalPort()));
        return ports;
    }

    @Override
    public synchronized void close() {
        guests.close();
        values.close();
        credentials.forEach(Credential::close);
    }
}
