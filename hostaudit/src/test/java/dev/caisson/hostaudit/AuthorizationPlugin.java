package dev.caisson.hostaudit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// A plugin that dockerd asks about every request to its API, and that allows all. dockerd looks for plugins in
/// one directory of the host, so its name is one that no other has.
final class AuthorizationPlugin implements AutoCloseable {
    private static final Path DIRECTORY = Path.of("/run/docker/plugins");

    private static final String NAME =
            "caisson-hostaudit-" + ProcessHandle.current().pid();

    private final Path socket;
    private final ServerSocketChannel server;

    AuthorizationPlugin() throws IOException {
        this(DIRECTORY.resolve(NAME + ".sock"));
    }

    private AuthorizationPlugin(Path socket) throws IOException {
        this.socket = socket;
        Files.createDirectories(socket.getParent());
        Files.deleteIfExists(socket);
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().start(() -> {
            while (true) {
                try {
                    SocketChannel client = server.accept();
                    Thread.ofVirtual().start(() -> serve(client));
                } catch (IOException e) {
                    return;
                }
            }
        });
    }

    /// One for the dockerd of a user: a file below `~/.local/lib` tells where its socket is.
    static AuthorizationPlugin ofUser(String uid, Path libraries, Path socket) throws IOException {
        var plugin = new AuthorizationPlugin(socket);
        Dockerd.must("chown", uid, socket.toString());
        Path plugins = Files.createDirectories(libraries.resolve("docker/plugins"));
        Files.writeString(plugins.resolve(NAME + ".spec"), "unix://" + socket);
        return plugin;
    }

    String name() {
        return NAME;
    }

    private static void serve(SocketChannel client) {
        try (client;
                var reader = new BufferedReader(
                        new InputStreamReader(Channels.newInputStream(client), StandardCharsets.ISO_8859_1))) {
            for (String request = reader.readLine(); request != null; request = reader.readLine()) {
                long body = 0;
                for (String line = reader.readLine(); line != null && !line.isEmpty(); line = reader.readLine()) {
                    if (line.toLowerCase(java.util.Locale.ROOT).startsWith("content-length:")) {
                        body = Long.parseLong(
                                line.substring("content-length:".length()).strip());
                    }
                }
                reader.skip(body);
                String answer =
                        request.contains("/Plugin.Activate") ? "{\"Implements\":[\"authz\"]}" : "{\"Allow\":true}";
                client.write(ByteBuffer.wrap(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                                + answer.length() + "\r\n\r\n" + answer)
                        .getBytes(StandardCharsets.US_ASCII)));
            }
        } catch (IOException e) {
            // dockerd has gone
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(socket);
    }
}
