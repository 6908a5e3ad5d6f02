package dev.caisson.gate;

import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueMatcher;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;

/// The gates of one container: a listening socket for each port that it sends to, until they are closed.
///
/// The container pays for what it makes the host do: it has 64 connections at a time, and 50 new ones in a second; more
/// wait in the kernel's queue.
public final class GateServer implements AutoCloseable {
    /// A gate with the value that is put into requests. The value is owned, and closed, by what it is handed to.
    public record Valued(Gate gate, SecretValue value) {}

    /// Connections of one container at a time.
    static final int MOST_CONNECTIONS = 64;

    private static final int BACKLOG = 64;
    private static final int AT_ONCE = 100;
    private static final long EACH_NANOS = 20_000_000;
    private static final long LOOK_MILLIS = 500;

    private final Map<Integer, ServerSocket> sockets = new TreeMap<>();
    private final List<Credential> credentials = new ArrayList<>();
    private final Set<Guest> guests = ConcurrentHashMap.newKeySet();
    private final Predicate<InetAddress> isContainer;
    private final AnswerValues values;
    private final Thread watching;
    private volatile boolean closed;

    private GateServer(Predicate<InetAddress> isContainer, AnswerValues values) {
        this.isContainer = isContainer;
        this.values = values;
        this.watching = Thread.ofVirtual().name("caisson gate watch").unstarted(this::watch);
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
        GateServer server = null;
        try {
            server = new GateServer(
                    isContainer,
                    new AnswerValues(
                            ValueMatcher.of(gates.stream().map(Valued::value).toList())));
            for (Valued one : gates) {
                server.credentials.add(new Credential(one.gate(), one.value()));
            }
            server.listen(address, authority, trust, origins, notes, patience);
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
            InetAddress address,
            Authority authority,
            SSLContext trust,
            Origins origins,
            Notes notes,
            Guest.Patience patience)
            throws IOException {
        var ports = new TreeMap<Integer, Map<String, List<Credential>>>();
        for (Credential one : credentials) {
            ports.computeIfAbsent(one.gate().port(), _ -> new LinkedHashMap<>())
                    .computeIfAbsent(one.gate().host(), _ -> new ArrayList<>())
                    .add(one);
        }
        for (Map.Entry<Integer, Map<String, List<Credential>>> port : ports.entrySet()) {
            var socket = new ServerSocket();
            sockets.put(port.getKey(), socket);
            socket.bind(new InetSocketAddress(address, 0), BACKLOG);
            Guest.Setting setting = Guest.Setting.of(
                    port.getKey(), port.getValue(), values, authority, trust, origins, notes, patience);
            Thread.ofVirtual().name("caisson gate").start(() -> accept(socket, setting));
        }
        watching.start();
    }

    /// Puts other values into requests from now on, of open connections too. Answers have neither these nor the
    /// few before, also those that have begun.
    ///
    /// @param next the gates that it was opened with; the values are closed if this fails too
    /// @throws dev.caisson.error.ArgumentException ARGUMENT_INVALID for a value that no request can have
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

    /// Returns the ports that are listened on, by the ports that the container sends to.
    public Map<Integer, Integer> ports() {
        var ports = new TreeMap<Integer, Integer>();
        sockets.forEach((port, socket) -> ports.put(port, socket.getLocalPort()));
        return ports;
    }

    private void accept(ServerSocket from, Guest.Setting setting) {
        long paid = System.nanoTime() - AT_ONCE * EACH_NANOS;
        while (!closed) {
            try {
                Socket socket = from.accept();
                if (!isContainer.test(socket.getInetAddress()) || guests.size() >= MOST_CONNECTIONS) {
                    socket.close();
                } else {
                    serve(new Guest(socket, setting));
                }
                long now = System.nanoTime();
                paid = Math.max(paid, now - AT_ONCE * EACH_NANOS) + EACH_NANOS;
                if (paid - now > 0) {
                    Thread.sleep((paid - now) / 1_000_000 + 1);
                }
            } catch (IOException e) {
                if (closed || from.isClosed() || !paused()) {
                    return;
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static boolean paused() {
        try {
            Thread.sleep(LOOK_MILLIS); // no descriptors are left, perhaps
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    private void serve(Guest guest) {
        guests.add(guest);
        if (closed) {
            guest.end();
        }
        Thread.ofVirtual().name("caisson gate connection").start(() -> {
            try {
                guest.run();
            } finally {
                guests.remove(guest);
            }
        });
    }

    /// Ends connections whose time is up.
    private void watch() {
        try {
            while (!closed) {
                Thread.sleep(LOOK_MILLIS);
                long now = System.nanoTime();
                guests.stream().filter(guest -> guest.isExpired(now)).forEach(Guest::end);
            }
        } catch (InterruptedException e) {
            // it is closed
        }
    }

    /// Ends all connections and clears the values.
    @Override
    public synchronized void close() {
        closed = true;
        watching.interrupt();
        for (ServerSocket socket : sockets.values()) {
            try {
                socket.close();
            } catch (IOException e) {
                // it listens no more
            }
        }
        guests.forEach(Guest::end);
        values.close();
        credentials.forEach(Credential::close);
    }
}
