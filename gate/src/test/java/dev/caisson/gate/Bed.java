package dev.caisson.gate;

import dev.caisson.gate.http2.Http2Connection;
import dev.caisson.gate.http2.Patience;
import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.Gate;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Assumptions;

/// A gate between a client, which trusts the gate's authority alone, and a real server of TLS, which is trusted by
/// another one.
final class Bed implements AutoCloseable {
    static final String HOST = "api.example.com";
    static final String VALUE = "v4lue-of-the+secret/42";
    private static final boolean ISOLATED = Boolean.getBoolean("caisson.test.gate.process");
    /// A process that has just been started greets more slowly.
    static final Duration SHORT = Duration.ofMillis(ISOLATED ? 3_000 : 700);

    static final Guest.Patience IMPATIENT = new Guest.Patience(SHORT, SHORT, SHORT, SHORT, SHORT);
    static final Patience PATIENT = new Patience(
            Duration.ofSeconds(60), Duration.ofSeconds(60), Duration.ofSeconds(60), Duration.ofSeconds(60));
    private static final int MOST_WAIT = 8_000;

    /// Answers one request.
    interface Reply {
        void to(String head, InputStream in, OutputStream out) throws IOException;

        static Reply of(String answer) {
            return (_, _, out) -> out.write(bytes(answer));
        }

        static Reply ok(String body) {
            return of("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
        }
    }

    final List<String> heads = new CopyOnWriteArrayList<>();
    final List<String> refusals = new CopyOnWriteArrayList<>();
    final List<Gate> uses = new CopyOnWriteArrayList<>();
    final List<Socket> arrived = new CopyOnWriteArrayList<>();
    final Authority guests;
    final OpenGates server;
    private final List<Gate> gates;
    private final SSLServerSocket origin;
    private final SSLContext clients;
    private final SSLContext world;
    volatile Reply reply = Reply.ok("fine");
    /// Versions of HTTP that the server chooses from, and what it does with requests of the second one.
    volatile List<String> speaks = List.of();
    volatile Http2Connection.Requests streams = (_, _) -> {};
    volatile boolean silent;
    final List<Http2Connection> served = new CopyOnWriteArrayList<>();
    volatile boolean allowed = true;
    /// Nanoseconds until the gate was open.
    final long opened;

    static Bed of(Path directory, Gate.Place... places) throws Exception {
        return new Bed(directory, HOST, HOST, Guest.Patience.STANDARD, kinds(places), true);
    }

    /// @param kinds make gates of one that is for the server
    static Bed kinds(Path directory, List<UnaryOperator<Gate>> kinds) throws Exception {
        return new Bed(directory, HOST, HOST, Guest.Patience.STANDARD, kinds, true);
    }

    private static List<UnaryOperator<Gate>> kinds(Gate.Place... places) {
        return Arrays.stream(places)
                .map(place -> (UnaryOperator<Gate>) gate -> gate.as(place))
                .toList();
    }

    static Bed impatient(Path directory) throws Exception {
        return new Bed(directory, HOST, HOST, IMPATIENT, kinds(new Gate.Bearer()), true);
    }

    /// @param named in the server's certificate
    /// @param trusted by the gate
    static Bed elsewhere(Path directory, String named, String trusted) throws Exception {
        return new Bed(directory, named, trusted, Guest.Patience.STANDARD, kinds(new Gate.Bearer()), true);
    }

    static Bed forOthers(Path directory) throws Exception {
        return new Bed(directory, HOST, HOST, Guest.Patience.STANDARD, kinds(new Gate.Bearer()), false);
    }

    private Bed(
            Path directory,
            String named,
            String trusted,
            Guest.Patience patience,
            List<UnaryOperator<Gate>> kinds,
            boolean ours)
            throws Exception {
        this(directory, named, trusted, patience, kinds, ours, ISOLATED);
    }

    /// Makes one whose gate is in a process of its own, or in this one.
    static Bed isolated(Path directory, boolean isolated) throws Exception {
        return new Bed(directory, HOST, HOST, Guest.Patience.STANDARD, kinds(new Gate.Bearer()), true, isolated);
    }

    private Bed(
            Path directory,
            String named,
            String trusted,
            Guest.Patience patience,
            List<UnaryOperator<Gate>> kinds,
            boolean ours,
            boolean isolated)
            throws Exception {
        Authority world = Authority.create("the world", List.of(named));
        Path bundle = directory.resolve("bundle");
        Files.writeString(
                bundle,
                trusted.equals(named)
                        ? world.pem()
                        : Authority.create("others", List.of(trusted)).pem());
        this.world = HostTrust.context(bundle);
        origin = (SSLServerSocket)
                serving(world.leaf(named)).getServerSocketFactory().createServerSocket();
        origin.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofVirtual().start(this::accept);
        guests = Authority.create("a container", List.of(HOST));
        Path own = directory.resolve("own");
        Files.writeString(own, guests.pem());
        clients = HostTrust.context(own);
        List<GateServer.Valued> valued = kinds.stream()
                .map(kind -> new GateServer.Valued(
                        kind.apply(Gate.of("gh").to(HOST + ":" + origin.getLocalPort())), SecretValue.of(bytes(VALUE))))
                .toList();
        gates = valued.stream().map(GateServer.Valued::gate).toList();
        long begun = System.nanoTime();
        server = isolated
                ? process(valued, Files.readAllBytes(bundle), ours, patience)
                : GateServer.open(
                        InetAddress.getLoopbackAddress(),
                        address -> ours && address.isLoopbackAddress(),
                        guests,
                        valued,
                        HostTrust.context(bundle),
                        origins(),
                        notes(),
                        patience);
        opened = System.nanoTime() - begun;
    }

    private OpenGates process(List<GateServer.Valued> valued, byte[] bundle, boolean ours, Guest.Patience patience)
            throws IOException {
        if (!"root".equals(System.getProperty("user.name"))) { // the benchmark, which root runs, has no JUnit
            Assumptions.abort("a process of a gate is started by root");
        }
        InetAddress here = InetAddress.getLoopbackAddress();
        return GateProcess.open(
                new GateProcess.Setting(
                        Bed::starter,
                        ProcessGroup.NONE,
                        here,
                        ours ? here : InetAddress.ofLiteral("192.0.2.1"),
                        guests,
                        Optional.of(bundle),
                        origins(),
                        notes(),
                        () -> {}),
                valued,
                patience);
    }

    /// Returns the static program, as it was built by `make -C native`.
    static Fd starter() {
        try {
            Path program = Path.of(System.getProperty("caisson.root"), "native/build/caisson-init");
            return MemoryFile.sealedExecutable("caisson-init", Files.readAllBytes(program));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Shows one certificate to everybody.
    private static SSLContext serving(Authority.Leaf leaf) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("own", leaf.key(), new char[0], new Certificate[] {leaf.certificate()});
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    private Origins origins() {
        return new Origins() {
            @Override
            public boolean allows(Gate gate) {
                return allowed;
            }

            @Override
            public List<InetAddress> addresses(Gate gate) {
                return List.of(InetAddress.getLoopbackAddress());
            }
        };
    }

    private Notes notes() {
        return new Notes() {
            @Override
            public void used(Gate gate) {
                uses.add(gate);
            }

            @Override
            public void refused(String host, int port, String reason) {
                refusals.add(reason);
            }
        };
    }

    private void accept() {
        while (true) {
            try {
                Socket socket = origin.accept();
                socket.setTcpNoDelay(true);
                arrived.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            if (silent) {
                pause(); // and does not greet
                return;
            }
            if (!speaks.isEmpty()) {
                SSLSocket tls = (SSLSocket) socket;
                SSLParameters parameters = tls.getSSLParameters();
                parameters.setApplicationProtocols(speaks.toArray(String[]::new));
                tls.setSSLParameters(parameters);
                tls.startHandshake();
                if (tls.getApplicationProtocol().equals("h2")) {
                    Http2Connection connection = Http2Connection.server(
                            tls.getInputStream(),
                            tls.getOutputStream(),
                            PATIENT,
                            (stream, head) -> streams.serve(stream, head));
                    served.add(connection);
                    connection.run();
                    return;
                }
            }
            InputStream in = socket.getInputStream();
            for (Optional<String> head = head(in); head.isPresent(); head = head(in)) {
                heads.add(head.get());
                reply.to(head.get(), in, socket.getOutputStream());
                socket.getOutputStream().flush();
                if (socket.isClosed()) {
                    return;
                }
            }
        } catch (IOException e) {
            // the gate has ended it
        }
    }

    private static void pause() {
        try {
            Thread.sleep(MOST_WAIT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Reads up to the empty line, byte for byte.
    static Optional<String> head(InputStream in) throws IOException {
        var head = new ByteArrayOutputStream();
        while (true) {
            int next = in.read();
            if (next < 0) {
                return Optional.empty();
            }
            head.write(next);
            String text = head.toString(StandardCharsets.ISO_8859_1);
            if (text.endsWith("\r\n\r\n")) {
                return Optional.of(text);
            }
        }
    }

    /// Returns a field of a request that the server has seen.
    static List<String> values(String head, String field) throws IOException {
        var found = new ArrayList<String>();
        try (var lines = new BufferedReader(new StringReader(head))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.regionMatches(true, 0, field + ":", 0, field.length() + 1)) {
                    found.add(line.substring(field.length() + 1).strip());
                }
            }
        }
        return found;
    }

    /// Has the gates put another value into requests.
    void replace(String value) {
        server.replace(gates.stream()
                .map(gate -> new GateServer.Valued(gate, SecretValue.of(bytes(value))))
                .toList());
    }

    /// Waits until as many refusals are noted: a note may come after what the client reads.
    ///
    /// @return all that are noted then
    List<String> refused(int count) throws InterruptedException {
        for (int waited = 0; refusals.size() < count && waited < MOST_WAIT; waited += 10) {
            Thread.sleep(10);
        }
        return refusals;
    }

    /// Waits in the same way until as many uses are noted.
    List<Gate> used(int count) throws InterruptedException {
        for (int waited = 0; uses.size() < count && waited < MOST_WAIT; waited += 10) {
            Thread.sleep(10);
        }
        return uses;
    }

    int port() {
        return origin.getLocalPort();
    }

    int gatePort() {
        return Collections.max(server.ports().values());
    }

    Socket plain() throws IOException {
        return connect(gatePort());
    }

    private static Socket connect(int port) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(MOST_WAIT);
        socket.setTcpNoDelay(true);
        return socket;
    }

    SSLSocket greet(String name, String... protocols) throws IOException {
        return greet(clients, plain(), name, protocols);
    }

    /// Connects to the server itself.
    SSLSocket direct(String protocol) throws IOException {
        return greet(world, connect(port()), HOST, protocol);
    }

    private static SSLSocket greet(SSLContext trust, Socket plain, String name, String... protocols)
            throws IOException {
        var tls = (SSLSocket) trust.getSocketFactory().createSocket(plain, HOST, plain.getPort(), true);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setServerNames(name.isEmpty() ? List.of() : List.of(new SNIHostName(name)));
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setApplicationProtocols(protocols);
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        return tls;
    }

    SSLSocket client() throws IOException {
        return greet(HOST);
    }

    /// Sends bytes as they are and returns all that comes back.
    String ask(String raw) throws IOException {
        try (SSLSocket client = client()) {
            client.getOutputStream().write(bytes(raw));
            client.getOutputStream().flush();
            return all(client.getInputStream());
        }
    }

    /// Sends a request, and asks for the end of the connection.
    String get(String target, String... fields) throws IOException {
        return ask(request(target, fields) + "Connection: close\r\n\r\n");
    }

    String request(String target, String... fields) {
        var request = new StringBuilder("GET " + target + " HTTP/1.1\r\nHost: " + HOST + ":" + port() + "\r\n");
        for (String field : fields) {
            request.append(field).append("\r\n");
        }
        return request.toString();
    }

    static String all(InputStream in) throws IOException {
        var all = new ByteArrayOutputStream();
        try {
            in.transferTo(all);
        } catch (EOFException e) {
            // it was cut
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() {
        server.close();
        try {
            origin.close();
            for (Socket socket : arrived) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
