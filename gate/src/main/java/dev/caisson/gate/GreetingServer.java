package dev.caisson.gate;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.function.Predicate;

/// Connections of one container that are led on by the name in their TLS greeting: to the addresses of that name alone,
/// and only if the container may greet it. TLS is between the container and the server; nothing of it is ended or
/// changed here.
///
/// The container pays for what it makes the host do: it has 256 connections at a time, and 100 new ones in a second;
/// more wait in the kernel's queue.
public final class GreetingServer implements AutoCloseable {
    static final int MOST_CONNECTIONS = 256;

    private static final int BACKLOG = 128;
    private static final ContainerConnections.Bounds BOUNDS =
            new ContainerConnections.Bounds(MOST_CONNECTIONS, 200, 10_000_000);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final ServerSocket socket;
    private final ContainerConnections connections;

    private GreetingServer(ServerSocket socket, ContainerConnections connections) {
        this.socket = socket;
        this.connections = connections;
    }

    /// Begins.
    ///
    /// @param address of the host, that it listens on
    /// @param isContainer true for addresses of the container: others are not served
    /// @param port of the servers
    /// @throws IOException if no socket can be bound
    public static GreetingServer open(
            InetAddress address, Predicate<InetAddress> isContainer, int port, GreetingRules rules) throws IOException {
        return open(address, isContainer, port, rules, PATIENCE);
    }

    /// @param patience the longest wait for the greeting, and for a server
    static GreetingServer open(
            InetAddress address, Predicate<InetAddress> isContainer, int port, GreetingRules rules, Duration patience)
            throws IOException {
        ServerSocket socket = ContainerConnections.listen(address, BACKLOG);
        var connections = new ContainerConnections("caisson greeting", isContainer, BOUNDS);
        connections.serve(socket, client -> new Greeted(client, port, rules, patience));
        return new GreetingServer(socket, connections);
    }

    /// Returns the port that it listens on.
    public int port() {
        return socket.getLocalPort();
    }

    /// Ends all connections.
    @Override
    public void close() {
        connections.close();
    }
}
