package dev.caisson.containerfile;

import java.util.Optional;

/// The images that are present here and whose configuration can be read.
@FunctionalInterface
public interface BaseImages {
    /// No image is present.
    BaseImages NONE = reference -> Optional.empty();

    Optional<ImageConfig> find(ImageReference reference);
}
