package dev.caisson.build;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;

/// The files of a directory by HTTP, on a free port of loopback.
record FileServer(Process process, int port) implements AutoCloseable {
    static FileServer start(Path directory) throws IOException, InterruptedException {
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Process process = new ProcessBuilder(
                        "python3",
                        "-m",
                        "http.server",
                        "--bind",
                        "127.0.0.1",
                        "--directory",
                        directory.toString(),
                        String.valueOf(port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        for (int tries = 0; tries < 200; tries++) {
            try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return new FileServer(process, port);
            } catch (IOException e) {
                Thread.sleep(50);
            }
        }
        process.destroyForcibly();
        throw new AssertionError("nobody serves the files of " + directory);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
