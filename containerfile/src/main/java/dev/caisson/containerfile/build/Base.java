package dev.caisson.containerfile.build;

import dev.caisson.containerfile.ImageReference;

/// The base of a Dockerfile's stage.
public sealed interface Base {
    /// An image by name.
    record Image(ImageReference reference) implements Base {}

    /// An earlier stage of the same file.
    record Earlier(Stage stage) implements Base {}

    /// Nothing at all: `FROM scratch`.
    record Scratch() implements Base {}

    /// A name that only the build knows, as an `ARG` without a default; or one that is no image's name.
    record Unknown(String text, String reason) implements Base {}
}
