package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Connections that are led by their greetings, of real clients to a real server, and of those that mean harm.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class GreetingServerTest {
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();
    private static final String NAME = "good.test";
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    @TempDir
    private Path scratch;

    private final Set<String> allowed = ConcurrentHashMap.newKeySet();
    private final List<String> denied = new CopyOnWriteArrayList<>();
    private volatile boolean isUnreadable;
    private Process origin;
    private GreetingServer server;

    @BeforeEach
    void open() throws Exception {
        int port;
        try (var free = new ServerSocket(0, 1, HERE)) {
            port = free.getLocalPort();
        }
        sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + NAME
                + " -keyout key -out crt 2>&1");
        origin = new ProcessBuilder(
                        "openssl", "s_server", "-accept", "127.0.0.1:" + port, "-cert", "crt", "-key", "key", "-www")
                .directory(scratch.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        for (int tries = 0; tries < 200 && !isOpen(port); tries++) {
            Thread.sleep(20);
        }
        allowed.add(NAME);
        server = server(port);
    }

    private static boolean isOpen(int port) {
        try (var _ = new Socket(HERE, port)) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private GreetingServer server(int port) throws IOException {
        return GreetingServer.open(HERE, HERE::equals, port, rules(), PATIENCE);
    }

    private GreetingRules rules() {
        return new GreetingRules() {
            @Override
            public boolean allows(String name) {
                if (isUnreadable) {
                    throw new IllegalStateException("no descriptor is left");
                }
                return allowed.contains(name);
            }

            @Override
            public List<InetAddress> addresses(String name) {
                return name.equals(NAME) ? List.of(HERE) : List.of();
            }

            @Override
            public void denied(String name, String reason) {
                denied.add(name + ": " + reason);
            }
        };
    }

    @AfterEach
    void close() throws Exception {
        server.close();
        origin.destroyForcibly().waitFor();
    }

    private String sh(String script) throws Exception {
        Process process = new ProcessBuilder("sh", "-c", script)
                .directory(scratch.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return said;
    }

    private String client(String options) throws Exception {
        return sh("timeout 20 openssl s_client -connect 127.0.0.1:" + server.port() + " " + options);
    }

    @Test
    void a_client_that_greets_the_name_speaks_with_the_server_itself() throws Exception {
        String url = "https://" + NAME + ":" + server.port() + "/";
        assertThat(sh("curl -s --cacert crt --resolve " + NAME + ":" + server.port() + ":127.0.0.1 " + url))
                .contains("s_server");
        assertThat(client("-servername GOOD.test -tls1_2")).contains("CN=" + NAME, "Cipher    : ");
        assertThat(client("-servername " + NAME + " -tls1_3 -curves P-256:X25519"))
                .contains("CN=" + NAME);
        assertThat(denied).isEmpty();
    }

    @Test
    void a_client_that_greets_another_name_or_none_is_refused() throws Exception {
        assertThat(client("-servername wrong.test")).doesNotContain("CN=");
        assertThat(client("-noservername")).doesNotContain("CN=");
        assertThat(sh("curl -s -m 10 http://127.0.0.1:" + server.port() + "/")).isEmpty();
        assertThat(denied)
                .containsExactly(
                        "wrong.test: the name in its greeting is not on its list",
                        ": its greeting has no name",
                        ": it does not begin with a greeting of TLS");
        allowed.add("nowhere.test");
        assertThat(client("-servername nowhere.test")).doesNotContain("CN=");
        assertThat(denied.getLast()).isEqualTo("nowhere.test: the name led to no address that it may reach");
    }

    @Test
    void a_greeting_may_come_in_many_pieces() throws Exception {
        byte[] hello = hello(NAME);
        assertThat(answered(hello, 1)).isTrue();
        byte[] pieces = split(hello, 7);
        assertThat(pieces.length).isGreaterThan(hello.length);
        assertThat(answered(pieces, 1)).isTrue();
        assertThat(answered(split(hello("wrong.test"), 3), 5)).isFalse();
        assertThat(denied).containsExactly("wrong.test: the name in its greeting is not on its list");
    }

    @Test
    void a_greeting_that_is_too_long_or_too_slow_is_refused() throws Exception {
        var large = new ByteArrayOutputStream();
        large.writeBytes(new byte[] {1, 0, (byte) 0xff, (byte) 0xf0});
        large.writeBytes(new byte[0xfff0]);
        assertThat(answered(records(large.toByteArray(), 8192), 65536)).isFalse();
        assertThat(denied).containsExactly(": its greeting is too long");
        denied.clear();
        long begun = System.nanoTime();
        try (var socket = new Socket(HERE, server.port())) {
            socket.getOutputStream().write(hello(NAME), 0, 40);
            assertThat(socket.getInputStream().read()).isNegative();
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isBetween(PATIENCE, PATIENCE.multipliedBy(5));
        for (int tries = 0; tries < 500 && denied.isEmpty(); tries++) {
            Thread.sleep(10); // the connection is closed first, and told of then
        }
        assertThat(denied).containsExactly(": it sent no greeting of TLS");
    }

    @Test
    void a_greeting_that_hides_a_name_is_refused() throws Exception {
        byte[] hidden = extended(hello(NAME), 0xfe0d, 0);
        assertThat(answered(hidden, hidden.length)).isFalse();
        assertThat(denied).containsExactly(NAME + ": its greeting hides a name (encrypted client hello)");
    }

    @Test
    void a_second_greeting_has_the_same_name() throws Exception {
        byte[] first = joined(hello(NAME), records(20, new byte[] {1}, 1));
        byte[] rest = {23, 3, 3, 0, 1, 9, 42, 42};
        try (var silent = new ServerSocket(0, 5, HERE);
                GreetingServer led = server(silent.getLocalPort())) {
            byte[] same = joined(first, hello(NAME), rest);
            assertThat(arriving(silent, led, same)).isEqualTo(same);
            assertThat(denied).isEmpty();
            assertThat(arriving(silent, led, first, hello("wrong.test"), rest)).isEqualTo(first);
            assertThat(denied).containsExactly("wrong.test: its second greeting has another name");
        }
    }

    @Test
    void a_second_greeting_is_found_behind_what_a_server_skips() throws Exception {
        byte[] early = extended(hello(NAME), 42);
        byte[] wrong = hello("wrong.test");
        byte[] data = records(23, new byte[5000], 1000);
        byte[] cipher = records(20, new byte[] {1}, 1);
        byte[] alert = records(21, new byte[] {1, 90}, 2);
        byte[] empty = {22, 3, 3, 0, 0};
        try (var silent = new ServerSocket(0, 5, HERE);
                GreetingServer led = server(silent.getLocalPort())) {
            assertThat(arriving(silent, led, early, cipher, data, wrong)).isEqualTo(joined(early, cipher, data));
            assertThat(arriving(silent, led, early, alert, wrong)).isEqualTo(joined(early, alert));
            assertThat(arriving(silent, led, early, empty, wrong)).isEqualTo(early);
            assertThat(arriving(silent, led, early, records(20, new byte[33], 1)))
                    .isEqualTo(joined(early, records(20, new byte[32], 1)));
            assertThat(denied)
                    .containsExactly(
                            "wrong.test: its second greeting has another name",
                            "wrong.test: its second greeting has another name",
                            NAME + ": an empty record follows its greeting",
                            NAME + ": too much follows its greeting");

            byte[] hello = hello(NAME);
            byte[] longest = records(23, new byte[16_640], 16_640);
            byte[] encrypted = {22, 3, 3, 0, 6, 1, 9, 9, 9, 9, 9};
            byte[] others = {1, 2, 3};
            for (byte[] all : List.of(
                    joined(early, data, hello, cipher, data, others),
                    joined(hello, longest, others),
                    joined(hello, cipher, encrypted, others),
                    hello)) {
                assertThat(arriving(silent, led, all)).isEqualTo(all);
            }
            assertThat(denied).hasSize(4);
        }
    }

    /// Returns what arrives at a server of all that a client sends before it closes.
    private static byte[] arriving(ServerSocket server, GreetingServer led, byte[]... sent) throws IOException {
        Socket came;
        try (var client = new Socket(HERE, led.port())) {
            client.getOutputStream().write(joined(sent));
            came = server.accept();
        }
        try (came) {
            return came.getInputStream().readAllBytes();
        }
    }

    private static byte[] joined(byte[]... parts) {
        var all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    @Test
    void a_connection_ends_when_its_name_is_taken_off_the_list() throws Exception {
        try (var client = new Socket(HERE, server.port())) {
            client.getOutputStream().write(hello(NAME));
            assertThat(client.getInputStream().read()).isEqualTo(ClientHello.HANDSHAKE);
            allowed.clear();
            client.setSoTimeout(10_000);
            while (client.getInputStream().read() >= 0) {} // the rest of the answer
        }
        assertThat(denied).isEmpty();
    }

    @Test
    void a_list_that_cannot_be_read_is_read_later() throws Exception {
        try (var client = new Socket(HERE, server.port())) {
            client.getOutputStream().write(hello(NAME));
            assertThat(client.getInputStream().read()).isEqualTo(ClientHello.HANDSHAKE);
            isUnreadable = true;
            Thread.sleep(1500); // three looks
            allowed.clear();
            isUnreadable = false;
            client.setSoTimeout(10_000);
            while (client.getInputStream().read() >= 0) {} // the rest of the answer
        }
    }

    @Test
    void bytes_that_are_no_greeting_are_refused_and_nothing_else_happens() throws Exception {
        byte[] hello = hello(NAME);
        assertThat(ClientHello.read(new ByteArrayInputStream(hello)).name()).contains(NAME);
        var random = new Random(7);
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = hello.clone();
            for (int changes = random.nextInt(1, 6); changes > 0; changes--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            byte[] cut = Arrays.copyOf(bytes, random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length);
            try {
                ClientHello read = ClientHello.read(new ByteArrayInputStream(cut));
                assertThat(read.bytes()).isEqualTo(cut);
                assertThat(read.name().orElse("none")).matches("[a-z0-9_.-]{1,253}");
            } catch (Refused | EOFException e) {
                assertThat(e).isNotNull(); // as it should be
            }
        }
        assertThatThrownBy(() -> ClientHello.read(new ByteArrayInputStream(new byte[] {22, 3, 1, 0, 0})))
                .isInstanceOf(Refused.class);
    }

    /// Returns true if a server answers with a handshake.
    private boolean answered(byte[] bytes, int atOnce) throws IOException {
        try (var socket = new Socket(HERE, server.port())) {
            socket.setTcpNoDelay(true);
            for (int at = 0; at < bytes.length; at += atOnce) {
                socket.getOutputStream().write(bytes, at, Math.min(atOnce, bytes.length - at));
            }
            return socket.getInputStream().read() == ClientHello.HANDSHAKE;
        } catch (java.net.SocketException e) {
            return false; // it was closed with bytes unread
        }
    }

    static byte[] hello(String name) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, null, null);
        SSLEngine engine = context.createSSLEngine(name, 443);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(name)));
        engine.setSSLParameters(parameters);
        var out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), out);
        return Arrays.copyOf(out.array(), out.position());
    }

    /// Returns the same greeting in records of so many bytes.
    private static byte[] split(byte[] hello, int each) {
        return records(Arrays.copyOfRange(hello, ClientHello.RECORD_HEAD, hello.length), each);
    }

    private static byte[] records(byte[] message, int each) {
        return records(ClientHello.HANDSHAKE, message, each);
    }

    private static byte[] records(int type, byte[] message, int each) {
        var out = new ByteArrayOutputStream();
        for (int at = 0; at < message.length; at += each) {
            int length = Math.min(each, message.length - at);
            out.writeBytes(new byte[] {(byte) type, 3, 1, (byte) (length >> 8), (byte) length});
            out.write(message, at, length);
        }
        return out.toByteArray();
    }

    /// Returns the greeting with one extension more.
    private static byte[] extended(byte[] hello, int type, int... content) {
        var more = new ByteArrayOutputStream();
        more.writeBytes(new byte[] {(byte) (type >> 8), (byte) type, 0, (byte) content.length});
        for (int one : content) {
            more.write(one);
        }
        byte[] extended = joined(hello, more.toByteArray());
        add(extended, 3, 2, more.size());
        add(extended, 6, 3, more.size());
        add(extended, extensionsAt(hello), 2, more.size());
        return extended;
    }

    private static int extensionsAt(byte[] hello) {
        int at = ClientHello.RECORD_HEAD + 4 + 34;
        at += 1 + (hello[at] & 0xff);
        at += 2 + (((hello[at] & 0xff) << 8) | (hello[at + 1] & 0xff));
        return at + 1 + (hello[at] & 0xff);
    }

    private static void add(byte[] bytes, int at, int length, int more) {
        int carried = more;
        for (int i = at + length - 1; i >= at; i--) {
            carried += bytes[i] & 0xff;
            bytes[i] = (byte) carried;
            carried >>= 8;
        }
    }
}
