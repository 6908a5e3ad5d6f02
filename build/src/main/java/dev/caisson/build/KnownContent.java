package dev.caisson.build;

import dev.caisson.build.FileTree.Node;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStamp;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.StampedFiles;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/// The digests of files of a build context that this process has read, also for an earlier build: a file is
/// not read again as long as its stamp is the same. Files of other file systems than the context's are read
/// each time, and all of them on one whose stamps cannot be relied on, as those of another machine or of a
/// program (FUSE).
final class KnownContent {
    /// ext2 to ext4, XFS, Btrfs, tmpfs, overlay, F2FS: statfs(2).
    private static final Set<Long> RELIABLE =
            Set.of(0xef53L, 0x58465342L, 0x9123683eL, 0x01021994L, 0x794c7630L, 0xf2f52010L);

    private static final StampedFiles<String> DIGESTS = new StampedFiles<>(1 << 16);

    private final Instant opened = Instant.now();
    private final long fileSystem;
    private final boolean isReliable;

    /// @param root of the context, none of whose files has been looked at
    KnownContent(Fd root) {
        this.fileSystem = FileSystem.status(root).fileSystem();
        this.isReliable = RELIABLE.contains(FileSystem.type(root));
    }

    /// Returns the digest of a file's content, which has no attributes that a layer keeps.
    Optional<String> digest(Node node) {
        return isReliable && node.status().fileSystem() == fileSystem ? DIGESTS.find(node.status()) : Optional.empty();
    }

    /// Remembers the digest of a file without attributes.
    /// @param file that was read, which may be another one than was listed
    void remember(Node node, Fd file, String digest) {
        FileStamp listed = FileStamp.of(node.status());
        if (isReliable
                && listed.fileSystem() == fileSystem
                && FileStamp.of(FileSystem.status(file)).equals(listed)) {
            DIGESTS.remember(node.status(), opened, digest);
        }
    }

    void forget(Node node) {
        DIGESTS.forget(node.status());
    }
}
