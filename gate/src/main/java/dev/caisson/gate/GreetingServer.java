package dev.caisson.gate;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/// Connections of one container that are led on by the name in their TLS greeting: to the addresses of that name alone,
/// and only if the container may greet it. TLS is between the container and the server; nothing of it is ended or
/// changed here.
///
/// The container pays for what it makes the host do: it has 256 connections at a time, and 100 new ones in a second;
/// more wait in the kernel's queue.
public final class GreetingServer implements AutoCloseable {
    static final int MOST_CONNECTIONS = 256;

    private static final System.Logger LOG = System.getLogger(GreetingServer.class.getName());
    private static final int BACKLOG = 128;
    private static final int AT_ONCE = 200;
    private static final long EACH_NANOS = 10_000_000;
    private static final long LOOK_MILLIS = 500;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final ServerSocket socket;
    private final Predicate<InetAddress> isContainer;
    private final GreetingRules rules;
    private final int port;
    private final Duration patience;
    private final Set<Greeted> connections = ConcurrentHashMap.newKeySet();
    private final Thread watching;
    private volatile boolean closed;

    private GreetingServer(
            ServerSocket socket, Predicate<InetAddress> isContainer, int port, GreetingRules rules, Duration patience) {
        this.socket = socket;
        this.isContainer = isContainer;
        this.port = port;
        this.rules = rules;
        this.patience = patience;
        this.watching = Thread.ofVirtual().name("caisson greeting watch").unstarted(this::watch);
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
        var socket = new ServerSocket();
        try {
            socket.bind(new InetSocketAddress(address, 0), BACKLOG);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        var server = new GreetingServer(socket, isContainer, port, rules, patience);
        Thread.ofVirtual().name("caisson greeting").start(server::accept);
        server.watching.start();
        return server;
    }

    /// Returns the port that it listens on.
    public int port() {
        return socket.getLocalPort();
    }

    private void accept() {
        long paid = System.nanoTime() - AT_ONCE * EACH_NANOS;
        while (!closed) {
            try {
                Socket client = socket.accept();
                if (!isContainer.test(client.getInetAddress()) || connections.size() >= MOST_CONNECTIONS) {
                    client.close();
                } else {
                    serve(new Greeted(client, port, rules, patience));
                }
                long now = System.nanoTime();
                paid = Math.max(paid, now - AT_ONCE * EACH_NANOS) + EACH_NANOS;
                if (paid - now > 0) {
                    Thread.sleep((paid - now) / 1_000_000 + 1);
                }
            } catch (IOException e) {
                if (closed || socket.isClosed() || !paused()) {
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

    private void serve(Greeted one) {
        connections.add(one);
        if (closed) {
            one.end();
        }
        Thread.ofVirtual().name("caisson greeting connection").start(() -> {
            try {
                one.run();
            } finally {
                connections.remove(one);
            }
        });
    }

    /// Ends connections that say nothing at first, and those to names that are not on the list any more.
    private void watch() {
        try {
            while (!closed) {
                Thread.sleep(LOOK_MILLIS);
                look();
            }
        } catch (InterruptedException e) {
            // it is closed
        }
    }

    private void look() {
        Optional<RuntimeException> failure = Optional.empty();
        for (Greeted one : connections) {
            try {
                if (one.isOver()) {
                    one.end();
                }
            } catch (RuntimeException e) { // the list cannot be read now
                failure = Optional.of(e);
            }
        }
        failure.ifPresent(e -> LOG.log(System.Logger.Level.WARNING, "a list of names is looked at again later", e));
    }

    /// Ends all connections.
    @Override
    public void close() {
        closed = true;
        watching.interrupt();
        try {
            socket.close();
        } catch (IOException e) {
            // it listens no more
        }
        connections.forEach(Greeted::end);
    }
}
