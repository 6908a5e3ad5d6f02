package dev.caisson.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPOutputStream;

/// A small image of two layers as a registry has it: its blobs, and the manifest that names them.
final class SampleImage {
    static final String MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
    static final String INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

    final Map<Digest, byte[]> blobs = new LinkedHashMap<>();
    final byte[] manifest;
    final Digest config;
    final Digest upper;

    /// @param text the content of `/new`, so that images differ
    SampleImage(String text) throws IOException {
        this(text, Platform.running().architecture());
    }

    SampleImage(String text, String architecture) throws IOException {
        byte[] lower = new TarBuilder()
                .mode(0755)
                .directory("etc")
                .mode(0644)
                .file("etc/passwd", "me:x:7:8::/home/me:/bin/sh\n")
                .file("gone", "x")
                .build();
        byte[] upperTar =
                new TarBuilder().whiteout(".wh.gone").file("new", text).build();
        String json = "{\"os\":\"linux\",\"created\":\"2026-01-02T03:04:05Z\",\"architecture\":\"" + architecture
                + "\",\"config\":{\"Cmd\":[\"run\"],\"User\":\"me\"},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\""
                + Digest.of(lower) + "\",\"" + Digest.of(upperTar) + "\"]}}";
        byte[] configBytes = json.getBytes(StandardCharsets.UTF_8);
        config = Digest.of(configBytes);
        String configEntry = entry("application/vnd.oci.image.config.v1+json", configBytes);
        String lowerEntry = entry("application/vnd.oci.image.layer.v1.tar+gzip", gzip(lower));
        byte[] upperBlob = gzip(upperTar);
        upper = Digest.of(upperBlob);
        String upperEntry = entry("application/vnd.oci.image.layer.v1.tar+gzip", upperBlob);
        manifest = ("{\"schemaVersion\":2,\"mediaType\":\"" + MANIFEST_TYPE + "\",\"config\":" + configEntry
                        + ",\"layers\":[" + lowerEntry + "," + upperEntry + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    /// Returns a blob that it has.
    byte[] blob(Digest digest) {
        return Objects.requireNonNull(blobs.get(digest));
    }

    Digest digest() {
        return Digest.of(manifest);
    }

    /// Returns an index that names this image for a platform.
    byte[] index(String architecture) {
        return ("{\"schemaVersion\":2,\"mediaType\":\"" + INDEX_TYPE + "\",\"manifests\":[{\"mediaType\":\""
                        + MANIFEST_TYPE + "\",\"digest\":\"" + digest() + "\",\"size\":" + manifest.length
                        + ",\"platform\":{\"os\":\"linux\",\"architecture\":\"" + architecture + "\"}}]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    /// Writes it as an OCI layout.
    Path write(Path layout) throws IOException {
        Path directory = Files.createDirectories(layout.resolve("blobs/sha256"));
        for (var blob : blobs.entrySet()) {
            Files.write(directory.resolve(blob.getKey().hex()), blob.getValue());
        }
        Files.write(directory.resolve(digest().hex()), manifest);
        Files.writeString(
                layout.resolve("index.json"),
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" + MANIFEST_TYPE + "\",\"digest\":\"" + digest()
                        + "\",\"size\":" + manifest.length + "}]}");
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        return layout;
    }

    private String entry(String type, byte[] content) {
        Digest digest = Digest.of(content);
        blobs.put(digest, content);
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + digest + "\",\"size\":" + content.length + "}";
    }

    static byte[] gzip(byte[] content) throws IOException {
        var out = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        }
        return out.toByteArray();
    }
}
