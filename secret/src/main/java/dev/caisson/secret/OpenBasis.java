package dev.caisson.secret;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/// What a store that asks nobody was opened by: the kernel's key of an unlocked one, or a key file. While it is there,
/// the store could be opened again.
///
/// @param fileSystem of the store's directory
/// @param key the file that has the key, or that the kernel's key is for
/// @param session the kernel has the key
record OpenBasis(long fileSystem, long inode, OneFile key, boolean session) {
    record OneFile(long fileSystem, long inode, long size, Instant changed) {
        private static OneFile of(FileStatus status) {
            return new OneFile(status.fileSystem(), status.inode(), status.size(), status.changed());
        }
    }

    /// Returns that of the store as it is; nothing if it asks somebody.
    static Optional<OpenBasis> of(Path directory) {
        try (StoreDirectory root = StoreFiles.find(directory, step -> {})) {
            FileStatus own = FileSystem.status(root.descriptor());
            if (UnlockedSession.isThere(root)) {
                return FileSystem.findStatus(root.descriptor(), UnlockedSession.NAME)
                        .map(file -> new OpenBasis(own.fileSystem(), own.inode(), OneFile.of(file), true));
            }
            return StoreFiles.unlocker(root) instanceof Unlocker.KeyFile file
                    ? Optional.of(new OpenBasis(own.fileSystem(), own.inode(), status(file.path()), false))
                    : Optional.empty();
        } catch (ErrnoException | SecretException e) {
            return Optional.empty();
        }
    }

    private static OneFile status(Path file) {
        try (Fd found = FileSystem.open(file.toString(), FileSystem.O_PATH)) {
            return OneFile.of(FileSystem.status(found));
        }
    }
}
