package dev.caisson.state;

import java.time.Instant;
import java.util.Locale;

/// A line that a container wrote, or a part of one that is long.
///
/// @param time when it was read from the container
/// @param text with the newline, where it is the end of a line; bytes that are no UTF-8 are U+FFFD
public record LogEntry(Stream stream, Instant time, String text) {
    /// The stream that it was written to. All that comes from a terminal is [#STDOUT].
    public enum Stream {
        STDOUT,
        STDERR;

        /// Returns the name in Docker's files.
        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
