package dev.caisson.image;

import java.util.Map;
import java.util.Optional;

/// An index in the store that names an image and statements about it.
///
/// @param size in bytes
public record ImageIndex(Digest digest, long size) {
    /// The media type of all of them.
    public static final String MEDIA_TYPE = "application/vnd.oci.image.index.v1+json";

    Descriptor descriptor() {
        return new Descriptor(MEDIA_TYPE, digest, size, Optional.empty(), Map.of());
    }
}
