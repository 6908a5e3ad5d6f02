package dev.caisson.build;

import dev.caisson.image.Digest;
import dev.caisson.image.StoredImage;

/// An image that was built.
///
/// @param image as the store has it
/// @param id digest of its configuration, which Docker calls the image's id
public record BuildResult(StoredImage image, Digest id) {}
