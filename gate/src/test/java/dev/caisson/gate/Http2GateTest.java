package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.gate.StreamClient.Answer;
import dev.caisson.gate.http2.ErrorCode;
import dev.caisson.gate.http2.HeaderBlock;
import dev.caisson.gate.http2.HeaderList;
import dev.caisson.gate.http2.Http2Error;
import dev.caisson.gate.http2.Http2Stream;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Requests of HTTP/2 through a gate to a server that speaks it: each stream has the rules that a connection of
/// HTTP/1.1 has.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class Http2GateTest {
    @TempDir
    private Path directory;

    private final List<HeaderList> asked = new CopyOnWriteArrayList<>();

    private Bed bed(Gate.Place... places) throws Exception {
        return prepared(Bed.of(directory, places.length == 0 ? new Gate.Place[] {new Gate.Bearer()} : places));
    }

    private Bed prepared(Bed bed) {
        bed.speaks = List.of("h2", "http/1.1");
        bed.streams = (stream, head) -> {
            asked.add(head);
            answer(stream, "fine");
        };
        return bed;
    }

    private static void answer(Http2Stream stream, String body, String... fields) throws IOException {
        var head = new HeaderBlock().add(":status", "200");
        for (int i = 0; i < fields.length; i += 2) {
            head.add(fields[i], fields[i + 1]);
        }
        stream.send(head, false);
        stream.send(Bed.bytes(body), body.length());
        stream.end();
    }

    @Test
    void a_request_has_the_value_and_the_answer_does_not() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            bed.streams = (stream, head) -> {
                asked.add(head);
                stream.send(new HeaderBlock().add(":status", "103").add("link", "</a>"), false);
                stream.send(
                        new HeaderBlock()
                                .add(":status", "200")
                                .add("x-echo", "<" + Bed.VALUE + ">")
                                .add("alt-svc", "h3=\":443\""),
                        false);
                for (char one : ("you are " + Bed.VALUE + ".").toCharArray()) {
                    stream.send(new byte[] {(byte) one}, 1);
                }
                stream.send(new HeaderBlock().add("grpc-status", "0").add("grpc-message", Bed.VALUE), true);
            };
            Http2Stream stream = client.connection.open(
                    client.head("GET", "/user?a=b")
                            .add("authorization", "Bearer mine")
                            .add("x-other", "kept"),
                    true);
            assertThat(StreamClient.value(stream.head(), ":status")).isEqualTo("103");
            Answer answer = StreamClient.answer(stream);
            String stars = "*".repeat(Bed.VALUE.length());
            assertThat(answer.status()).isEqualTo("200");
            assertThat(StreamClient.value(answer.head(), "x-echo")).isEqualTo("<" + stars + ">");
            assertThat(StreamClient.values(answer.head(), "alt-svc")).isEmpty();
            assertThat(answer.body()).isEqualTo("you are " + stars + ".");
            assertThat(StreamClient.value(answer.trailers().orElseThrow(), "grpc-status"))
                    .isEqualTo("0");
            assertThat(StreamClient.value(answer.trailers().orElseThrow(), "grpc-message"))
                    .isEqualTo(stars);
            HeaderList request = asked.getFirst();
            assertThat(StreamClient.value(request, ":method")).isEqualTo("GET");
            assertThat(StreamClient.value(request, ":path")).isEqualTo("/user?a=b");
            assertThat(StreamClient.value(request, ":authority")).isEqualTo(Bed.HOST + ":" + bed.port());
            assertThat(StreamClient.value(request, "authorization")).isEqualTo("Bearer " + Bed.VALUE);
            assertThat(StreamClient.value(request, "x-other")).isEqualTo("kept");
            assertThat(StreamClient.value(request, "accept-encoding")).isEqualTo("identity");
            assertThat(bed.used(1)).hasSize(1);
            assertThat(bed.heads).isEmpty();
        }
    }

    @Test
    void each_place_gets_the_value_and_cookies_are_one_field() throws Exception {
        try (Bed bed = bed(
                        new Gate.Query("k"), new Gate.Header("X-Team"), new Gate.Placeholder("placeholder", "Cookie"));
                var client = new StreamClient(bed)) {
            client.get(
                    "/a?k=mine&b=c", "x_team", "mine", "cookie", "one=1", "cookie", "s=placeholder", "te", "trailers");
            HeaderList request = asked.getFirst();
            assertThat(StreamClient.value(request, ":path")).isEqualTo("/a?b=c&k=v4lue-of-the%2Bsecret%2F42");
            assertThat(StreamClient.value(request, "x-team")).isEqualTo(Bed.VALUE);
            assertThat(StreamClient.values(request, "x_team")).isEmpty();
            assertThat(StreamClient.values(request, "cookie")).containsExactly("one=1; s=" + Bed.VALUE);
            assertThat(StreamClient.value(request, "te")).isEqualTo("trailers");
            assertThat(bed.used(3)).hasSize(3);
            assertThat(client.get("/", "cookie", "s=other").status()).isEqualTo("403");
        }
    }

    @Test
    void many_streams_share_one_connection_on_each_side() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = new CountDownLatch(90);
            bed.streams = (stream, head) -> {
                asked.add(head);
                all.countDown();
                try {
                    assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                answer(stream, StreamClient.value(head, ":path"));
            };
            var answers = new ArrayList<Future<Answer>>();
            for (int i = 0; i < 90; i++) {
                String path = "/" + i;
                answers.add(threads.submit((Callable<Answer>) () -> client.get(path)));
            }
            for (int i = 0; i < 90; i++) {
                assertThat(answers.get(i).get().body()).isEqualTo("/" + i);
            }
            assertThat(bed.arrived).hasSize(1);
            assertThat(bed.used(90)).hasSize(90);
        }
    }

    @Test
    void a_body_goes_up_while_the_answer_comes_down_and_has_trailers() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            bed.streams = (stream, head) -> {
                stream.send(new HeaderBlock().add(":status", "200").add("content-type", "application/grpc"), false);
                byte[] piece = new byte[100];
                for (int count = stream.read(piece); count >= 0; count = stream.read(piece)) {
                    stream.send(piece, count);
                }
                stream.send(new HeaderBlock().add("grpc-status", "0"), true);
            };
            Http2Stream stream = client.connection.open(client.head("POST", "/s.S/Echo"), false);
            assertThat(StreamClient.value(stream.head(), "content-type")).isEqualTo("application/grpc");
            byte[] piece = new byte[100];
            for (String one : List.of("!", "?", "#")) { // none begins a form of the value
                stream.send(Bed.bytes(one), 1);
                assertThat(stream.read(piece)).isEqualTo(1);
                assertThat((char) piece[0]).isEqualTo(one.charAt(0));
            }
            stream.end();
            assertThat(stream.read(piece)).isEqualTo(-1);
            assertThat(StreamClient.value(stream.trailers().orElseThrow(), "grpc-status"))
                    .isEqualTo("0");
        }
    }

    @Test
    void what_does_not_pass_over_http_2_is_refused_by_its_name() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            var ended = new CountDownLatch(1);
            bed.streams = (stream, _) -> {
                byte[] piece = new byte[100];
                for (int count = 0; count >= 0; count = stream.read(piece)) {
                    // up to its end, which does not come
                }
                ended.countDown();
            };
            for (byte[] body : List.of(new byte[3], new byte[0])) { // behind one, and behind none
                Http2Stream stream = client.connection.open(client.head("POST", "/"), false);
                if (body.length > 0) {
                    stream.send(body, body.length);
                }
                stream.send(new HeaderBlock().add("x-checksum", "1"), true);
                Answer answer = StreamClient.answer(stream);
                assertThat(answer.status()).isEqualTo("501");
                assertThat(answer.body()).contains("(trailers) do not pass a gate");
            }
            assertThat(ended.getCount()).isEqualTo(1);
            Answer webSocket = StreamClient.answer(
                    client.connection.open(client.head("CONNECT", "/").add(":protocol", "websocket"), false));
            assertThat(webSocket.status()).isEqualTo("501");
            assertThat(webSocket.body()).contains("begin it on a connection of HTTP/1.1");
            assertThat(bed.refused(3)).hasSize(3);
        }
    }

    @Test
    void bodies_that_are_larger_than_all_windows_arrive_unchanged() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            bed.streams = (stream, head) -> answer(stream, StreamClient.all(stream));
            var answers = new ArrayList<Future<Answer>>();
            var sent = new ArrayList<byte[]>();
            for (int i = 0; i < 4; i++) {
                byte[] body = new byte[3_000_000 + i];
                new Random(i).nextBytes(body);
                sent.add(body);
                answers.add(threads.submit((Callable<Answer>)
                        () -> client.post("/", body, "content-length", String.valueOf(body.length))));
            }
            for (int i = 0; i < 4; i++) {
                assertThat(answers.get(i).get().body().equals(new String(sent.get(i), StandardCharsets.ISO_8859_1)))
                        .isTrue();
            }
        }
    }

    @Test
    void a_stream_that_is_refused_leaves_the_others() throws Exception {
        try (Bed bed = prepared(Bed.kinds(directory, List.of((UnaryOperator<Gate>) gate -> gate.paths("/v1/*"))));
                var client = new StreamClient(bed)) {
            Answer refused = client.get("/admin");
            assertThat(refused.status()).isEqualTo("403");
            assertThat(refused.body()).startsWith("caisson gate: the gate does not take GET /admin");
            assertThat(client.get("/v1/%2e%2e/admin").status()).isEqualTo("403");
            assertThat(client.get("/v1/x", "x-http-method-override", "DELETE").status())
                    .isEqualTo("403");
            Http2Stream other = client.connection.open(
                    new HeaderBlock()
                            .add(":method", "GET")
                            .add(":scheme", "https")
                            .add(":authority", "other.example:" + bed.port())
                            .add(":path", "/v1/x"),
                    true);
            assertThat(StreamClient.answer(other).status()).isEqualTo("421");
            Answer refusedHead = StreamClient.answer(client.connection.open(client.head("HEAD", "/admin"), true));
            assertThat(refusedHead.status()).isEqualTo("403");
            assertThat(refusedHead.body()).isEmpty();
            assertThat(client.get("/v1/x").body()).isEqualTo("fine");
            assertThat(asked).hasSize(1);
            assertThat(bed.refused(5)).hasSize(5);
            assertThat(bed.used(1)).hasSize(1);
        }
    }

    @Test
    void methods_that_do_not_pass_and_heads_that_are_too_large_are_told_so() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            for (String method : List.of("CONNECT", "TRACE", "track")) {
                assertThat(StreamClient.answer(client.connection.open(client.head(method, "/"), true))
                                .status())
                        .isEqualTo("501");
            }
            HeaderBlock many = client.head("GET", "/");
            for (int i = 0; i < 120; i++) {
                many.add("x-" + i, "y");
            }
            assertThat(StreamClient.answer(client.connection.open(many, true)).status())
                    .isEqualTo("431");
            assertThat(client.get("/", "x", "y".repeat(20_000)).status()).isEqualTo("431");
            assertThat(client.get("/" + "y".repeat(20_000)).status()).isEqualTo("431");
            HeaderBlock large = client.head("GET", "/");
            for (int i = 0; i < 9; i++) {
                large.add("x-" + i, "y".repeat(10_000));
            }
            assertThat(StreamClient.answer(client.connection.open(large, true)).status())
                    .isEqualTo("431");
            assertThat(client.get("/").body()).isEqualTo("fine");
            assertThat(asked).hasSize(1);
        }
    }

    @Test
    void the_gate_speaks_what_the_server_speaks() throws Exception {
        try (Bed bed = bed()) {
            assertThat(bed.greet(Bed.HOST, "h2", "http/1.1").getApplicationProtocol())
                    .isEqualTo("h2");
            assertThat(bed.greet(Bed.HOST, "http/1.1").getApplicationProtocol()).isEqualTo("http/1.1");
            assertThat(bed.get("/")).startsWith("HTTP/1.1 200 OK");
            bed.speaks = List.of("http/1.1");
            assertThat(bed.greet(Bed.HOST, "h2", "http/1.1").getApplicationProtocol())
                    .isEqualTo("http/1.1");
            assertThatThrownBy(() -> bed.greet(Bed.HOST, "h2")).isInstanceOf(SSLException.class);
            assertThat(bed.refused(1).getLast()).contains("does not speak h2, which the program does");
            bed.speaks = List.of("h2");
            assertThat(bed.get("/")).startsWith("HTTP/1.1 502").contains("does not speak http/1.1");
        }
    }

    @Test
    void a_server_that_was_chosen_by_the_greeting_gets_the_first_request() throws Exception {
        try (Bed bed = bed()) {
            bed.speaks = List.of("http/1.1");
            try (SSLSocket client = bed.greet(Bed.HOST, "h2", "http/1.1")) {
                client.getOutputStream().write(Bed.bytes(bed.request("/") + "Connection: close\r\n\r\n"));
                client.getOutputStream().flush();
                assertThat(Bed.all(client.getInputStream())).startsWith("HTTP/1.1 200 OK");
            }
            assertThat(bed.arrived).hasSize(1);
        }
    }

    @Test
    void a_server_that_is_not_reached_or_not_trusted_is_a_status_of_each_request() throws Exception {
        for (Bed one : List.of(
                prepared(Bed.elsewhere(directory, Bed.HOST, "other.example")),
                prepared(Bed.of(directory, new Gate.Bearer())))) {
            try (one;
                    SSLSocket greeted = one.greet(Bed.HOST, "h2")) {
                assertThat(greeted.getApplicationProtocol()).isEqualTo("h2");
            }
        }
        try (Bed bed = prepared(Bed.elsewhere(directory, Bed.HOST, "other.example"))) {
            assertThat(bed.get("/")).startsWith("HTTP/1.1 502").contains("is not trusted");
            assertThat(asked).isEmpty();
            assertThat(bed.uses).isEmpty();
        }
    }

    private static Http2Error error(Throwable thrown) {
        return Http2Error.ofStream((IOException) thrown).orElseThrow();
    }

    @Test
    void what_the_server_says_of_a_stream_goes_on() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            for (ErrorCode code : List.of(
                    ErrorCode.REFUSED_STREAM,
                    ErrorCode.CANCEL,
                    ErrorCode.HTTP_1_1_REQUIRED,
                    ErrorCode.INTERNAL_ERROR)) {
                bed.streams = (stream, _) -> stream.reset(code);
                assertThatThrownBy(() -> client.get("/"))
                        .satisfies(e -> assertThat(error(e).code()).isEqualTo(code));
            }
            bed.streams = (stream, _) -> answer(stream, "fine");
            assertThat(client.get("/").body()).isEqualTo("fine");
            assertThat(bed.arrived).hasSize(1);
        }
    }

    @Test
    void a_server_that_ends_its_connection_gets_another_one() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            assertThat(client.get("/").body()).isEqualTo("fine");
            for (Socket socket : bed.arrived) {
                socket.close();
            }
            assertThat(eventually(client)).isEqualTo("fine");
            assertThat(bed.arrived).hasSize(2);
        }
    }

    @Test
    void a_request_that_the_program_gives_up_is_given_up_at_the_server_too() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            for (boolean whole : List.of(true, false)) {
                var came = new CountDownLatch(1);
                var ended = new CountDownLatch(1);
                bed.streams = (stream, _) -> {
                    stream.whenFailed(_ -> ended.countDown());
                    came.countDown();
                    try {
                        ended.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                };
                Http2Stream stream = client.connection.open(client.head("POST", "/"), whole);
                assertThat(came.await(10, TimeUnit.SECONDS)).isTrue();
                assertThat(ended.await(200, TimeUnit.MILLISECONDS)).isFalse();
                stream.reset(ErrorCode.CANCEL);
                assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
            }
            bed.streams = (stream, _) -> answer(stream, "fine");
            assertThat(client.get("/").body()).isEqualTo("fine");
            assertThat(bed.refusals).isEmpty();
            assertThat(bed.arrived).hasSize(1);
        }
    }

    @Test
    void a_connection_on_which_the_server_takes_no_more_is_closed_when_its_answers_are_there() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            assertThat(client.get("/").body()).isEqualTo("fine");
            bed.served.getFirst().drain();
            assertThat(eventually(client)).isEqualTo("fine");
            assertThat(bed.arrived).hasSize(2);
            long until = System.nanoTime() + 10_000_000_000L;
            while (!bed.arrived.getFirst().isClosed() && System.nanoTime() - until < 0) {
                Thread.sleep(10);
            }
            assertThat(bed.arrived.getFirst().isClosed()).isTrue();
            assertThat(bed.arrived.getLast().isClosed()).isFalse();
        }
    }

    @Test
    void requests_that_wait_for_a_server_together_are_told_together_that_it_does_not_answer() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            client.get("/");
            bed.silent = true;
            for (Socket socket : bed.arrived) {
                socket.close();
            }
            Thread.sleep(200); // the gate has seen it
            long begun = System.nanoTime();
            var answers = new ArrayList<Future<Answer>>();
            for (int i = 0; i < 6; i++) {
                answers.add(threads.submit((Callable<Answer>) () -> client.get("/")));
            }
            for (Future<Answer> answer : answers) {
                assertThat(answer.get().status()).isEqualTo("502");
            }
            assertThat(System.nanoTime() - begun).isLessThan(20_000_000_000L); // one attempt takes five seconds
        }
    }

    private static String eventually(StreamClient client) throws Exception {
        for (int i = 0; i < 100; i++) {
            Answer answer = client.get("/");
            if (answer.status().equals("200")) {
                return answer.body();
            }
            Thread.sleep(20);
        }
        return "never";
    }

    @Test
    void bodies_and_messages_that_cannot_be_looked_into_are_refused() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            for (String field : List.of("content-encoding", "grpc-encoding", "connect-content-encoding")) {
                bed.streams = (stream, head) -> {
                    asked.add(head);
                    answer(stream, "abcd", field, "gzip");
                };
                Answer answer = client.get("/", "grpc-accept-encoding", "gzip", "accept-encoding", "gzip");
                assertThat(answer.status()).isEqualTo("502");
                assertThat(answer.body()).contains("the encoding 'gzip'");
                assertThat(StreamClient.value(asked.getLast(), "grpc-accept-encoding"))
                        .isEmpty();
                assertThat(StreamClient.value(asked.getLast(), "accept-encoding"))
                        .isEqualTo("identity");
            }
        }
    }

    @Test
    void answers_that_are_malformed_do_not_reach_the_program() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            for (List<String> fields : List.of(
                    List.of(":status", "200", "X-Upper", "a"),
                    List.of(":status", "200", "x", "a\r\nset-cookie: b"),
                    List.of(":status", "200", "transfer-encoding", "chunked"),
                    List.of(":status", "200", "connection", "close"),
                    List.of(":status", "200", ":status", "201"),
                    List.of(":status", "200", "content-length", "2", "content-length", "3"),
                    List.of(":status", "2000"),
                    List.of(":status", "101"))) {
                bed.streams = (stream, _) -> {
                    var head = new HeaderBlock();
                    for (int i = 0; i < fields.size(); i += 2) {
                        head.add(fields.get(i), fields.get(i + 1));
                    }
                    stream.send(head, true);
                };
                assertThat(client.get("/").status()).as(fields.toString()).isEqualTo("502");
            }
            bed.streams = (stream, _) -> answer(stream, "four", "content-length", "5");
            assertThatThrownBy(() -> client.get("/"))
                    .satisfies(e -> assertThat(error(e).code()).isEqualTo(ErrorCode.INTERNAL_ERROR));
            bed.streams = (stream, _) -> answer(stream, "four", "content-length", "3");
            assertThatThrownBy(() -> client.get("/"))
                    .satisfies(e -> assertThat(error(e).code()).isEqualTo(ErrorCode.INTERNAL_ERROR));
            bed.streams = (stream, _) -> answer(stream, "fine", "content-length", "4");
            assertThat(client.get("/").body()).isEqualTo("fine");
        }
    }

    @Test
    void an_answer_to_head_has_a_length_and_no_body() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            bed.streams = (stream, _) ->
                    stream.send(new HeaderBlock().add(":status", "200").add("content-length", "9"), true);
            Answer answer = StreamClient.answer(client.connection.open(client.head("HEAD", "/"), true));
            assertThat(StreamClient.value(answer.head(), "content-length")).isEqualTo("9");
            assertThat(answer.body()).isEmpty();
        }
    }

    @Test
    void a_changed_value_is_in_the_next_request_of_an_open_connection() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            client.get("/");
            bed.replace("another-value");
            client.get("/");
            assertThat(StreamClient.value(asked.get(0), "authorization")).isEqualTo("Bearer " + Bed.VALUE);
            assertThat(StreamClient.value(asked.get(1), "authorization")).isEqualTo("Bearer another-value");
        }
    }

    @Test
    void a_host_that_was_taken_off_the_list_is_reached_no_more() throws Exception {
        try (Bed bed = bed();
                var client = new StreamClient(bed)) {
            client.get("/");
            bed.allowed = false;
            assertThat(client.get("/").status()).isEqualTo("403");
            assertThat(asked).hasSize(1);
        }
    }

    @Test
    void a_container_has_a_bounded_number_of_connections_with_many_streams() throws Exception {
        try (Bed bed = bed()) {
            var open = new ArrayList<StreamClient>();
            try {
                for (int i = 0; i < Guest.MOST_MULTIPLEXED; i++) {
                    open.add(new StreamClient(bed));
                }
                try (SSLSocket more = bed.greet(Bed.HOST, "h2", "http/1.1")) {
                    assertThat(more.getApplicationProtocol()).isEqualTo("http/1.1");
                }
                assertThatThrownBy(() -> bed.greet(Bed.HOST, "h2")).isInstanceOf(SSLException.class);
            } finally {
                for (StreamClient one : open) {
                    one.close();
                }
            }
        }
    }
}
