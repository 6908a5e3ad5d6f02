package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.gate.http2.HeaderBlock;
import dev.caisson.spec.Gate;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Servers that give a value back in every place of an answer: the program gets none of it, and no note has it.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class GateEchoTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

    @TempDir
    private Path directory;

    private record Echo(String place, String answer) {}

    private static Stream<Echo> echoes() {
        String v = Bed.VALUE;
        String body = "Content-Length: " + v.length() + "\r\n\r\n" + v;
        Stream<Echo> encoded = Stream.of("br", "zstd", "deflate", "compress", "gzip", "x-gzip", "identity, br", "BR", v)
                .map(coding -> new Echo(
                        "a body in the encoding " + coding,
                        "HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + "\r\n" + body));
        return Stream.concat(
                encoded,
                Stream.of(
                        new Echo("the reason", "HTTP/1.1 200 " + v + "\r\n" + body),
                        new Echo(
                                "a 1xx",
                                "HTTP/1.1 103 " + v + "\r\nLink: <" + v + ">\r\nX-" + v.replace('/', '-') + ": " + v
                                        + "\r\n\r\n" + OK),
                        new Echo("many 1xx", ("HTTP/1.1 103 Hints\r\nLink: <" + v + ">\r\n\r\n").repeat(9) + OK),
                        new Echo("another protocol", "HTTP/1.1 101 " + v + "\r\nUpgrade: " + v + "\r\n\r\n"),
                        new Echo("a malformed line", "HTTP/9 " + v + "\r\n\r\n"),
                        new Echo("a field without a colon", "HTTP/1.1 200 OK\r\n" + v + "\r\n\r\n"),
                        new Echo("a length", "HTTP/1.1 200 OK\r\nContent-Length: " + v + "\r\n\r\n" + v),
                        new Echo(
                                "an encoding of the transfer",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + v + "\r\n\r\n" + v),
                        new Echo(
                                "a size of a chunk",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + v + "\r\n"),
                        new Echo(
                                "an extension of a chunk",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=" + v + "\r\na\r\n0\r\n\r\n"),
                        new Echo(
                                "a trailer",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\nX-T: " + v
                                        + "\r\n\r\n"),
                        new Echo("what follows an answer", OK + v)));
    }

    @TestFactory
    Stream<DynamicTest> nothing_of_a_value_is_in_an_answer_or_a_note() {
        return echoes().map(echo -> DynamicTest.dynamicTest(echo.place(), () -> {
            try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
                bed.reply = Bed.Reply.of(echo.answer());
                String answer = bed.get("/", "Accept-Encoding: br, zstd, deflate");
                assertThat(answer).startsWith("HTTP/1.1 ").doesNotContainIgnoringCase(Bed.VALUE);
                assertThat(bed.heads).isNotEmpty().allMatch(head -> head.contains(Bed.VALUE));
                assertThat(bed.refusals).noneMatch(refusal -> refusal.contains(Bed.VALUE));
            }
        }));
    }

    @Test
    void a_stream_has_nothing_of_it_in_data_of_a_byte_each_in_trailers_and_in_encodings() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            bed.speaks = List.of("h2");
            try (var client = new StreamClient(bed)) {
                bed.streams = (stream, _) -> {
                    stream.send(new HeaderBlock().add(":status", "200").add("x-echo", Bed.VALUE), false);
                    for (byte one : ("<" + Bed.VALUE + ">").getBytes(StandardCharsets.US_ASCII)) {
                        stream.send(new byte[] {one}, 1);
                    }
                    stream.send(new HeaderBlock().add("x-trailer", Bed.VALUE), true);
                };
                var stream = client.connection.open(client.head("GET", "/"), true);
                assertThat(StreamClient.value(stream.head(), "x-echo")).matches("[*]+");
                var body = new StringBuilder();
                byte[] piece = new byte[100];
                for (int count = stream.read(piece); count >= 0; count = stream.read(piece)) {
                    body.append(new String(piece, 0, count, StandardCharsets.US_ASCII));
                }
                assertThat(body.toString()).isEqualTo("<" + "*".repeat(Bed.VALUE.length()) + ">");
                assertThat(StreamClient.value(stream.trailers().orElseThrow(), "x-trailer"))
                        .matches("[*]+");
                for (String field : List.of("content-encoding", "grpc-encoding")) {
                    bed.streams = (other, _) -> {
                        other.send(new HeaderBlock().add(":status", "200").add(field, Bed.VALUE), false);
                        other.send(Bed.bytes(Bed.VALUE), Bed.VALUE.length());
                        other.end();
                    };
                    StreamClient.Answer answer = client.get("/");
                    assertThat(answer.status()).isEqualTo("502");
                    assertThat(answer.body())
                            .contains("which a gate cannot look into")
                            .doesNotContain(Bed.VALUE);
                }
                assertThat(bed.refusals).hasSize(2).noneMatch(refusal -> refusal.contains(Bed.VALUE));
            }
        }
    }
}
