package dev.caisson.image;

import dev.caisson.text.JsonOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Stores a statement about an image as BuildKit does: an index names the image and, beside it, a manifest of the
/// platform `unknown/unknown` whose one layer is the statement (BuildKit's attestation-storage.md).
final class StatementWriter {
    static final String IN_TOTO = "application/vnd.in-toto+json";

    private final NewImage blobs;

    StatementWriter(NewImage blobs) {
        this.blobs = blobs;
    }

    /// @param platform of the image
    ImageIndex write(
            Descriptor image, Platform platform, ImageNotes.Statement statement, Map<String, String> annotations)
            throws IOException {
        byte[] content = statement.about().apply(image.digest());
        Descriptor layer = blobs.blob(IN_TOTO, content);
        Descriptor config = blobs.blob(NewImage.CONFIG, bytes(config(layer.digest())));
        var manifest = new LinkedHashMap<String, Object>();
        manifest.put("schemaVersion", 2);
        manifest.put("mediaType", NewImage.MANIFEST);
        manifest.put("config", fields(config));
        Map<String, Object> described = fields(layer);
        described.put("annotations", Map.of("in-toto.io/predicate-type", statement.predicateType()));
        manifest.put("layers", List.of(described));
        Descriptor about = blobs.blob(NewImage.MANIFEST, bytes(manifest));
        Descriptor index = blobs.blob(ImageIndex.MEDIA_TYPE, bytes(index(image, platform, about, annotations)));
        return new ImageIndex(index.digest(), index.size());
    }

    private static Map<String, Object> config(Digest diffId) {
        var config = new LinkedHashMap<String, Object>();
        config.put("architecture", "unknown");
        config.put("os", "unknown");
        config.put("config", Map.of());
        var rootfs = new LinkedHashMap<String, Object>();
        rootfs.put("type", "layers");
        rootfs.put("diff_ids", List.of(diffId.toString()));
        config.put("rootfs", rootfs);
        return config;
    }

    private static Map<String, Object> index(
            Descriptor image, Platform platform, Descriptor about, Map<String, String> annotations) {
        Map<String, Object> first = fields(image);
        first.put("platform", fields(platform));
        Map<String, Object> second = fields(about);
        var reference = new LinkedHashMap<String, Object>();
        reference.put("vnd.docker.reference.digest", image.digest().toString());
        reference.put("vnd.docker.reference.type", "attestation-manifest");
        second.put("annotations", reference);
        second.put("platform", fields(new Platform("unknown", "unknown", "")));
        var index = new LinkedHashMap<String, Object>();
        index.put("schemaVersion", 2);
        index.put("mediaType", ImageIndex.MEDIA_TYPE);
        index.put("manifests", List.of(first, second));
        if (!annotations.isEmpty()) {
            index.put("annotations", new TreeMap<>(annotations));
        }
        return index;
    }

    /// Returns an index of an image and of manifests of statements about it, each described as it was.
    static byte[] index(Descriptor image, List<Descriptor> statements) {
        var manifests = new ArrayList<Map<String, Object>>();
        manifests.add(described(image));
        statements.forEach(statement -> manifests.add(described(statement)));
        var index = new LinkedHashMap<String, Object>();
        index.put("schemaVersion", 2);
        index.put("mediaType", ImageIndex.MEDIA_TYPE);
        index.put("manifests", manifests);
        return bytes(index);
    }

    private static Map<String, Object> described(Descriptor entry) {
        Map<String, Object> fields = fields(entry);
        if (!entry.annotations().isEmpty()) {
            fields.put("annotations", new TreeMap<>(entry.annotations()));
        }
        entry.platform().ifPresent(platform -> fields.put("platform", fields(platform)));
        return fields;
    }

    private static Map<String, Object> fields(Platform platform) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("architecture", platform.architecture());
        fields.put("os", platform.os());
        Optional.of(platform.variant())
                .filter(variant -> !variant.isEmpty())
                .ifPresent(variant -> fields.put("variant", variant));
        return fields;
    }

    private static Map<String, Object> fields(Descriptor blob) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("mediaType", blob.mediaType());
        fields.put("digest", blob.digest().toString());
        fields.put("size", blob.size());
        return fields;
    }

    private static byte[] bytes(Map<String, Object> document) {
        return JsonOutput.of(document).getBytes(StandardCharsets.UTF_8);
    }
}
