package dev.caisson.hostaudit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// A registry on the loopback interface of a dockerd's network namespace: what is pulled from there has a digest,
/// and the date that the test gives it.
final class TestRegistry implements AutoCloseable {
    private static final String HOST = "127.0.0.1:5000";

    private final Dockerd daemon;
    private final Path work;
    private final Process server;

    /// @param work where [TestImages] made its program and its layer
    TestRegistry(Dockerd daemon, Path work) throws IOException {
        this.daemon = daemon;
        this.work = work;
        Path files = Files.createDirectories(work.resolve("registry"));
        server = daemon.inside(work.resolve("actor").toString(), "serve", "5000", files.toString());
        String ready =
                new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8)).readLine();
        if (!"ready".equals(ready)) {
            throw new IllegalStateException("the registry does not start: " + ready);
        }
    }

    /// The name of an image of this registry.
    static String named(String name) {
        return HOST + "/" + name;
    }

    /// Pulls an image that says it was created then, as `2024-01-01T00:00:00Z`.
    void pulled(String name, String created) throws IOException {
        Path repository = work.resolve("registry/v2").resolve(name);
        Files.createDirectories(repository.resolve("manifests"));
        Files.createDirectories(repository.resolve("blobs"));
        byte[] layer = Files.readAllBytes(work.resolve("root.tar"));
        byte[] config = """
                {"architecture": "amd64", "os": "linux", "created": "%s", "config": {"Labels": {"name": "%s"}},
                 "rootfs": {"type": "layers", "diff_ids": ["%s"]}}
                """.formatted(created, name, digest(layer)).getBytes(StandardCharsets.UTF_8);
        for (byte[] blob : new byte[][] {layer, config}) {
            Files.write(repository.resolve("blobs").resolve(digest(blob)), blob);
        }
        byte[] manifest = """
                {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                 "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": %d, "digest": "%s"},
                 "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": %d, "digest": "%s"}]}
                """.formatted(config.length, digest(config), layer.length, digest(layer))
                .getBytes(StandardCharsets.UTF_8);
        for (String reference : List.of("latest", digest(manifest))) {
            Files.write(repository.resolve("manifests").resolve(reference), manifest);
        }
        daemon.docker("pull", named(name));
    }

    private static String digest(byte[] bytes) {
        try {
            return "sha256:"
                    + HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.destroy();
    }
}
