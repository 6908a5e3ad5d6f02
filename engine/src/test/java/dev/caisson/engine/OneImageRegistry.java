package dev.caisson.engine;

import dev.caisson.image.StoredImage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/// A registry on loopback, of plain http, that has the blobs of a store and calls one image `1`, whatever its
/// repository.
final class OneImageRegistry implements AutoCloseable {
    private final StoredImage image;
    private final Map<String, byte[]> blobs = new HashMap<>();
    private final ServerSocket server;

    OneImageRegistry(StoredImage image, Path data) throws IOException {
        this.image = image;
        try (Stream<Path> files = Files.list(data.resolve("images/content/blobs/sha256"))) {
            for (Path file : files.toList()) {
                blobs.put("sha256:" + file.getFileName(), Files.readAllBytes(file));
            }
        }
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    String name() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return; // the test is over
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
            if (in.read() != 'G') {
                return; // TLS
            }
            String path = in.readLine().split(" ", -1)[1];
            for (String header = in.readLine(); !header.isEmpty(); ) {
                header = in.readLine();
            }
            String last = path.substring(path.lastIndexOf('/') + 1);
            byte[] body = blobs.getOrDefault(last.equals("1") ? image.manifest().toString() : last, new byte[0]);
            String head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " + image.mediaType()
                    + "\r\nContent-Length: " + body.length + "\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(body);
        } catch (IOException e) {
            // whoever asked was killed, and an answer that is missing fails the test
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
