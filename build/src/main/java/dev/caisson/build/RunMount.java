package dev.caisson.build;

import dev.caisson.build.Operation.Origin;
import java.util.Optional;

/// What a `RUN` sees beside the files of its image, for as long as it runs.
sealed interface RunMount {
    /// Absolute path in the container.
    String target();

    /// A directory that later builds find again. Nothing of it is in the image.
    record Cache(String id, String target, boolean readOnly, Sharing sharing, int mode, int uid, int gid)
            implements RunMount {
        /// Whether builds that run at one time use it together.
        enum Sharing {
            SHARED,
            PRIVATE,
            LOCKED
        }
    }

    /// Files of the context, of a stage or of an image. What is written there is not kept.
    record Bind(Origin origin, String source, String target, boolean readOnly) implements RunMount {}

    /// A secret, as a file that only its user may read.
    ///
    /// @param variable the variable that has it too, or in place of the file
    record Secret(
            String id,
            String target,
            boolean file,
            Optional<String> variable,
            boolean required,
            int mode,
            int uid,
            int gid)
            implements RunMount {}

    /// Memory.
    record Tmpfs(String target, Optional<String> size) implements RunMount {}
}
