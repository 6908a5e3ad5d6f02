package dev.caisson.image;

import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Facts about a new image that are no part of how it runs.
///
/// @param manifest annotations of its manifest
/// @param index annotations of the index that names it; there is one if there is a statement
public record ImageNotes(Map<String, String> manifest, Map<String, String> index, Optional<Statement> statement) {
    /// A statement about the image, in-toto's Statement as JSON.
    ///
    /// @param predicateType what kind of statement it is
    /// @param about makes it, given the digest of the image's manifest
    public record Statement(String predicateType, Function<Digest, byte[]> about) {}

    public ImageNotes {
        manifest = Map.copyOf(manifest);
        index = Map.copyOf(index);
    }

    public static ImageNotes none() {
        return new ImageNotes(Map.of(), Map.of(), Optional.empty());
    }
}
