package dev.caisson.image;

import java.time.Instant;
import java.util.Optional;

/// An image of the store, as lists show it.
///
/// @param id digest of its configuration, which Docker calls the image's id
/// @param created when it was built, if it says so
/// @param bytes of its manifest, configuration and layers, as they lie in the store
/// @param layers how many
public record ImageDescription(Digest id, Optional<Instant> created, long bytes, int layers, ImageConfig config) {}
