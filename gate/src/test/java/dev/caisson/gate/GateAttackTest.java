package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Attempts to have the value sent elsewhere, or to smuggle a second request: nothing reaches the server, and
/// nothing hangs.
final class GateAttackTest {
    /// @param raw with `@` for the host and its port
    /// @param status that it is told
    private record Attack(String name, String raw, int status) {}

    private static final String SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: @\r\n\r\n";

    private static final List<Attack> ATTACKS = List.of(
            new Attack(
                    "a length beside chunks",
                    "POST / HTTP/1.1\r\nHost: @\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                            + SMUGGLED,
                    400),
            new Attack(
                    "two lengths",
                    "POST / HTTP/1.1\r\nHost: @\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
                    400),
            new Attack(
                    "a list of lengths", "POST / HTTP/1.1\r\nHost: @\r\nContent-Length: 0, 44\r\n\r\n" + SMUGGLED, 400),
            new Attack(
                    "a length that is said to be for the connection",
                    "POST / HTTP/1.1\r\nHost: @\r\nConnection: keep-alive, Content-Length\r\nContent-Length: "
                            + SMUGGLED.length() + "\r\n\r\n" + SMUGGLED,
                    400),
            new Attack("a length with a sign", "POST / HTTP/1.1\r\nHost: @\r\nContent-Length: +0\r\n\r\n", 400),
            new Attack(
                    "two encodings",
                    "POST / HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                    400),
            new Attack(
                    "an encoding that is nearly chunked",
                    "POST / HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                    400),
            new Attack(
                    "an encoding that is said twice",
                    "POST / HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                    400),
            new Attack("a folded field", "GET / HTTP/1.1\r\nHost: @\r\nX-A: b\r\n c\r\n\r\n", 400),
            new Attack("a field behind a line feed", "GET / HTTP/1.1\r\nHost: @\r\nX-A: b\nX-C: d\r\n\r\n", 400),
            new Attack("a field behind a carriage return", "GET / HTTP/1.1\r\nHost: @\r\nX-A: b\rX-C: d\r\n\r\n", 400),
            new Attack(
                    "a blank before the colon",
                    "POST / HTTP/1.1\r\nHost: @\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                    400),
            new Attack("a field without a name", "GET / HTTP/1.1\r\nHost: @\r\n: x\r\n\r\n", 400),
            new Attack("a NUL", "GET / HTTP/1.1\r\nHost: @\r\nX-A: b\0c\r\n\r\n", 400),
            new Attack("a control character", "GET / HTTP/1.1\r\nHost: @\r\nX-A: b\u0001c\r\n\r\n", 400),
            new Attack("no host", "GET / HTTP/1.1\r\n\r\n", 400),
            new Attack("two hosts", "GET / HTTP/1.1\r\nHost: @\r\nHost: other.example\r\n\r\n", 400),
            new Attack("another host", "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n", 421),
            new Attack("another port", "GET / HTTP/1.1\r\nHost: api.example.com:1\r\n\r\n", 421),
            new Attack("a host with a user", "GET / HTTP/1.1\r\nHost: other.example@@\r\n\r\n", 421),
            new Attack("an address", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 421),
            new Attack("a target elsewhere", "GET https://other.example/ HTTP/1.1\r\nHost: @\r\n\r\n", 421),
            new Attack("a target of another scheme", "GET http://@/ HTTP/1.1\r\nHost: @\r\n\r\n", 421),
            new Attack("a target with a user", "GET https://@@other.example/ HTTP/1.1\r\nHost: @\r\n\r\n", 421),
            new Attack("a tunnel", "CONNECT other.example:443 HTTP/1.1\r\nHost: @\r\n\r\n", 501),
            new Attack("a trace", "TRACE / HTTP/1.1\r\nHost: @\r\n\r\n", 501),
            new Attack("a trace in small letters", "trace / HTTP/1.1\r\nHost: @\r\n\r\n", 501),
            new Attack(
                    "another protocol",
                    "GET / HTTP/1.1\r\nHost: @\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
                    501),
            new Attack("two protocols", webSocket("", "Upgrade: websocket, h2c"), 501),
            new Attack("WebSocket without a key", webSocket("Sec-WebSocket-Key", "X-A: b"), 400),
            new Attack(
                    "WebSocket of another version",
                    webSocket("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"),
                    400),
            new Attack("WebSocket with a body", webSocket("", "Content-Length: 4"), 400),
            new Attack("WebSocket by another method", webSocket("GET", "POST"), 400),
            new Attack("WebSocket that the connection does not name", webSocket("Connection: Upgrade", "X-A: b"), 400),
            new Attack("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            new Attack(
                    "a flood of continuations of HTTP/2",
                    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\0\0\1\u0009\0\0\0\0\1a".repeat(5000),
                    505),
            new Attack("HTTP/1.0", "GET / HTTP/1.0\r\nHost: @\r\n\r\n", 505),
            new Attack("a request line of four words", "GET / x HTTP/1.1\r\nHost: @\r\n\r\n", 400),
            new Attack("an empty line first", "\r\nGET / HTTP/1.1\r\nHost: @\r\n\r\n", 400),
            new Attack("a long line", "GET /" + "a".repeat(20_000) + " HTTP/1.1\r\nHost: @\r\n\r\n", 431),
            new Attack("many fields", "GET / HTTP/1.1\r\nHost: @\r\n" + "X-A: b\r\n".repeat(101) + "\r\n", 431),
            new Attack(
                    "large fields",
                    "GET / HTTP/1.1\r\nHost: @\r\n" + ("X-A: " + "b".repeat(9000) + "\r\n").repeat(9) + "\r\n",
                    431));

    /// @return a greeting in which one line is another one
    private static String webSocket(String begin, String other) {
        List<String> lines = new ArrayList<>(List.of(
                "GET / HTTP/1.1",
                "Host: @",
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="));
        if (begin.isEmpty()) {
            lines.add(other);
        }
        return lines.stream()
                        .map(line -> !begin.isEmpty() && line.startsWith(begin)
                                ? (begin.equals("GET") ? line.replace(begin, other) : other)
                                : line)
                        .collect(Collectors.joining("\r\n"))
                + "\r\n\r\n";
    }

    /// Bodies whose frames are wrong: the head has gone on, what stands behind them has not.
    private static final List<Attack> BODIES = List.of(
            new Attack("a chunk extension", "5;a=b\r\nhello\r\n0\r\n\r\n", 400),
            new Attack("a chunk size with a blank", "5 \r\nhello\r\n0\r\n\r\n", 400),
            new Attack("a chunk size with a sign", "+5\r\nhello\r\n0\r\n\r\n", 400),
            new Attack("a chunk size in another notation", "0x5\r\nhello\r\n0\r\n\r\n", 400),
            new Attack("a chunk that is longer than it says", "4\r\nhello\r\n0\r\n\r\n", 400),
            new Attack("a chunk size that is too large", "ffffffffffffffff\r\nhello\r\n", 400),
            new Attack("a chunk behind a line feed", "5\nhello\r\n0\r\n\r\n", 400));

    @TempDir
    private Path directory;

    @TestFactory
    Stream<DynamicTest> nothing_of_them_reaches_the_server() throws Exception {
        Bed bed = Bed.of(directory, new Gate.Bearer());
        return ATTACKS.stream()
                .map(attack -> DynamicTest.dynamicTest(attack.name(), () -> {
                    int before = bed.refusals.size();
                    assertThat(bed.ask(attack.raw().replace("@", Bed.HOST + ":" + bed.port())))
                            .startsWith("HTTP/1.1 " + attack.status() + " ")
                            .contains("\r\nConnection: close\r\n")
                            .contains("caisson gate: ");
                    assertThat(bed.heads).isEmpty();
                    assertThat(bed.refused(before + 1)).hasSizeGreaterThan(before);
                }))
                .onClose(bed::close);
    }

    @TestFactory
    Stream<DynamicTest> what_stands_behind_a_wrong_body_is_no_request() throws Exception {
        Bed bed = Bed.of(directory, new Gate.Bearer());
        bed.reply = (_, in, out) -> in.readAllBytes();
        return BODIES.stream()
                .map(attack -> DynamicTest.dynamicTest(attack.name(), () -> {
                    String raw = "POST /first HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked\r\n\r\n" + attack.raw()
                            + SMUGGLED;
                    assertThat(bed.ask(raw.replace("@", Bed.HOST + ":" + bed.port())))
                            .startsWith("HTTP/1.1 400 ");
                    assertThat(bed.heads) // which may come later, or not at all
                            .allSatisfy(head -> assertThat(head).startsWith("POST /first "));
                }))
                .onClose(bed::close);
    }

    /// @return requests that a gate for `GET` and `POST` with `/v1/*`, `/users/*/keys` and `/files/*.txt`
    ///     does not take
    private static Stream<String> outsideOfRules() {
        return Stream.of(
                        "GET /",
                        "GET /v1",
                        "GET /V1/a",
                        "GET /v10/a",
                        "GET /v1;a/b",
                        "GET /v1/../admin",
                        "GET /v1/%2e%2E/admin",
                        "GET /v1/.%2e/admin",
                        "GET /v1/..;a=b/admin",
                        "GET /v1/..%2fadmin",
                        "GET /v1/..%5cadmin",
                        "GET /v1/..%3Fa",
                        "GET /v1/..%23/a",
                        "GET /v1/a/%252e%252e/admin",
                        "GET /v1/.../admin",
                        "GET /v1/./a",
                        "GET /v1//a",
                        "GET //v1/a",
                        "GET /v1/;a/b",
                        "GET /v1/%00",
                        "GET /v1/%c0%ae%c0%ae/a",
                        "GET /v1/%",
                        "GET /v1/%u002e",
                        "GET /users//keys",
                        "GET /users/a/b/keys",
                        "GET /users/a%2Fb/keys",
                        "GET /users/a/keys/1",
                        "GET /users/a/keys/",
                        "GET /users/a%3F/keys",
                        "GET /users/a%23/keys",
                        "GET /files/a;b.txt",
                        "GET /files/a%3Bb.txt",
                        "GET /files/a%3Fb.txt",
                        "GET /files/a%23b.txt",
                        "GET /v1/" + ".".repeat(8000) + "/a",
                        "GET /v1/" + ".".repeat(8000) + "%20/",
                        "HEAD /v1/a",
                        "get /v1/a",
                        "DELETE /v1/a",
                        "OPTIONS *",
                        "GET https://@/v2/a",
                        "POST /v1/a?_method=DELETE",
                        "POST /v1/a?b&%5Fmethod=DELETE")
                .map(line -> line + " HTTP/1.1\r\nHost: @\r\n");
    }

    @TestFactory
    Stream<DynamicTest> what_the_rules_of_a_gate_do_not_name_is_refused() throws Exception {
        Bed bed = Bed.kinds(
                directory,
                List.of(gate -> gate.methods("GET", "POST").paths("/v1/*", "/users/*/keys", "/files/*.txt")));
        Stream<String> overrides = Stream.of(
                        "X-HTTP-Method-Override: DELETE", "x_http_method: DELETE", "X-Original-URL: /a")
                .map(field -> "POST /v1/a HTTP/1.1\r\nHost: @\r\n" + field + "\r\n");
        return Stream.concat(outsideOfRules(), overrides)
                .map(raw -> DynamicTest.dynamicTest(raw.strip().replaceFirst("(.{80}).*", "$1…"), () -> {
                    int before = bed.refusals.size();
                    assertThat(bed.ask(raw.replace("@", Bed.HOST + ":" + bed.port()) + "\r\n"))
                            .startsWith("HTTP/1.1 403 Forbidden")
                            .contains("caisson gate: the ");
                    assertThat(bed.heads).isEmpty();
                    assertThat(bed.refused(before + 1)).hasSize(before + 1);
                }))
                .onClose(bed::close);
    }

    @Test
    void what_the_rules_name_passes() throws Exception {
        try (Bed bed = Bed.kinds(
                directory,
                List.of(gate -> gate.paths("/v1/*", "/users/*/keys", "/p/a%2fb", "/files/*.txt", "/q;a/what%3F")))) {
            List<String> targets = List.of(
                    "/v1/",
                    "/v1/a/b?c=/../",
                    "/%76%31/a",
                    "/v1/a%2Fb",
                    "/v1/%C3%A4",
                    "/v1/a;b=c/what%3F",
                    "/v1/a;" + "b".repeat(8000),
                    "/v1/a." + ".".repeat(8000) + "b",
                    "/users/a;x/keys",
                    "/users/" + "a".repeat(8000) + "/keys",
                    "/p/a%2Fb",
                    "/files/a.b.txt",
                    "/q;a/what%3F");
            for (String target : targets) {
                assertThat(bed.get(target)).as(target).startsWith("HTTP/1.1 200");
            }
            assertThat(bed.heads.stream().map(head -> head.split(" ", 3)[1])).containsExactlyElementsOf(targets);
        }
    }

    @Test
    void trailers_are_refused_and_the_fields_that_name_them_do_not_go_on() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            var body = new CopyOnWriteArrayList<String>();
            bed.reply = (_, in, out) -> {
                body.add(Bed.head(in).orElse("no end"));
                Bed.Reply.ok("fine").to("", in, out);
            };
            String head = "POST / HTTP/1.1\r\nHost: " + Bed.HOST + ":" + bed.port()
                    + "\r\nTrailer: X-T\r\nTE: trailers\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "1\r\na\r\n0\r\n";
            assertThat(bed.ask(head + "\r\n")).startsWith("HTTP/1.1 200");
            assertThat(body).containsExactly("1\r\na\r\n0\r\n\r\n");
            assertThat(bed.heads.getFirst()).doesNotContainIgnoringCase("trailer");
            assertThat(bed.ask(head + "X-T: Authorization\r\n\r\n"))
                    .startsWith("HTTP/1.1 501")
                    .contains("(trailers) do not pass a gate");
            assertThat(bed.refused(1)).singleElement().asString().contains("(trailers)");
            assertThat(body).doesNotHaveDuplicates().allMatch(one -> !one.contains("X-T"));
        }
    }

    @Test
    void heads_of_1xx_are_passed_on_up_to_a_number() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            String hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
            bed.reply = Bed.Reply.of(hint.repeat(8) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
            String answer = bed.get("/");
            assertThat(answer.split("103 Early Hints", -1)).hasSize(9);
            assertThat(answer).contains("HTTP/1.1 200 OK").endsWith("fine");
            bed.reply = (_, _, out) -> {
                while (true) {
                    out.write(Bed.bytes(hint));
                    out.flush();
                }
            };
            String endless = bed.get("/");
            assertThat(endless.split("103 Early Hints", -1)).hasSize(9);
            assertThat(endless).contains("HTTP/1.1 502").contains("more than 8 heads of 1xx");
            assertThat(bed.refused(1)).singleElement().asString().contains("more than 8 heads of 1xx");
        }
    }

    @Test
    void a_target_with_the_same_host_is_a_path() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            assertThat(bed.get("https://" + Bed.HOST.toUpperCase(Locale.ROOT) + ":" + bed.port() + "/a?b"))
                    .startsWith("HTTP/1.1 200");
            assertThat(bed.heads.getFirst()).startsWith("GET /a?b HTTP/1.1\r\n");
        }
    }

    @Test
    void who_sends_slowly_is_cut() throws Exception {
        try (Bed bed = Bed.impatient(directory);
                Socket greeting = bed.plain();
                SSLSocket head = bed.client()) {
            greeting.getOutputStream().write(new byte[] {22, 3, 1});
            long begun = System.nanoTime();
            head.getOutputStream().write(Bed.bytes("GET / HTTP/1.1\r\n"));
            Thread dripping = Thread.ofVirtual().start(() -> {
                try {
                    while (true) {
                        head.getOutputStream().write(Bed.bytes("X-A: b\r\n"));
                        Thread.sleep(100);
                    }
                } catch (IOException | InterruptedException e) {
                    // it was cut
                }
            });
            assertThat(ended(greeting)).isTrue();
            assertThat(ended(head)).isTrue();
            assertThat(System.nanoTime() - begun).isLessThan(5_000_000_000L);
            dripping.interrupt();
            dripping.join();
        }
    }

    private static boolean ended(Socket socket) {
        try {
            return socket.getInputStream().read() < 0;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void a_server_that_does_not_answer_or_cuts_its_answer_is_told() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            bed.reply = (_, _, _) -> bed.arrived.forEach(GateAttackTest::cut);
            assertThat(bed.get("/")).startsWith("HTTP/1.1 502 Bad Gateway");
            bed.reply = Bed.Reply.of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd");
            assertThat(bed.get("/")).startsWith("HTTP/1.1 502 Bad Gateway").contains("in the server's answer");
            bed.reply = Bed.Reply.of("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
            assertThat(bed.get("/")).startsWith("HTTP/1.1 502 Bad Gateway");
            bed.reply = (_, _, out) -> {
                out.write(Bed.bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
                out.flush();
                bed.arrived.forEach(GateAttackTest::cut);
            };
            assertThat(bed.get("/")).contains("Content-Length: 100").endsWith("half");
        }
    }

    private static void cut(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
