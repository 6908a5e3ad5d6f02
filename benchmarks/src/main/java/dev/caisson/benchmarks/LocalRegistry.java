package dev.caisson.benchmarks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The registry of the distribution project (Debian package `docker-registry`), on a free port of loopback, with a log
/// of what it has sent.
final class LocalRegistry implements AutoCloseable {
    private static final Pattern BLOB = Pattern.compile("\"GET /v2/\\S+/blobs/\\S+ HTTP/[\\d.]+\" 20[06] (\\d+)");
    private static final int TRIES = 200;
    private static final long PAUSE_MILLIS = 50;

    private final Process process;
    private final Path log;
    private final String host;

    private LocalRegistry(Process process, Path log, String host) {
        this.process = process;
        this.log = log;
        this.host = host;
    }

    /// @throws IOException if there is none, or it does not answer
    static LocalRegistry start(Path directory) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        String host = "127.0.0.1:" + port;
        Path log = directory.resolve("log");
        Path file = Files.writeString(
                directory.resolve("registry.yml"),
                "version: 0.1\nlog: {level: error, accesslog: {disabled: false}}\nstorage: {filesystem: {rootdirectory: "
                        + directory + "/data}}\nhttp: {addr: \"" + host + "\"}\n");
        Process process = new ProcessBuilder("docker-registry", "serve", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        for (int tries = 0; tries < TRIES; tries++) {
            try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return new LocalRegistry(process, log, host);
            } catch (IOException e) {
                Thread.sleep(PAUSE_MILLIS);
            }
        }
        process.destroyForcibly();
        throw new IOException("no registry: " + Files.readString(log));
    }

    /// Returns the name of a repository in it.
    String name(String repository) {
        return host + "/" + repository;
    }

    /// Returns the bytes of blobs that it has sent so far.
    long sent() throws IOException {
        long bytes = 0;
        Matcher found = BLOB.matcher(Files.readString(log));
        while (found.find()) {
            bytes += Long.parseLong(found.group(1));
        }
        return bytes;
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
