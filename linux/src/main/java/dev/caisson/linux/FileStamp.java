package dev.caisson.linux;

import java.time.Duration;
import java.time.Instant;

/// Identifies one content of one file: as long as the kernel gives a file the same stamp, it was neither
/// replaced nor changed. Every write, and every change of mode, owner or attributes, sets `changed`, and
/// nobody can set it back.
///
/// @param changed when content or inode last changed, statx(2)
public record FileStamp(long fileSystem, long inode, long size, Instant changed, Instant modified) {
    private static final Duration SETTLED = Duration.ofSeconds(1);

    /// Returns the stamp of a file of this status.
    public static FileStamp of(FileStatus status) {
        return new FileStamp(status.fileSystem(), status.inode(), status.size(), status.changed(), status.modified());
    }

    /// Returns true if every later change gives the file another stamp. Times of files are those of the
    /// kernel's last tick, and its clock can be set back: a file that changed less than a second before it
    /// was looked at, or in what was the future then, may change again and keep its stamp.
    ///
    /// @param seen a time before the status was taken
    public boolean isSettled(Instant seen) {
        Instant settled = seen.minus(SETTLED);
        return changed.isBefore(settled) && modified.isBefore(settled);
    }
}
