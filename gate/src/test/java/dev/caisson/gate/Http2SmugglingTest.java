package dev.caisson.gate;

import static dev.caisson.gate.RawFrames.DATA;
import static dev.caisson.gate.RawFrames.END_HEADERS;
import static dev.caisson.gate.RawFrames.END_STREAM;
import static dev.caisson.gate.RawFrames.HEADERS;
import static dev.caisson.gate.RawFrames.RST_STREAM;
import static dev.caisson.gate.RawFrames.WHOLE;
import static dev.caisson.gate.RawFrames.block;
import static dev.caisson.gate.RawFrames.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.gate.http2.ErrorCode;
import dev.caisson.gate.http2.HeaderBlock;
import dev.caisson.spec.Gate;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Requests of HTTP/2 that would be two, or for another server, if they were written in HTTP/1.1: each ends its stream
/// with PROTOCOL_ERROR, and nothing of it reaches the server.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class Http2SmugglingTest {
    @TempDir
    private Path directory;

    private final AtomicInteger reached = new AtomicInteger();

    private Bed bed() throws Exception {
        Bed bed = Bed.of(directory, new Gate.Bearer());
        bed.speaks = List.of("h2");
        bed.streams = (stream, _) -> {
            reached.incrementAndGet();
            stream.send(new HeaderBlock().add(":status", "204"), true);
        };
        return bed;
    }

    @SuppressWarnings("ArrayRecordComponent") // none is compared
    private record Malformed(String name, byte[] head) {}

    private static List<Malformed> malformed(Bed bed) {
        String host = Bed.HOST + ":" + bed.port();
        return List.of(
                new Malformed("a field behind a line end in a value", request(bed, "GET", "x", "a\r\nhost: b")),
                new Malformed("a request behind one in a value", request(bed, "GET", "x", "a\r\n\r\nGET /s HTTP/1.1")),
                new Malformed("a NUL in a value", request(bed, "GET", "x", "a\0b")),
                new Malformed("a blank before a value", request(bed, "GET", "x", " a")),
                new Malformed("a line end in a name", request(bed, "GET", "x\r\ny", "a")),
                new Malformed("a colon in a name", request(bed, "GET", "x:y", "a")),
                new Malformed("a name without letters", request(bed, "GET", "", "a")),
                new Malformed("a capital letter in a name", request(bed, "GET", "X-A", "a")),
                new Malformed("an encoding of transfers", request(bed, "POST", "transfer-encoding", "chunked")),
                new Malformed("a connection", request(bed, "GET", "connection", "x-a")),
                new Malformed("an upgrade", request(bed, "GET", "upgrade", "h2c")),
                new Malformed("a proxy's connection", request(bed, "GET", "proxy-connection", "close")),
                new Malformed("trailers that are not all of te", request(bed, "GET", "te", "trailers, gzip")),
                new Malformed("another host beside the authority", request(bed, "GET", "host", "other.example")),
                new Malformed("two methods", request(bed, "GET", ":method", "POST")),
                new Malformed(
                        "two paths",
                        block(":method", "GET", ":path", "/", ":path", "/s", ":scheme", "https", ":authority", host)),
                new Malformed(
                        "a pseudo field behind others",
                        block(":method", "GET", ":scheme", "https", ":authority", host, "x", "y", ":path", "/")),
                new Malformed("an unknown pseudo field", request(bed, "GET", ":protocol", "websocket")),
                new Malformed("a status", request(bed, "GET", ":status", "200")),
                new Malformed("no path", block(":method", "GET", ":scheme", "https", ":authority", host)),
                new Malformed("no authority", block(":method", "GET", ":scheme", "https", ":path", "/", "host", host)),
                new Malformed(
                        "another scheme", block(":method", "GET", ":scheme", "http", ":authority", host, ":path", "/")),
                new Malformed(
                        "a path that is an address",
                        block(
                                ":method",
                                "GET",
                                ":scheme",
                                "https",
                                ":authority",
                                host,
                                ":path",
                                "https://other.example/")),
                new Malformed(
                        "a request in a path",
                        block(
                                ":method",
                                "GET",
                                ":scheme",
                                "https",
                                ":authority",
                                host,
                                ":path",
                                "/ HTTP/1.1\r\nhost: o")),
                new Malformed(
                        "a request in a method",
                        block(":method", "GET /s HTTP/1.1\r\n", ":scheme", "https", ":authority", host, ":path", "/")));
    }

    @TestFactory
    Stream<DynamicTest> a_malformed_request_ends_its_stream_and_goes_nowhere() throws Exception {
        Bed bed = bed();
        return Stream.concat(
                malformed(bed).stream()
                        .map(one -> DynamicTest.dynamicTest(one.name(), () -> {
                            try (var client = new RawFrames(bed)) {
                                client.frame(HEADERS, WHOLE, 1, one.head()).send();
                                RawFrames.Frame reset = client.until(RST_STREAM).orElseThrow();
                                assertThat(reset.code()).isEqualTo(ErrorCode.PROTOCOL_ERROR.number());
                                client.frame(HEADERS, WHOLE, 3, request(bed, "GET"))
                                        .send();
                                assertThat(client.until(HEADERS).orElseThrow().stream())
                                        .isEqualTo(3);
                                assertThat(reached.getAndSet(0)).isEqualTo(1);
                            }
                        })),
                Stream.of(DynamicTest.dynamicTest("all are noted", () -> {
                    assertThat(bed.refused(malformed(bed).size()))
                            .hasSize(malformed(bed).size());
                    bed.close();
                })));
    }

    @Test
    void a_length_that_lies_ends_the_stream_before_the_server_has_the_body() throws Exception {
        var ended = new AtomicInteger();
        var got = new AtomicLong();
        try (Bed bed = bed()) {
            bed.streams = (stream, _) -> {
                byte[] piece = new byte[100];
                try {
                    for (int count = stream.read(piece); count >= 0; count = stream.read(piece)) {
                        got.addAndGet(count);
                    }
                    ended.incrementAndGet();
                } finally {
                    reached.incrementAndGet();
                }
            };
            for (List<byte[]> parts : List.of(
                    List.of("GET /smuggled HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII)), // longer
                    List.of(new byte[4], new byte[2]), // longer with its second part
                    List.of(new byte[4]))) { // shorter
                try (var client = new RawFrames(bed)) {
                    client.frame(HEADERS, END_HEADERS, 1, request(bed, "POST", "content-length", "5"));
                    for (int i = 0; i < parts.size(); i++) {
                        client.frame(DATA, i == parts.size() - 1 ? END_STREAM : 0, 1, parts.get(i));
                    }
                    client.send();
                    assertThat(client.until(RST_STREAM).orElseThrow().code())
                            .isEqualTo(ErrorCode.PROTOCOL_ERROR.number());
                }
            }
            try (var client = new RawFrames(bed)) { // without a body
                client.frame(HEADERS, WHOLE, 1, request(bed, "POST", "content-length", "5"))
                        .send();
                assertThat(client.until(RST_STREAM).orElseThrow().code()).isEqualTo(ErrorCode.PROTOCOL_ERROR.number());
            }
            assertThat(ended).hasValue(0);
            assertThat(got.get()).isLessThanOrEqualTo(4 + 4);
        }
    }
}
