package dev.caisson.benchmarks;

import dev.caisson.engine.Container;
import dev.caisson.engine.Engine;
import dev.caisson.engine.Streams;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// Measures how long it takes from the wish for a published server to its first answer: a client of the host, the same
/// for both, asks its port again and again.
final class FirstAnswer {
    private static final int PORT = 18080;
    private static final String ADDRESS = "192.0.2.1";
    private static final List<String> SERVER = List.of("/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/");
    private static final String NAME = "caisson-benchmark-server";

    /// Answers each line by the time of the first answer, which is in the clock of [System#nanoTime].
    private static final String CLIENT = String.format(Locale.ROOT, """
            import socket, sys, time
            for line in sys.stdin:
                while True:
                    try:
                        with socket.create_connection(("%s", %d), 1) as s:
                            s.settimeout(1)
                            s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                            if s.recv(1): break
                    except OSError: pass
                    time.sleep(0.001)
                print(time.monotonic_ns(), flush=True)
            """, ADDRESS, PORT);

    private FirstAnswer() {}

    static Times ours(Engine engine, Bundle bundle, int warmUp, int count) throws IOException, InterruptedException {
        ContainerSpec spec = ContainerSpec.of(Image.directory(bundle.root()), SERVER.toArray(String[]::new))
                .network(Network.on("bridge").publish(new PortMapping(Optional.empty(), PORT, 80, Transport.TCP)));
        long[] nanos = new long[count];
        try (var client = new Client(List.of())) {
            for (int i = -warmUp; i < count; i++) {
                long before = System.nanoTime();
                client.ask();
                try (Container _ = engine.start(spec, Streams.capture())) {
                    nanos[Math.max(i, 0)] = client.answered() - before;
                }
            }
        }
        return Times.of("Caisson, a published server's first answer", nanos, 0, 0);
    }

    static Times dockers(DockerDaemon docker, int count) throws IOException, InterruptedException {
        var command = new ArrayList<>(
                docker.command(List.of("run", "-d", "--name", NAME, "-p", PORT + ":80", DockerDaemon.IMAGE)));
        command.addAll(SERVER);
        long[] nanos = new long[count];
        try (var client = new Client(docker.inItsNetwork())) {
            for (int i = 0; i < count; i++) {
                long before = System.nanoTime();
                client.ask();
                Process run = new ProcessBuilder(command)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                nanos[i] = client.answered() - before;
                if (run.waitFor() != 0) {
                    throw new IllegalStateException("docker run failed");
                }
                docker.remove(NAME);
            }
        }
        return Times.of("docker run -d, a published server's first answer", nanos, 0, 0);
    }

    /// A client in a network namespace whose host has an address of its own.
    private static final class Client implements AutoCloseable {
        private final Process process;
        private final BufferedReader answers;

        /// @param within what enters the namespace; nothing for this process's own
        Client(List<String> within) throws IOException, InterruptedException {
            var address = new ArrayList<>(within);
            address.addAll(List.of("ip", "address", "replace", ADDRESS + "/32", "dev", "lo"));
            if (new ProcessBuilder(address).inheritIO().start().waitFor() != 0) {
                throw new IllegalStateException("no address " + ADDRESS + " for the host");
            }
            var command = new ArrayList<>(within);
            command.addAll(List.of("python3", "-I", "-c", CLIENT));
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            answers = process.inputReader(StandardCharsets.US_ASCII);
        }

        void ask() throws IOException {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
        }

        long answered() throws IOException {
            return Long.parseLong(Objects.requireNonNull(answers.readLine(), "the client has ended"));
        }

        @Override
        public void close() {
            process.destroy();
        }
    }
}
