package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

/// A difference between what a container's root file system holds and what its image has.
///
/// @param path absolute, in the container
public record FileChange(Kind kind, String path) {
    /// What was done.
    public enum Kind {
        ADDED,
        /// Content, owner, permissions or type differ; of a directory also that something in it was added or deleted.
        CHANGED,
        DELETED
    }

    public FileChange {
        present(kind, "kind");
        present(path, "path");
    }
}
