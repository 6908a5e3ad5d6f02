package dev.caisson.image;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.HashSet;
import java.util.Set;

/// Adds up the bytes of the files in a tree; a file with several names counts once.
final class TreeSize {
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final Set<Long> seen = new HashSet<>();
    private long bytes;

    private TreeSize() {}

    static long of(Fd tree) {
        var size = new TreeSize();
        size.add(tree);
        return size.bytes;
    }

    private void add(Fd directory) {
        for (String name : DirectoryEntries.of(directory)) {
            try {
                FileStatus status = FileSystem.status(directory, name);
                if (status.isDirectory()) {
                    try (Fd below = FileSystem.openAt(directory, name, DIRECTORY, 0, BENEATH)) {
                        add(below);
                    }
                } else if (status.links() == 1 || seen.add(status.inode())) {
                    bytes += status.size();
                }
            } catch (ErrnoException e) {
                if (!e.is(Errno.ENOENT)) { // removed meanwhile
                    throw e;
                }
            }
        }
    }
}
