package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.allPresent;
import static dev.caisson.error.ArgumentException.present;

import java.util.List;
import java.util.Optional;

/// How a root file system becomes an image.
///
/// @param message a word about it, for its history
/// @param changes instructions of a Dockerfile that change the configuration, as in [CommitOptions]
public record ImportOptions(Optional<String> message, List<String> changes) {
    /// An image without a command, a user and variables.
    public static final ImportOptions STANDARD = new ImportOptions(Optional.empty(), List.of());

    public ImportOptions {
        present(message, "message");
        changes = allPresent(changes, "changes");
    }
}
