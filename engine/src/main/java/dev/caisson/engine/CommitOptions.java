package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.allPresent;
import static dev.caisson.error.ArgumentException.present;

import java.util.List;
import java.util.Optional;

/// How a container becomes an image.
///
/// @param author who made it
/// @param message a word about it, for its history
/// @param changes instructions of a Dockerfile that change the configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL,
///     STOPSIGNAL, USER, VOLUME, WORKDIR
/// @param pause whether one that runs stands still meanwhile
public record CommitOptions(Optional<String> author, Optional<String> message, List<String> changes, boolean pause) {
    /// Changes nothing of the configuration, and pauses.
    public static final CommitOptions STANDARD = new CommitOptions(Optional.empty(), Optional.empty(), List.of(), true);

    public CommitOptions {
        present(author, "author");
        present(message, "message");
        changes = allPresent(changes, "changes");
    }
}
