package dev.caisson.gate;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;

/// The connections of one container to sockets that listen for it alone.
///
/// The container pays for what it makes the host do: it has a number of connections at a time, and of new ones in a
/// second; more wait in the kernel's queue.
final class ContainerConnections implements AutoCloseable {
    /// One of them, served in a thread of its own.
    interface Connection {
        /// Serves it to its end.
        void run();

        /// Returns true if it has taken too long, or may not go on.
        boolean isOver();

        /// Ends it, from any thread.
        void end();
    }

    /// @param most connections at a time
    /// @param atOnce new ones after a pause
    /// @param eachNanos time for one more new one
    record Bounds(int most, int atOnce, long eachNanos) {}

    private static final System.Logger LOG = System.getLogger(ContainerConnections.class.getName());
    private static final long LOOK_MILLIS = 500;

    private final String name;
    private final Predicate<InetAddress> isContainer;
    private final Bounds bounds;
    private final List<ServerSocket> sockets = new ArrayList<>();
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final Thread watching;
    private volatile boolean closed;

    /// @param name of the threads
    /// @param isContainer true for addresses of the container: others are not served
    ContainerConnections(String name, Predicate<InetAddress> isContainer, Bounds bounds) {
        this.name = name;
        this.isContainer = isContainer;
        this.bounds = bounds;
        this.watching = Thread.ofVirtual().name(name + " watch").start(this::watch);
    }

    /// Opens a socket at an address of the host, at a port that is free.
    static ServerSocket listen(InetAddress address, int backlog) throws IOException {
        var socket = new ServerSocket();
        try {
            socket.bind(new InetSocketAddress(address, 0), backlog);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /// Serves who connects to the socket, which is closed with this.
    synchronized void serve(ServerSocket socket, Function<Socket, Connection> make) {
        sockets.add(socket);
        Thread.ofVirtual().name(name).start(() -> accept(socket, make));
    }

    private void accept(ServerSocket from, Function<Socket, Connection> make) {
        long paid = System.nanoTime() - bounds.atOnce() * bounds.eachNanos();
        while (!closed) {
            try {
                admit(from.accept(), make);
                long now = System.nanoTime();
                paid = Math.max(paid, now - bounds.atOnce() * bounds.eachNanos()) + bounds.eachNanos();
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

    /// One that cannot be served is closed, and those after it are served.
    private void admit(Socket client, Function<Socket, Connection> make) throws IOException {
        try {
            if (!isContainer.test(client.getInetAddress()) || connections.size() >= bounds.most()) {
                client.close();
            } else {
                begin(make.apply(client));
            }
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "a connection to the " + name + " was not served", e);
            client.close();
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

    private void begin(Connection one) {
        connections.add(one);
        if (closed) {
            one.end();
        }
        Thread.ofVirtual().name(name + " connection").start(() -> {
            try {
                one.run();
            } finally {
                connections.remove(one);
            }
        });
    }

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
        RuntimeException failure = null;
        for (Connection one : connections) {
            try {
                if (one.isOver()) {
                    one.end();
                }
            } catch (RuntimeException e) { // what it may do cannot be read now
                failure = e;
            }
        }
        if (failure != null) {
            LOG.log(System.Logger.Level.WARNING, "connections of the " + name + " are looked at again later", failure);
        }
    }

    /// Ends all of them.
    @Override
    public synchronized void close() {
        closed = true;
        watching.interrupt();
        for (ServerSocket socket : sockets) {
            try {
                socket.close();
            } catch (IOException e) {
                // it listens no more
            }
        }
        connections.forEach(Connection::end);
    }
}
