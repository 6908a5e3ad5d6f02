package dev.caisson.secret;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/// Tells one state of a store from the next, without opening it: every change writes the index anew, as another file.
///
/// @param fileSystem of the index
/// @param changed when its inode last changed
/// @param unlocked when the store was unlocked, if it is
public record StoreStamp(long fileSystem, long inode, long size, Instant changed, Optional<Instant> unlocked) {
    /// Returns that of the store of a directory; nothing if there is none that can be looked at.
    public static Optional<StoreStamp> of(Path directory) {
        try {
            return FileSystem.find(directory.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)
                    .flatMap(StoreStamp::in);
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    private static Optional<StoreStamp> in(Fd open) {
        try (Fd root = open) {
            return FileSystem.findStatus(root, StoreFiles.INDEX)
                    .map(index -> new StoreStamp(
                            index.fileSystem(),
                            index.inode(),
                            index.size(),
                            index.changed(),
                            FileSystem.findStatus(root, UnlockedSession.NAME).map(FileStatus::changed)));
        }
    }
}
