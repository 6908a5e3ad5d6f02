package dev.caisson.gate;

import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// One connection of the container's. Each wait has an end: [#expire] sets it, and who watches over all connections
/// closes those whose time is up.
final class Guest implements ContainerConnections.Connection {
    /// The parts that all connections of a container share.
    ///
    /// @param hosts credentials by host; those of one host have places of their own
    record Setting(
            int port,
            Map<String, List<Credential>> hosts,
            AnswerValues values,
            Leaves leaves,
            SSLContext context,
            SSLContext trust,
            Origins origins,
            Notes notes,
            Patience patience) {
        static Setting of(
                int port,
                Map<String, List<Credential>> hosts,
                AnswerValues values,
                Authority authority,
                SSLContext trust,
                Origins origins,
                Notes notes,
                Patience patience) {
            var leaves = new Leaves(authority, hosts.keySet());
            try {
                return new Setting(
                        port, Map.copyOf(hosts), values, leaves, leaves.context(), trust, origins, notes, patience);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("this JVM has no TLS", e);
            }
        }
    }

    /// The longest waits of a connection.
    ///
    /// @param idle for the next request
    /// @param progress for the container to take or send more
    /// @param answer for the server
    record Patience(Duration greeting, Duration head, Duration idle, Duration progress, Duration answer) {
        static final Patience STANDARD = new Patience(
                Duration.ofSeconds(10),
                Duration.ofSeconds(15),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofMinutes(10));
    }

    private static final long LOOK_NANOS = 1_000_000_000;
    private static final int LINGER_MILLIS = 500;
    private static final int LINGER_BYTES = 65_536;

    private final Socket socket;
    private final Setting setting;
    private final Set<Socket> outward = ConcurrentHashMap.newKeySet();
    private volatile long expires;
    private volatile boolean closed;
    private volatile @Nullable Gate gate;
    private volatile long looked = System.nanoTime();

    Guest(Socket socket, Setting setting) {
        this.socket = socket;
        this.setting = setting;
        expire(setting.patience().greeting());
    }

    private void expire(Duration after) {
        expires = System.nanoTime() + after.toNanos();
    }

    /// Notes that bytes move, so that the connection is not taken for a slow one.
    ///
    /// @throws IOException if the host was taken off the container's list meanwhile; looked at once a second
    void moves() throws IOException {
        tells();
        Gate present = gate;
        long now = System.nanoTime();
        if (present != null && now - looked > LOOK_NANOS) {
            looked = now;
            if (!setting.origins().allows(present)) {
                throw new IOException("the container may not send to " + present.target() + " any more");
            }
        }
    }

    /// Notes that the gate sends words of its own, which the container gets even if its host was taken off the list.
    void tells() {
        expire(setting.patience().progress());
    }

    /// An answer is waited for.
    void awaits() {
        expire(setting.patience().answer());
    }

    @Override
    public boolean isOver() {
        return expires - System.nanoTime() < 0;
    }

    /// Ends it from outside.
    @Override
    public void end() {
        closed = true;
        outward.forEach(Guest::close);
        close(socket);
    }

    private static void close(Socket one) {
        try {
            one.close();
        } catch (IOException e) {
            // it is gone all the same
        }
    }

    @Override
    public void run() {
        Optional<String> host = Optional.empty();
        try {
            socket.setTcpNoDelay(true);
            SSLSocket tls = (SSLSocket) setting.context()
                    .getSocketFactory()
                    .createSocket(socket, socket.getInetAddress().getHostAddress(), socket.getPort(), true);
            host = greet(tls);
            List<Credential> credentials =
                    host.map(name -> setting.hosts().get(name)).orElse(List.of());
            if (!credentials.isEmpty()) {
                serve(tls, credentials);
            }
        } catch (IOException e) {
            if (host.isEmpty() && !closed) {
                setting.notes()
                        .refused(
                                "", setting.port(), "a gate takes TLS with HTTP/1.1 to the names of its secrets alone");
            }
        } finally {
            end();
        }
    }

    private Optional<String> greet(SSLSocket tls) throws IOException {
        tls.setUseClientMode(false);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setSNIMatchers(List.of(setting.leaves().matcher()));
        parameters.setApplicationProtocols(new String[] {"http/1.1"});
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        return setting.leaves().asked(tls.getSession());
    }

    private void serve(SSLSocket tls, List<Credential> credentials) throws IOException {
        Gate served = credentials.getFirst().gate();
        gate = served;
        var in = new Input(tls.getInputStream());
        try (var exchanges = new Exchanges(this, setting, credentials, in, tls.getOutputStream())) {
            do {
                expire(setting.patience().idle());
                if (!in.await()) {
                    return;
                }
                expire(setting.patience().head());
            } while (exchanges.next());
        } catch (Refusal e) {
            setting.notes().refused(served.host(), served.port(), e.sentence());
            linger(tls, in);
        }
    }

    /// Connects to the real server.
    Server connect(Gate gate) throws IOException, Refusal {
        outward.removeIf(Socket::isClosed);
        return Server.connect(gate, setting.origins(), setting.trust(), plain -> {
            outward.add(plain);
            if (closed) {
                close(plain);
            }
        });
    }

    /// A connection that is closed with bytes unread is cut, and the client may not see why it was refused.
    private void linger(SSLSocket tls, Input in) throws IOException {
        tls.shutdownOutput();
        tls.setSoTimeout(LINGER_MILLIS);
        var piece = new byte[LINGER_BYTES];
        expire(Duration.ofMillis(2L * LINGER_MILLIS));
        for (int left = LINGER_BYTES; left > 0; ) {
            int count = in.read(piece, left);
            if (count < 0) {
                return;
            }
            left -= count;
        }
    }
}
