package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Quoted;
import java.util.List;

/// A manifest or an index, each of which says what it is and nothing of the other (CVE-2021-41190).
sealed interface ManifestDocument {
    /// Several images, or one for each platform.
    record Index(List<Descriptor> manifests) implements ManifestDocument {
        public Index {
            manifests = List.copyOf(manifests);
        }
    }

    /// One image.
    record Manifest(Descriptor config, List<Descriptor> layers) implements ManifestDocument {
        public Manifest {
            layers = List.copyOf(layers);
        }
    }

    int MOST_MANIFESTS = 10_000;
    /// The most layers: podman's limit; Docker builds at most 127.
    int MOST_LAYERS = 500;

    /// Reads one of them.
    ///
    /// @param mediaType what the document's descriptor says that it is
    static ManifestDocument parse(String mediaType, byte[] json) {
        boolean index = MediaType.isIndex(mediaType);
        if (!index && !MediaType.isManifest(mediaType)) {
            throw new ImageException(
                    Code.UNSUPPORTED_FORMAT,
                    "the image has a manifest of type " + Quoted.of(mediaType) + "; copy it with skopeo --format=oci");
        }
        JsonObject document = JsonObject.parse(index ? "the index" : "the manifest", json);
        String own = document.string("mediaType").orElse(mediaType);
        if (!own.equals(mediaType)) {
            throw bad("is called " + Quoted.of(mediaType) + " and calls itself " + Quoted.of(own));
        }
        if (document.number("schemaVersion").orElse(0L) != 2) {
            throw bad("is not of schema version 2");
        }
        if (document.has("manifests") == (document.has("layers") || document.has("config"))) {
            throw bad("is both manifest and index, or neither");
        }
        return index ? index(document) : manifest(document);
    }

    private static ManifestDocument index(JsonObject document) {
        if (!document.has("manifests")) {
            throw bad("is called an index and is a manifest");
        }
        List<JsonObject> manifests = document.objects("manifests");
        if (manifests.size() > MOST_MANIFESTS) {
            throw new ImageException(Code.TOO_LARGE, "the index names more than " + MOST_MANIFESTS + " images");
        }
        return new Index(manifests.stream().map(Descriptor::of).toList());
    }

    private static ManifestDocument manifest(JsonObject document) {
        if (document.has("manifests")) {
            throw bad("is called a manifest and is an index");
        }
        Descriptor config = Descriptor.of(document.object("config").orElseThrow(() -> bad("has no configuration")));
        List<JsonObject> layers = document.objects("layers");
        if (layers.size() > MOST_LAYERS) {
            throw new ImageException(Code.TOO_LARGE, "the manifest names more than " + MOST_LAYERS + " layers");
        }
        return new Manifest(config, layers.stream().map(Descriptor::of).toList());
    }

    private static ImageException bad(String fault) {
        return new ImageException(
                Code.BAD_MANIFEST, "the manifest of the image " + fault + "; fetch or build the image again");
    }
}
