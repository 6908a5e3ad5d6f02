package dev.caisson.gate;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;

/// Prints what a connection costs that is led by its greeting, beside one to the same server that is not:
/// `benchmarks/greetings`.
final class GreetingBenchmark {
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();
    private static final String NAME = "good.test";
    private static final long BYTES = 2L << 30;
    private static final int ROUNDS = 5;
    private static final int CONNECTIONS = 25;
    private static final byte[] FIRST_RECORD = {23, 3, 3, 0, 1, 0};

    private final byte[] hello = GreetingServerTest.hello(NAME);
    private final byte[] chunk = new byte[1 << 16];

    private GreetingBenchmark() throws Exception {}

    public static void main(String[] none) throws Exception {
        var benchmark = new GreetingBenchmark();
        try (var origin = new ServerSocket(0, 128, HERE)) {
            Thread.ofPlatform().daemon().start(() -> serve(origin));
            try (GreetingServer led = GreetingServer.open(HERE, HERE::equals, origin.getLocalPort(), new Rules())) {
                benchmark.print(origin.getLocalPort(), led.port());
            }
        }
    }

    private record Rules() implements GreetingRules {
        @Override
        public boolean allows(String name) {
            return name.equals(NAME);
        }

        @Override
        public List<InetAddress> addresses(String name) {
            return List.of(HERE);
        }

        @Override
        public void denied(String name, String reason) {
            throw new IllegalStateException(name + ": " + reason);
        }
    }

    /// Takes turns, so that a busy machine is in both.
    private void print(int direct, int led) throws IOException {
        var micros = new double[2][ROUNDS * CONNECTIONS];
        var rates = new double[2][ROUNDS];
        int[] ports = {direct, led};
        carry(led, BYTES / 4); // warm
        for (int round = 0; round < ROUNDS; round++) {
            for (int way = 0; way < 2; way++) {
                for (int i = 0; i < CONNECTIONS; i++) {
                    micros[way][round * CONNECTIONS + i] = connect(ports[way]) / 1e3;
                }
                rates[way][round] = BYTES * 8 / (double) carry(ports[way], BYTES);
            }
        }
        System.out.printf("%-28s %10s %10s%n", "", "direct", "led");
        System.out.printf("%-28s %7.0f us %7.0f us%n", "greeting to answer, p50", median(micros[0]), median(micros[1]));
        System.out.printf(
                "%-28s %5.1f Gb/s %5.1f Gb/s%n", "one connection, median", median(rates[0]), median(rates[1]));
    }

    private static double median(double[] all) {
        Arrays.sort(all);
        return all[all.length / 2];
    }

    private long connect(int port) throws IOException {
        long begun = System.nanoTime();
        try (var socket = new Socket(HERE, port)) {
            socket.getOutputStream().write(hello);
            require(socket.getInputStream().read());
            return System.nanoTime() - begun;
        }
    }

    private long carry(int port, long bytes) throws IOException {
        try (var socket = new Socket(HERE, port)) {
            socket.getOutputStream().write(hello);
            require(socket.getInputStream().read());
            socket.getOutputStream().write(FIRST_RECORD);
            long begun = System.nanoTime();
            for (long sent = 0; sent < bytes; sent += chunk.length) {
                socket.getOutputStream().write(chunk);
            }
            socket.shutdownOutput();
            require(socket.getInputStream().read());
            return System.nanoTime() - begun;
        }
    }

    private static void require(int answer) {
        if (answer != 1) {
            throw new IllegalStateException("the server does not answer");
        }
    }

    private static void serve(ServerSocket origin) {
        while (true) {
            try {
                Socket one = origin.accept();
                Thread.ofPlatform().daemon().start(() -> answer(one));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private static void answer(Socket one) {
        var piece = new byte[1 << 16];
        try (one) {
            InputStream in = one.getInputStream();
            ClientHello.read(in);
            one.getOutputStream().write(1);
            while (in.read(piece) >= 0) {}
            one.getOutputStream().write(1);
        } catch (IOException e) {
            // the client has what it wanted
        }
    }
}
