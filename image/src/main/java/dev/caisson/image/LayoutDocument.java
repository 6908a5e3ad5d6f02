package dev.caisson.image;

import org.jspecify.annotations.Nullable;

/// A document of an image that was compared with its digest. What it says is read from it once. May be used by several
/// threads.
final class LayoutDocument {
    private final Digest digest;
    private final byte[] content;
    private volatile @Nullable Typed manifest;
    private volatile @Nullable PackedConfig config;

    /// What the document says, read as this type.
    private record Typed(String mediaType, ManifestDocument document) {}

    LayoutDocument(Digest digest, byte[] content) {
        this.digest = digest;
        this.content = content.clone();
    }

    boolean isOf(Descriptor descriptor) {
        return digest.equals(descriptor.digest()) && content.length == descriptor.size();
    }

    byte[] content() {
        return content.clone();
    }

    /// Reads it as a manifest or an index.
    ///
    /// @param mediaType what its descriptor says that it is
    ManifestDocument manifest(String mediaType) {
        Typed known = manifest;
        if (known == null || !known.mediaType().equals(mediaType)) {
            known = new Typed(mediaType, ManifestDocument.parse(mediaType, content));
            manifest = known;
        }
        return known.document();
    }

    /// Reads it as the configuration of an image.
    PackedConfig config() {
        PackedConfig known = config;
        if (known == null) {
            known = PackedConfig.parse(content);
            config = known;
        }
        return known;
    }
}
