package dev.caisson.gate;

import dev.caisson.gate.wire.ToProcess;
import dev.caisson.gate.wire.ToStarter;
import dev.caisson.linux.DescriptorSocket;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/// What gates in a process of their own ask of whoever started it.
final class StarterRequests implements Origins, Notes {
    /// @param descriptor of a connection, if it is there
    private record Answer(ToProcess message, Optional<Fd> descriptor) {}

    private static final int SECONDS = 30;

    private final Fd socket;
    private final Map<Long, CompletableFuture<Answer>> waiting = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private volatile List<Gate> gates = List.of();

    StarterRequests(Fd socket) {
        this.socket = socket;
    }

    /// Numbers the gates.
    void name(List<Gate> all) {
        gates = all;
    }

    void say(ToStarter message) {
        Sockets.send(socket, message.bytes(), List.of());
    }

    /// Takes an answer; nobody may wait for it any more.
    void answer(ToProcess message, List<Fd> descriptors) {
        long id = switch (message) {
            case ToProcess.Allowed allowed -> allowed.id();
            case ToProcess.Found found -> found.id();
            case ToProcess.Connected connected -> connected.id();
            case ToProcess.Confine _, ToProcess.Open _, ToProcess.Replace _ ->
                throw new IllegalArgumentException("not an answer: " + message);
        };
        CompletableFuture<Answer> future = waiting.remove(id);
        if (future != null) {
            Optional<Fd> own = descriptors.stream().findFirst().map(fd -> new Fd(fd.release()));
            if (!future.complete(new Answer(message, own))) {
                own.ifPresent(Fd::close);
            }
        }
    }

    private Answer ask(long id, ToStarter question) throws IOException {
        var future = new CompletableFuture<Answer>();
        waiting.put(id, future);
        try {
            say(question);
            return future.get(SECONDS, TimeUnit.SECONDS);
        } catch (ErrnoException | ExecutionException | TimeoutException e) {
            throw new IOException("the starter of this process does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            waiting.remove(id);
            future.cancel(false);
        }
    }

    @Override
    public boolean allows(Gate gate) {
        long id = ids.incrementAndGet();
        try {
            return ask(id, new ToStarter.Allows(id, gates.indexOf(gate))).message() instanceof ToProcess.Allowed allowed
                    && allowed.allowed();
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public List<InetAddress> addresses(Gate gate) throws UnknownHostException {
        long id = ids.incrementAndGet();
        try {
            if (ask(id, new ToStarter.Addresses(id, gates.indexOf(gate))).message() instanceof ToProcess.Found found
                    && found.known()) {
                return found.addresses();
            }
        } catch (IOException e) {
            // it has none that is known
        }
        throw new UnknownHostException(gate.host());
    }

    @Override
    public void used(Gate gate) {
        say(new ToStarter.Used(gates.indexOf(gate)));
    }

    @Override
    public void refused(String host, int port, String reason) {
        say(new ToStarter.Refused(host, port, reason));
    }

    private Fd connect(Gate gate, InetSocketAddress to, int millis) throws IOException {
        long id = ids.incrementAndGet();
        return ask(id, new ToStarter.Connect(id, gates.indexOf(gate), to.getAddress(), millis))
                .descriptor()
                .orElseThrow(() -> new ConnectException("no connection to " + to));
    }

    /// Returns sockets that others have bound and connect.
    ///
    /// @param listening by the ports that the container sends to
    Network network(Map<Integer, ServerSocket> listening) {
        return new Network() {
            @Override
            public ServerSocket listen(int port) throws IOException {
                ServerSocket found = listening.get(port);
                if (found == null) {
                    throw new IOException("no socket came for port " + port);
                }
                return found;
            }

            @Override
            public Socket outward(Gate gate) throws IOException {
                return DescriptorSocket.unconnected((to, millis) -> connect(gate, to, millis));
            }
        };
    }
}
