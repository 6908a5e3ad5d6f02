package dev.caisson.build;

import dev.caisson.image.CachePlace;
import java.util.List;

/// The places outside the store that results of steps come from and go to.
///
/// @param from asked in their order for what the store does not have
/// @param to written once the image is there
/// @param inline whether the image says by which keys its own layers are known
public record BuildCaches(List<CachePlace> from, List<Export> to, boolean inline) {
    /// A place to write to.
    ///
    /// @param all whether steps of all stages are written, and not only those of the image
    public record Export(CachePlace place, boolean all) {}

    public BuildCaches {
        from = List.copyOf(from);
        to = List.copyOf(to);
    }

    /// The store alone.
    public static BuildCaches none() {
        return new BuildCaches(List.of(), List.of(), false);
    }
}
