package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Quoted;
import java.util.Map;
import java.util.Optional;

/// The OCI image specification's OCI image specification's descriptor.
record Descriptor(
        String mediaType, Digest digest, long size, Optional<Platform> platform, Map<String, String> annotations) {
    private static final String SHA256 = "sha256:";

    Descriptor {
        annotations = Map.copyOf(annotations);
    }

    static Descriptor of(JsonObject json) {
        long size = json.number("size").orElse(-1L);
        if (size < 0) {
            throw new ImageException(
                    Code.BAD_MANIFEST, "the image names content without a size; fetch or build it again");
        }
        return new Descriptor(
                json.string("mediaType").orElse(""),
                digest(json.required("digest")),
                size,
                json.object("platform").map(Descriptor::platform),
                json.stringMap("annotations"));
    }

    static Digest digest(String text) {
        if (text.startsWith(SHA256)) {
            try {
                return new Digest(text.substring(SHA256.length()));
            } catch (IllegalArgumentException e) {
                throw new ImageException(
                        Code.BAD_MANIFEST, "the image has the digest " + Quoted.of(text) + ", which is none", e);
            }
        }
        throw new ImageException(
                Code.UNSUPPORTED_FORMAT,
                "the image has the digest " + Quoted.of(text) + "; only sha256 is read, so copy the image with skopeo");
    }

    private static Platform platform(JsonObject json) {
        return new Platform(
                json.string("os").orElse(""),
                json.string("architecture").orElse(""),
                json.string("variant").orElse(""));
    }
}
