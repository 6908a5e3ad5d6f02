package dev.caisson.build;

import java.util.Map;
import java.util.Optional;

/// Statements and annotations that a build puts beside its image.
///
/// @param provenance how it was built, as a statement in its index; empty for none
/// @param manifest annotations of the image's manifest
/// @param index annotations of its index, which an image with provenance has
public record BuildNotes(Optional<Provenance> provenance, Map<String, String> manifest, Map<String, String> index) {
    /// A statement of SLSA about a build.
    ///
    /// @param all whether it has build arguments, ids of secrets and the Dockerfile, too
    /// @param builder an address that stands for whoever builds; may be empty
    /// @param reproducible whether it says that another build gives the same bytes
    public record Provenance(boolean all, String builder, boolean reproducible) {}

    public BuildNotes {
        manifest = Map.copyOf(manifest);
        index = Map.copyOf(index);
    }

    public static BuildNotes none() {
        return new BuildNotes(Optional.empty(), Map.of(), Map.of());
    }
}
