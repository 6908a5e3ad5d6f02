package dev.caisson.gate;

import dev.caisson.gate.http2.HeaderBlock;
import dev.caisson.gate.http2.Http2Connection;
import dev.caisson.gate.http2.Http2Stream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;
import javax.net.ssl.SSLSocket;

/// Prints what requests cost that pass a gate, beside requests to the same server that do not, in both versions of
/// HTTP: `benchmarks/secret-costs`. Client and server share one process, with a gate or with its process beside them.
final class GateBenchmark {
    private static final int CONNECTIONS = 60;
    private static final int REQUESTS = 1_500;
    private static final int ROUNDS = 3;
    private static final int TURNS = 4;
    private static final int BYTES = 64 << 20;
    private static final int PIECE = 16_384;

    /// A way to the server.
    private enum Way {
        DIRECT,
        GATE,
        PROCESS
    }

    private final Bed near;
    private final Bed apart;

    private GateBenchmark(Bed near, Bed apart) {
        this.near = near;
        this.apart = apart;
    }

    private Bed bed(Way way) {
        return way == Way.PROCESS ? apart : near;
    }

    public static void main(String[] none) throws Exception {
        Path scratch = Files.createTempDirectory("caisson-gate-benchmark");
        try (Bed near = Bed.isolated(scratch, false);
                Bed apart = Bed.isolated(scratch, true)) {
            System.out.printf(
                    Locale.ROOT,
                    "%-44s %7.0f ms, memory %.0f MiB%n",
                    "a process for a gate, until it is open",
                    apart.opened / 1e6,
                    memory());
            serve(near);
            serve(apart);
            new GateBenchmark(near, apart).print();
            System.out.printf(Locale.ROOT, "%-44s %7.0f MiB%n", "its memory after these requests", memory());
        } finally {
            try (var files = Files.list(scratch)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(scratch);
        }
    }

    /// Returns the memory of the gate's process in MiB, with its share of what others map too: Pss, proc_pid_smaps(5).
    private static double memory() throws IOException {
        String self = String.valueOf(ProcessHandle.current().pid());
        for (ProcessHandle child : ProcessHandle.current().children().toList()) {
            Path process = Path.of("/proc", String.valueOf(child.pid()));
            if (Files.readAllLines(process.resolve("status")).contains("PPid:\t" + self)) {
                return Files.readAllLines(process.resolve("smaps_rollup")).stream()
                                .filter(line -> line.startsWith("Pss:"))
                                .mapToLong(line -> Long.parseLong(line.split("\\s+", -1)[1]))
                                .sum()
                        / 1024.0;
            }
        }
        return 0;
    }

    private static void serve(Bed bed) {
        bed.speaks = List.of("h2", "http/1.1");
        byte[] piece = new byte[PIECE];
        bed.reply = (head, in, out) -> {
            if (head.startsWith("GET /many ")) {
                out.write(Bed.bytes("HTTP/1.1 200 OK\r\nContent-Length: " + BYTES + "\r\n\r\n"));
                for (int sent = 0; sent < BYTES; sent += PIECE) {
                    out.write(piece);
                }
            } else {
                if (head.startsWith("POST ")) {
                    in.skipNBytes(BYTES);
                }
                Bed.Reply.ok("fine").to(head, in, out);
            }
            bed.heads.clear();
        };
        bed.streams = (stream, head) -> {
            boolean many = StreamClient.value(head, ":path").equals("/many");
            while (stream.read(new byte[PIECE]) >= 0) {
                // it is counted by its length
            }
            stream.send(new HeaderBlock().add(":status", "200"), false);
            for (int sent = 0; many && sent < BYTES; sent += PIECE) {
                stream.send(piece, PIECE);
            }
            stream.end();
        };
    }

    private SSLSocket connect(Way way, String protocol) throws IOException {
        return way == Way.DIRECT ? near.direct(protocol) : bed(way).greet(Bed.HOST, protocol);
    }

    /// One connection and what is asked on it.
    private interface Client extends AutoCloseable {
        void ask(String method, String path) throws IOException;

        @Override
        void close() throws IOException;
    }

    private Client open(Way way, String protocol) throws IOException {
        SSLSocket socket = connect(way, protocol);
        return protocol.equals("h2") ? streams(socket, bed(way)) : lines(socket, bed(way));
    }

    private Client lines(SSLSocket socket, Bed bed) throws IOException {
        InputStream in = new BufferedInputStream(socket.getInputStream(), PIECE);
        return new Client() {
            @Override
            public void ask(String method, String path) throws IOException {
                boolean up = method.equals("POST");
                socket.getOutputStream()
                        .write(Bed.bytes(method + " " + path + " HTTP/1.1\r\nHost: " + Bed.HOST + ":" + bed.port()
                                + (up ? "\r\nContent-Length: " + BYTES : "") + "\r\n\r\n"));
                byte[] piece = new byte[PIECE];
                for (int sent = 0; up && sent < BYTES; sent += PIECE) {
                    socket.getOutputStream().write(piece);
                }
                String head = Bed.head(in).orElseThrow(() -> new IOException("no answer"));
                in.skipNBytes(Long.parseLong(Bed.values(head, "Content-Length").getFirst()));
            }

            @Override
            public void close() throws IOException {
                socket.close();
            }
        };
    }

    private Client streams(SSLSocket socket, Bed bed) throws IOException {
        Http2Connection connection =
                Http2Connection.client(socket.getInputStream(), socket.getOutputStream(), Bed.PATIENT);
        Thread.ofVirtual().start(() -> {
            try {
                connection.run();
            } catch (IOException e) {
                // it is closed
            }
        });
        return new Client() {
            @Override
            public void ask(String method, String path) throws IOException {
                boolean up = method.equals("POST");
                HeaderBlock head = new HeaderBlock()
                        .add(":method", method)
                        .add(":scheme", "https")
                        .add(":authority", Bed.HOST + ":" + bed.port())
                        .add(":path", path);
                try (Http2Stream stream = connection.open(head, !up)) {
                    byte[] piece = new byte[PIECE];
                    for (int sent = 0; up && sent < BYTES; sent += PIECE) {
                        stream.send(piece, PIECE);
                    }
                    if (up) {
                        stream.end();
                    }
                    if (!StreamClient.value(stream.head(), ":status").equals("200")) {
                        throw new IOException("another status");
                    }
                    while (stream.read(piece) >= 0) {
                        // it is dropped
                    }
                }
            }

            @Override
            public void close() throws IOException {
                socket.close();
            }
        };
    }

    private interface Measure {
        /// Returns samples of one turn.
        double[] of(Way way) throws Exception;
    }

    private void print() throws Exception {
        System.out.printf(
                "%-44s %12s %12s %12s%n", "requests to a server beside it", "directly", "in engine", "by process");
        for (String protocol : List.of("http/1.1", "h2")) {
            String name = protocol.equals("h2") ? "HTTP/2" : "HTTP/1.1";
            line(name + ", first of a connection, p50", "us", 0.5, way -> first(way, protocol));
            line(name + ", on an open connection, p50", "us", 0.5, way -> next(way, protocol));
            line(name + ", on an open connection, p99", "us", 0.99, way -> next(way, protocol));
            line(name + ", answer of 64 MiB, median", "MB/s", 0.5, way -> rate(way, protocol, "GET", "/many"));
            line(name + ", request of 64 MiB, median", "MB/s", 0.5, way -> rate(way, protocol, "POST", "/"));
        }
    }

    /// Takes turns, so that a busy machine is in both. The first turn of each warms up.
    private static void line(String name, String unit, double share, Measure measure) throws Exception {
        var all = new EnumMap<Way, double[]>(Way.class);
        for (int round = 0; round <= ROUNDS; round++) {
            for (Way way : Way.values()) {
                double[] turn = measure.of(way);
                if (round > 0) {
                    all.merge(
                            way,
                            turn,
                            (former, more) -> DoubleStream.concat(Arrays.stream(former), Arrays.stream(more))
                                    .toArray());
                }
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%-44s %7.0f %-4s %7.0f %-4s %7.0f %-4s%n",
                name,
                at(all.getOrDefault(Way.DIRECT, new double[0]), share),
                unit,
                at(all.getOrDefault(Way.GATE, new double[0]), share),
                unit,
                at(all.getOrDefault(Way.PROCESS, new double[0]), share),
                unit);
    }

    private static double at(double[] all, double share) {
        Arrays.sort(all);
        return all[(int) ((all.length - 1) * share)];
    }

    private double[] first(Way way, String protocol) throws Exception {
        var micros = new double[CONNECTIONS / ROUNDS];
        for (int i = 0; i < micros.length; i++) {
            long begun = System.nanoTime();
            try (Client client = open(way, protocol)) {
                client.ask("GET", "/");
                micros[i] = (System.nanoTime() - begun) / 1e3;
            }
            TimeUnit.MILLISECONDS.sleep(25); // a container has 50 new connections a second
        }
        return micros;
    }

    private double[] next(Way way, String protocol) throws Exception {
        var micros = new double[REQUESTS / ROUNDS];
        try (Client client = open(way, protocol)) {
            for (int i = 0; i < micros.length; i++) {
                long begun = System.nanoTime();
                client.ask("GET", "/");
                micros[i] = (System.nanoTime() - begun) / 1e3;
            }
        }
        return micros;
    }

    private double[] rate(Way way, String protocol, String method, String path) throws Exception {
        var rates = new double[TURNS / 2];
        try (Client client = open(way, protocol)) {
            for (int i = 0; i < rates.length; i++) {
                long begun = System.nanoTime();
                client.ask(method, path);
                rates[i] = BYTES * 1e3 / (System.nanoTime() - begun);
            }
        }
        return rates;
    }
}
