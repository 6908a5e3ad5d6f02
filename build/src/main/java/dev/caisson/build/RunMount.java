package dev.caisson.build;

import dev.caisson.build.Operation.Origin;
import java.util.Optional;

/// Files that a `RUN` sees beside those of its image, for as long as it runs.
sealed interface RunMount {
    /// Absolute path in the container.
    String target();

    /// A directory that later builds find again. Nothing of it is in the image.
    record Cache(String id, String target, boolean readOnly, Sharing sharing) implements RunMount {
        /// How builds that run at one time share it.
        enum Sharing {
            SHARED,
            PRIVATE,
            LOCKED
        }
    }

    /// Files of the context, of a stage or of an image, to be read.
    record Bind(Origin origin, String source, String target) implements RunMount {}

    /// A secret, as a file that only its user may read.
    record Secret(String id, String target, boolean required, int mode, int uid, int gid) implements RunMount {}

    /// The keys of an SSH agent, behind a socket that only its user may connect to.
    record Agent(String id, String target, boolean required, int mode, int uid, int gid) implements RunMount {
        /// The id of an agent that is not called otherwise.
        static final String DEFAULT = "default";
    }

    /// Memory.
    record Tmpfs(String target, Optional<String> size) implements RunMount {}
}
