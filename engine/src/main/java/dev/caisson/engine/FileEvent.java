package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

/// An event of a watched directory or file: inotify(7).
///
/// @param name of the entry in the directory; empty for what is watched itself, and for [Kind#OVERFLOW]
public record FileEvent(Kind kind, String name) {
    /// The kind of an event.
    public enum Kind {
        CREATED,
        /// Bytes were written, or its size changed; more may follow.
        CHANGED,
        /// Somebody who had written to it has closed it.
        WRITTEN,
        /// Owner, permissions or times.
        ATTRIBUTES,
        REMOVED,
        MOVED_AWAY,
        MOVED_HERE,
        /// What was watched is gone: nothing follows.
        GONE,
        /// Events came faster than they were taken, and some are lost: look at the directory again.
        OVERFLOW
    }

    public FileEvent {
        present(kind, "kind");
        present(name, "name");
    }
}
