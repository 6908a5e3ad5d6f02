package dev.caisson.build;

import dev.caisson.image.StoredImage;
import java.util.Optional;

/// A stage after some of its steps.
///
/// @param image the files so far; empty for none
/// @param key by which the files are known: of the base and of every step since
/// @param document the configuration so far
record Snapshot(Optional<StoredImage> image, String key, ConfigDocument document) {
    Snapshot document(ConfigDocument value) {
        return new Snapshot(image, key, value);
    }
}
