package dev.caisson.gate;

import dev.caisson.gate.http2.Http2Error;
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
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
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
    /// @param network that connections to servers go over
    /// @param multiplexed connections of HTTP/2 that may begin
    /// @param streams requests of HTTP/2 that may begin
    record Setting(
            int port,
            Map<String, List<Credential>> hosts,
            AnswerValues values,
            Leaves leaves,
            SSLContext context,
            SSLContext trust,
            Origins origins,
            Notes notes,
            Patience patience,
            Network network,
            Semaphore multiplexed,
            Semaphore streams) {
        static Setting of(
                int port,
                Map<String, List<Credential>> hosts,
                AnswerValues values,
                Authority authority,
                SSLContext trust,
                Origins origins,
                Notes notes,
                Patience patience,
                Network network) {
            var leaves = new Leaves(authority, hosts.keySet());
            try {
                return new Setting(
                        port,
                        Map.copyOf(hosts),
                        values,
                        leaves,
                        leaves.context(),
                        trust,
                        origins,
                        notes,
                        patience,
                        network,
                        new Semaphore(MOST_MULTIPLEXED),
                        new Semaphore(MOST_STREAMS));
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

        /// Returns it in the order of its parts.
        List<Duration> parts() {
            return List.of(greeting, head, idle, progress, answer);
        }

        /// Reads what [#parts] returns.
        static Patience of(List<Duration> parts) {
            return new Patience(parts.get(0), parts.get(1), parts.get(2), parts.get(3), parts.get(4));
        }
    }

    /// Connections of HTTP/2 at a time, each with room for what it receives; one more speaks HTTP/1.1.
    static final int MOST_MULTIPLEXED = 16;

    /// Requests of HTTP/2 at a time.
    static final int MOST_STREAMS = 256;

    private static final long LOOK_NANOS = 1_000_000_000;
    private static final int LINGER_MILLIS = 500;
    private static final int LINGER_PIECE = 16_384;
    private static final int LINGER_BYTES = 1 << 20;

    private final Socket socket;
    private final Setting setting;
    private final Set<Socket> outward = ConcurrentHashMap.newKeySet();
    private volatile long expires;
    private volatile boolean closed;
    private volatile @Nullable Gate gate;
    private volatile long looked = System.nanoTime();
    private volatile @Nullable StreamExchanges multiplexed;
    private volatile boolean retired;
    private @Nullable Server chosen;
    private String complaint = "a gate takes TLS with HTTP to the names of its secrets alone";

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
        requireAllowed();
    }

    /// @throws IOException if the host was taken off the container's list meanwhile; looked at once a second
    void requireAllowed() throws IOException {
        Gate present = gate;
        long now = System.nanoTime();
        if (present != null && now - looked > LOOK_NANOS) {
            looked = now;
            if (!setting.origins().allows(present)) {
                end();
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
        StreamExchanges many = multiplexed;
        if (many == null || !many.isOver()) {
            return many == null && expires - System.nanoTime() < 0;
        }
        boolean told = retired;
        if (!told) {
            retired = true;
            Thread.ofVirtual().name("caisson gate farewell").start(() -> retire(many));
        }
        return told;
    }

    /// Tells the client that the connection ends, which may take until [#end] is called by somebody else.
    private void retire(StreamExchanges many) {
        try {
            many.drain();
        } catch (IOException e) {
            // it is gone all the same
        } finally {
            end();
        }
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
        boolean counted = false;
        try {
            socket.setTcpNoDelay(true);
            SSLSocket tls = (SSLSocket) setting.context()
                    .getSocketFactory()
                    .createSocket(socket, socket.getInetAddress().getHostAddress(), socket.getPort(), true);
            counted = setting.multiplexed().tryAcquire();
            host = greet(tls, counted);
            List<Credential> credentials =
                    host.map(name -> setting.hosts().get(name)).orElse(List.of());
            if (!credentials.isEmpty()) {
                gate = credentials.getFirst().gate();
                if (tls.getApplicationProtocol().equals(Server.HTTP_2)) {
                    multiplex(tls, credentials);
                } else {
                    if (counted) {
                        counted = false;
                        setting.multiplexed().release();
                    }
                    serve(tls, credentials);
                }
            }
        } catch (IOException e) {
            if (host.isEmpty() && !closed) {
                setting.notes().refused("", setting.port(), complaint);
            }
        } finally {
            if (counted) {
                setting.multiplexed().release();
            }
            end();
        }
    }

    private Optional<String> greet(SSLSocket tls, boolean multiplexed) throws IOException {
        tls.setUseClientMode(false);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setSNIMatchers(List.of(setting.leaves().matcher()));
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        tls.setSSLParameters(parameters);
        tls.setHandshakeApplicationProtocolSelector((one, offered) -> choose(one, offered, multiplexed));
        tls.startHandshake();
        return setting.leaves().asked(tls.getSession());
    }

    /// Chooses the version of HTTP that the real server speaks, so that no request has to be written in another one.
    ///
    /// @return null if there is none, which ends the greeting
    private @Nullable String choose(SSLSocket tls, List<String> offered, boolean multiplexed) {
        List<Credential> credentials = setting.leaves()
                .asked(tls.getHandshakeSession())
                .map(name -> setting.hosts().get(name))
                .orElse(List.of());
        List<String> possible = Stream.of(Server.HTTP_2, Server.HTTP_1)
                .filter(offered::contains)
                .filter(one -> multiplexed || one.equals(Server.HTTP_1))
                .toList();
        if (credentials.isEmpty() || possible.isEmpty()) {
            if (offered.contains(Server.HTTP_2) && !multiplexed) {
                complaint = "more than " + MOST_MULTIPLEXED + " connections of HTTP/2 at a time: use fewer";
            }
            return null;
        }
        Gate asked = credentials.getFirst().gate();
        if (possible.contains(Server.HTTP_2) && setting.origins().allows(asked)) {
            expire(setting.patience().greeting());
            try {
                chosen = connect(asked, Server.Attempt.brief(possible));
                return chosen.protocol();
            } catch (Refusal e) {
                complaint = e.sentence();
                if (e.isOfProtocol()) {
                    return null;
                }
            } catch (IOException e) {
                // the requests are told
            } finally {
                expire(setting.patience().greeting());
            }
        }
        return possible.getLast();
    }

    private void multiplex(SSLSocket tls, List<Credential> credentials) throws IOException {
        try (var exchanges = new StreamExchanges(this, setting, credentials, tls, chosen)) {
            multiplexed = exchanges;
            exchanges.run();
        } catch (IOException e) {
            multiplexed = null;
            Http2Error error = Http2Error.of(e).orElseThrow(() -> e);
            Gate served = credentials.getFirst().gate();
            setting.notes()
                    .refused(served.host(), served.port(), "the program does not keep to HTTP/2: " + error.reason());
            linger(tls, new Input(tls.getInputStream()));
        }
    }

    private void serve(SSLSocket tls, List<Credential> credentials) throws IOException {
        Gate served = credentials.getFirst().gate();
        var in = new Input(tls.getInputStream());
        try (var exchanges = new Exchanges(this, setting, credentials, in, tls.getOutputStream(), chosen)) {
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
    Server connect(Gate gate, Server.Attempt attempt) throws IOException, Refusal {
        outward.removeIf(Socket::isClosed);
        return Server.connect(gate, attempt, setting.origins(), setting.trust(), () -> {
            Socket plain = setting.network().outward(gate);
            outward.add(plain);
            if (closed) {
                close(plain);
            }
            return plain;
        });
    }

    /// Notes that a connection to the server has failed.
    void serverFailed(IOException cause) {
        Gate served = gate;
        if (!closed && served != null) {
            Http2Error.of(cause)
                    .ifPresent(error -> setting.notes()
                            .refused(
                                    served.host(),
                                    served.port(),
                                    "the server does not keep to HTTP/2: " + error.reason()));
        }
    }

    /// A connection that is closed with bytes unread is cut, and the client may not see why it was refused.
    private void linger(SSLSocket tls, Input in) throws IOException {
        tls.shutdownOutput();
        tls.setSoTimeout(LINGER_MILLIS);
        var piece = new byte[LINGER_PIECE];
        expire(Duration.ofMillis(2L * LINGER_MILLIS));
        for (int left = LINGER_BYTES; left > 0; ) {
            int count = in.read(piece, Math.min(left, LINGER_PIECE));
            if (count < 0) {
                return;
            }
            left -= count;
        }
    }
}
