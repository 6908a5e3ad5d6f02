package dev.caisson.gate;

import static dev.caisson.gate.RawFrames.CONTINUATION;
import static dev.caisson.gate.RawFrames.DATA;
import static dev.caisson.gate.RawFrames.END_HEADERS;
import static dev.caisson.gate.RawFrames.GOAWAY;
import static dev.caisson.gate.RawFrames.HEADERS;
import static dev.caisson.gate.RawFrames.PING;
import static dev.caisson.gate.RawFrames.PRIORITY;
import static dev.caisson.gate.RawFrames.PUSH_PROMISE;
import static dev.caisson.gate.RawFrames.RST_STREAM;
import static dev.caisson.gate.RawFrames.SETTINGS;
import static dev.caisson.gate.RawFrames.WHOLE;
import static dev.caisson.gate.RawFrames.WINDOW_UPDATE;
import static dev.caisson.gate.RawFrames.block;
import static dev.caisson.gate.RawFrames.request;
import static dev.caisson.gate.RawFrames.word;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.gate.http2.ErrorCode;
import dev.caisson.gate.http2.HeaderBlock;
import dev.caisson.gate.http2.Http2Stream;
import dev.caisson.spec.Gate;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Attacks on HTTP/2 that cost a gate memory or time. Each ends its connection with the code of RFC 9113, and nothing
/// hangs.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class Http2AttackTest {
    private static final int FLOOD = 40_000;
    private static final long MOST_NANOS = 20_000_000_000L;

    @TempDir
    private Path directory;

    private final AtomicInteger reached = new AtomicInteger();

    private Bed bed(boolean patient) throws Exception {
        Bed bed = patient ? Bed.of(directory, new Gate.Bearer()) : Bed.impatient(directory);
        bed.speaks = List.of("h2");
        bed.streams = (stream, _) -> {
            reached.incrementAndGet();
            stream.send(new HeaderBlock().add(":status", "204"), true);
        };
        return bed;
    }

    /// @param frames that are sent behind the settings
    private record Attack(String name, ErrorCode code, Frames frames) {
        interface Frames {
            void to(RawFrames client, Bed bed);
        }
    }

    private static final List<Attack> WRONG = List.of(
            new Attack("data for no stream", ErrorCode.PROTOCOL_ERROR, (to, _) -> to.frame(DATA, 0, 0, new byte[1])),
            new Attack(
                    "data for a stream that is not open",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, _) -> to.frame(DATA, 0, 1, new byte[1])),
            new Attack(
                    "a request for no stream",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, bed) -> to.frame(HEADERS, WHOLE, 0, request(bed, "GET"))),
            new Attack(
                    "a request of a server",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, bed) -> to.frame(HEADERS, WHOLE, 2, request(bed, "GET"))),
            new Attack(
                    "a stream that is opened again",
                    ErrorCode.STREAM_CLOSED,
                    (to, bed) -> to.frame(HEADERS, WHOLE, 5, request(bed, "GET"))
                            .frame(HEADERS, WHOLE, 3, request(bed, "GET"))),
            new Attack(
                    "a promise",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, bed) -> to.frame(HEADERS, END_HEADERS, 1, request(bed, "GET"))
                            .frame(PUSH_PROMISE, END_HEADERS, 1, word(2))),
            new Attack(
                    "a frame that is too long",
                    ErrorCode.FRAME_SIZE_ERROR,
                    (to, bed) -> to.frame(HEADERS, END_HEADERS, 1, request(bed, "GET"))
                            .frame(DATA, 0, 1, new byte[16_385])),
            new Attack(
                    "a frame that says to be endless",
                    ErrorCode.FRAME_SIZE_ERROR,
                    (to, _) -> to.frame(0x77, 0, 0, new byte[10], 0xffffff)),
            new Attack(
                    "padding of more than there is",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, bed) -> to.frame(HEADERS, END_HEADERS, 1, request(bed, "GET"))
                            .frame(DATA, 8, 1, (byte) 9, (byte) 0)),
            new Attack(
                    "a head that is shorter than its priority",
                    ErrorCode.FRAME_SIZE_ERROR,
                    (to, _) -> to.frame(HEADERS, WHOLE | 0x20, 1, new byte[4])),
            new Attack(
                    "a block that another frame interrupts",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, bed) -> to.frame(HEADERS, 0, 1, request(bed, "GET")).frame(PING, 0, 0, new byte[8])),
            new Attack(
                    "a block that another stream continues",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, bed) -> to.frame(HEADERS, 0, 1, request(bed, "GET")).frame(CONTINUATION, 4, 3, new byte[0])),
            new Attack(
                    "a continuation of nothing",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, _) -> to.frame(CONTINUATION, END_HEADERS, 1, new byte[0])),
            new Attack(
                    "a block that cannot be decoded",
                    ErrorCode.COMPRESSION_ERROR,
                    (to, _) -> to.frame(
                            HEADERS, WHOLE, 1, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff)),
            new Attack(
                    "a window of the connection that grows by nothing",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, _) -> to.frame(WINDOW_UPDATE, 0, 0, word(0))),
            new Attack(
                    "a window of the connection that overflows",
                    ErrorCode.FLOW_CONTROL_ERROR,
                    (to, _) -> to.frame(WINDOW_UPDATE, 0, 0, word(0x7fffffff))),
            new Attack(
                    "a window of a stream that nobody opened",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, _) -> to.frame(WINDOW_UPDATE, 0, 7, word(1))),
            new Attack(
                    "a first window that is too large",
                    ErrorCode.FLOW_CONTROL_ERROR,
                    (to, _) -> to.frame(SETTINGS, 0, 0, setting(4, 0x80000000L))),
            new Attack(
                    "a length of frames that is too small",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, _) -> to.frame(SETTINGS, 0, 0, setting(5, 100))),
            new Attack(
                    "a push that is neither on nor off",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, _) -> to.frame(SETTINGS, 0, 0, setting(2, 2))),
            new Attack(
                    "settings of a wrong length",
                    ErrorCode.FRAME_SIZE_ERROR,
                    (to, _) -> to.frame(SETTINGS, 0, 0, new byte[5])),
            new Attack("settings of a stream", ErrorCode.PROTOCOL_ERROR, (to, _) -> to.frame(SETTINGS, 0, 1)),
            new Attack(
                    "settings that are taken and changed",
                    ErrorCode.FRAME_SIZE_ERROR,
                    (to, _) -> to.frame(SETTINGS, 1, 0, new byte[6])),
            new Attack(
                    "a ping of a wrong length",
                    ErrorCode.FRAME_SIZE_ERROR,
                    (to, _) -> to.frame(PING, 0, 0, new byte[7])),
            new Attack(
                    "a reset of a stream that nobody opened",
                    ErrorCode.PROTOCOL_ERROR,
                    (to, _) -> to.frame(RST_STREAM, 0, 9, word(8))),
            new Attack(
                    "a farewell that is too short",
                    ErrorCode.FRAME_SIZE_ERROR,
                    (to, _) -> to.frame(GOAWAY, 0, 0, new byte[7])));

    private static byte[] setting(int name, long value) {
        byte[] setting = new byte[6];
        setting[1] = (byte) name;
        System.arraycopy(word(value), 0, setting, 2, 4);
        return setting;
    }

    @TestFactory
    Stream<DynamicTest> what_no_client_sends_ends_the_connection_with_its_code() throws Exception {
        Bed bed = bed(true);
        return WRONG.stream()
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> {
                    try (var client = new RawFrames(bed)) {
                        one.frames().to(client, bed);
                        client.attack();
                        assertThat(client.ended()).isEqualTo(one.code().number());
                    }
                }))
                .onClose(bed::close);
    }

    private static final List<Attack> FLOODS = List.of(
            new Attack("CVE-2019-9512, pings", ErrorCode.ENHANCE_YOUR_CALM, (to, _) -> {
                for (int i = 0; i < FLOOD; i++) {
                    to.frame(PING, 0, 0, new byte[8]);
                }
            }),
            new Attack("CVE-2019-9515, settings", ErrorCode.ENHANCE_YOUR_CALM, (to, _) -> {
                for (int i = 0; i < FLOOD; i++) {
                    to.frame(SETTINGS, 0, 0);
                }
            }),
            new Attack(
                    "settings without end in one frame",
                    ErrorCode.ENHANCE_YOUR_CALM,
                    (to, _) -> to.frame(SETTINGS, 0, 0, new byte[6 * 2000])),
            new Attack("CVE-2019-9513, priorities", ErrorCode.ENHANCE_YOUR_CALM, (to, _) -> {
                for (int i = 0; i < FLOOD; i++) {
                    to.frame(PRIORITY, 0, 1 + 2 * i, new byte[5]);
                }
            }),
            new Attack("CVE-2019-9518, empty data", ErrorCode.ENHANCE_YOUR_CALM, (to, bed) -> {
                to.frame(HEADERS, END_HEADERS, 1, request(bed, "POST"));
                for (int i = 0; i < FLOOD; i++) {
                    to.frame(DATA, 0, 1);
                }
            }),
            new Attack("data of padding alone", ErrorCode.ENHANCE_YOUR_CALM, (to, bed) -> {
                to.frame(HEADERS, END_HEADERS, 1, request(bed, "POST"));
                for (int i = 0; i < FLOOD; i++) {
                    to.frame(DATA, 8, 1, (byte) 0);
                }
            }),
            new Attack("CVE-2023-44487, requests that are reset", ErrorCode.ENHANCE_YOUR_CALM, (to, bed) -> {
                for (int i = 0; i < FLOOD / 10; i++) {
                    to.frame(HEADERS, WHOLE, 1 + 2 * i, request(bed, "GET")).frame(RST_STREAM, 0, 1 + 2 * i, word(8));
                }
            }),
            new Attack("CVE-2019-9514, requests that are malformed", ErrorCode.ENHANCE_YOUR_CALM, (to, bed) -> {
                for (int i = 0; i < FLOOD / 10; i++) {
                    to.frame(HEADERS, END_HEADERS, 1 + 2 * i, request(bed, "GET"))
                            .frame(HEADERS, END_HEADERS, 1 + 2 * i, block("x", "y"));
                }
            }),
            new Attack("CVE-2025-8671, requests that are made to be reset", ErrorCode.ENHANCE_YOUR_CALM, (to, bed) -> {
                for (int i = 0; i < FLOOD / 10; i++) {
                    to.frame(HEADERS, END_HEADERS, 1 + 2 * i, request(bed, "POST"))
                            .frame(WINDOW_UPDATE, 0, 1 + 2 * i, word(0));
                }
            }),
            new Attack("windows that grow by little", ErrorCode.ENHANCE_YOUR_CALM, (to, _) -> {
                for (int i = 0; i < FLOOD; i++) {
                    to.frame(WINDOW_UPDATE, 0, 0, word(1));
                }
            }),
            new Attack("frames of an unknown kind", ErrorCode.ENHANCE_YOUR_CALM, (to, _) -> {
                for (int i = 0; i < FLOOD; i++) {
                    to.frame(0x42, 0, 0);
                }
            }),
            new Attack("CVE-2024-27316, continuations", ErrorCode.ENHANCE_YOUR_CALM, (to, bed) -> {
                to.frame(HEADERS, 0, 1, request(bed, "GET"));
                byte[] field = block("x", "y".repeat(16_000));
                for (int i = 0; i < 40; i++) {
                    to.frame(CONTINUATION, 0, 1, field);
                }
            }),
            new Attack("continuations of nothing", ErrorCode.ENHANCE_YOUR_CALM, (to, bed) -> {
                to.frame(HEADERS, 0, 1, request(bed, "GET"));
                for (int i = 0; i < FLOOD; i++) {
                    to.frame(CONTINUATION, 0, 1);
                }
            }));

    @TestFactory
    Stream<DynamicTest> a_flood_ends_the_connection_soon() throws Exception {
        Bed bed = bed(true);
        return FLOODS.stream()
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> {
                    try (var client = new RawFrames(bed)) {
                        one.frames().to(client, bed);
                        long begun = System.nanoTime();
                        Thread attack = Thread.ofVirtual().start(client::attack);
                        int code = client.ended();
                        assertThat(code).isEqualTo(one.code().number());
                        assertThat(System.nanoTime() - begun).isLessThan(MOST_NANOS);
                        attack.join();
                        assertThat(reached.getAndSet(0)).isLessThanOrEqualTo(300); // of requests, where there are some
                    }
                    assertThat(new StreamClient(bed).get("/").status()).isEqualTo("204"); // others are served
                    reached.set(0);
                }))
                .onClose(bed::close);
    }

    @Test
    void a_hundred_streams_at_a_time_are_served_and_the_next_one_may_come_again() throws Exception {
        var free = new CountDownLatch(1);
        try (Bed bed = bed(true);
                var client = new RawFrames(bed)) {
            bed.streams = (stream, _) -> {
                try {
                    free.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                stream.send(new HeaderBlock().add(":status", "204"), true);
            };
            for (int i = 0; i < 101; i++) {
                client.frame(HEADERS, WHOLE, 1 + 2 * i, request(bed, "GET"));
            }
            client.send();
            RawFrames.Frame reset = client.until(RST_STREAM).orElseThrow();
            assertThat(reset.stream()).isEqualTo(201);
            assertThat(reset.code()).isEqualTo(ErrorCode.REFUSED_STREAM.number());
            free.countDown();
            for (int i = 0; i < 100; i++) {
                assertThat(client.until(HEADERS)).isPresent();
            }
        }
    }

    /// A client that asks and takes nothing: the gate has what its windows hold, and the server waits.
    @Test
    void answers_that_nobody_takes_are_not_piled_up() throws Exception {
        var sent = new AtomicLong();
        try (Bed bed = bed(true);
                var client = new RawFrames(bed, setting(4, 0))) { // no room on any stream
            bed.streams = (stream, _) -> {
                stream.send(new HeaderBlock().add(":status", "200"), false);
                byte[] piece = new byte[16_000];
                while (true) {
                    stream.send(piece, piece.length);
                    sent.addAndGet(piece.length);
                }
            };
            for (int i = 0; i < 90; i++) {
                client.frame(HEADERS, WHOLE, 1 + 2 * i, request(bed, "GET"));
            }
            client.send();
            long before = -1;
            while (before != sent.get() || before == 0) {
                before = sent.get();
                Thread.sleep(500);
            }
            assertThat(sent.get()).isBetween(500_000L, 4_000_000L);
        }
    }

    @Test
    void more_data_than_the_window_ends_the_connection() throws Exception {
        try (Bed bed = bed(true);
                var client = new RawFrames(bed)) {
            bed.streams = (stream, _) -> {
                try {
                    Thread.sleep(5_000); // nothing is taken
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            };
            bed.allowed = true;
            client.frame(HEADERS, END_HEADERS, 1, request(bed, "POST"));
            for (int i = 0; i < 200; i++) {
                client.frame(DATA, 0, 1, new byte[16_000]);
            }
            client.attack();
            assertThat(client.ended()).isEqualTo(ErrorCode.FLOW_CONTROL_ERROR.number());
        }
    }

    @Test
    void what_drips_or_stands_still_ends_soon() throws Exception {
        try (Bed bed = bed(false)) {
            try (SSLSocket silent = bed.greet(Bed.HOST, "h2")) { // no preface
                assertThat(new RawFrames(silent).ended()).isEqualTo(-1);
            }
            try (var client = new RawFrames(bed)) { // no request
                client.send();
                assertThat(client.ended()).isEqualTo(ErrorCode.NO_ERROR.number());
            }
            try (var client = new RawFrames(bed)) { // a block that does not end
                client.frame(HEADERS, 0, 1, request(bed, "GET")).send();
                for (int i = 0; i < 10; i++) {
                    client.frame(CONTINUATION, 0, 1).attack();
                    Thread.sleep(100);
                }
                client.ended();
            }
            try (var client = new RawFrames(bed)) { // a frame that does not end
                client.frame(HEADERS, WHOLE, 1, new byte[1], 100).send();
                client.ended();
            }
            try (var client = new RawFrames(bed, setting(4, 0))) { // a window that does not open
                bed.streams = (stream, _) -> {
                    stream.send(new HeaderBlock().add(":status", "200"), false);
                    stream.send(new byte[10], 10);
                    stream.end();
                };
                client.frame(HEADERS, WHOLE, 1, request(bed, "GET")).send();
                assertThat(client.until(RST_STREAM).orElseThrow().code()).isEqualTo(ErrorCode.CANCEL.number());
            }
            assertThat(reached).hasValue(0);
        }
    }

    @Test
    void a_server_that_floods_the_gate_is_let_go() throws Exception {
        try (Bed bed = bed(true);
                var client = new StreamClient(bed)) {
            byte[] many = new byte[20_000];
            Arrays.fill(many, (byte) 'y');
            bed.streams = (stream, _) -> {
                for (int i = 0; i < 100; i++) {
                    stream.send(new HeaderBlock().add(":status", "103").add("x", many, many.length), false);
                }
            };
            assertThat(finalStatus(client)).isEqualTo("502");
            bed.streams = (stream, _) -> {
                for (int i = 0; i < 10_000; i++) {
                    stream.send(new HeaderBlock().add(":status", "103"), false);
                }
            };
            assertThat(finalStatus(client)).isEqualTo("502");
            bed.streams = (stream, _) -> stream.send(new HeaderBlock().add(":status", "204"), true);
            String status = finalStatus(client);
            for (int i = 0; i < 20 && status.equals("502"); i++) { // of the connection that still floods
                Thread.sleep(100);
                status = finalStatus(client);
            }
            assertThat(status).isEqualTo("204");
        }
    }

    private static String finalStatus(StreamClient client) throws Exception {
        try (Http2Stream stream = client.connection.open(client.head("GET", "/"), true)) {
            String status = StreamClient.value(stream.head(), ":status");
            while (status.startsWith("1")) {
                status = StreamClient.value(stream.head(), ":status");
            }
            return status;
        }
    }

    @Test
    void requests_that_are_refused_without_end_end_the_connection() throws Exception {
        try (Bed bed = bed(true);
                var client = new RawFrames(bed)) {
            for (int i = 0; i < 60; i++) {
                client.frame(HEADERS, WHOLE, 1 + 2 * i, request(bed, "TRACE"));
            }
            client.send();
            assertThat(client.ended()).isEqualTo(ErrorCode.NO_ERROR.number());
            assertThat(reached).hasValue(0);
        }
    }
}
