package dev.caisson.build;

import dev.caisson.image.Platform;
import dev.caisson.image.StoredImage;
import java.util.Optional;

/// A stage after some of its steps.
///
/// @param image the files so far; empty for none
/// @param key by which the files are known: of the base and of every step since
/// @param document the configuration so far
record Snapshot(Optional<StoredImage> image, String key, ConfigDocument document) {
    /// Returns no files, for a platform: what runs here is no result for another machine.
    static Snapshot scratch(Platform platform) {
        String key = platform.runsHere() ? "scratch" : "scratch for " + platform;
        return new Snapshot(Optional.empty(), key, ConfigDocument.scratch(platform));
    }

    Snapshot document(ConfigDocument value) {
        return new Snapshot(image, key, value);
    }
}
