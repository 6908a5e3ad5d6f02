package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;

/// One directory of a root file system, remembered by path and identity: it is opened again only if it is the same
/// directory as when the image was resolved, and no link leads to it.
///
/// @param path absolute and free of links
/// @param fileSystem as [FileStatus#fileSystem]
/// @param inode its inode number there
/// @param removable whether the store removes it when nobody has it open
public record Layer(Path path, long fileSystem, long inode, boolean removable) {
    public Layer(Path path, long fileSystem, long inode) {
        this(path, fileSystem, inode, false);
    }

    static Layer of(Path path, Fd directory) {
        FileStatus status = FileSystem.status(directory);
        return new Layer(path, status.fileSystem(), status.inode());
    }

    /// The same directory of a store, which whoever opens it keeps from being removed.
    Layer ofStore() {
        return new Layer(path, fileSystem, inode, true);
    }

    /// Opens the directory. One of the store stays as long as the descriptor, or a copy of it, is open in any process.
    /// @throws ImageException LAYER_CHANGED where another one, or none, stands at the path
    @SuppressWarnings("exports") // for Caisson's own modules
    public Fd open() {
        Fd opened = openNow();
        if (removable) {
            try {
                if (!FileLocks.tryLockShared(opened)) {
                    throw changed();
                }
                openNow().close(); // removal takes the name away before it gives the lock back
            } catch (RuntimeException e) {
                opened.close();
                throw e;
            }
        }
        return opened;
    }

    private Fd openNow() {
        int flags = (removable ? FileSystem.O_RDONLY : FileSystem.O_PATH) | FileSystem.O_DIRECTORY;
        Fd opened;
        try (Fd root = FileSystem.open("/", FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            opened = FileSystem.openAt(root, path.toString(), flags, 0, FileSystem.RESOLVE_NO_SYMLINKS);
        } catch (ErrnoException e) {
            throw new ImageException(
                    Code.LAYER_CHANGED,
                    "the image's layer " + path
                            + " cannot be opened any more, as after an 'rmi' or 'image prune' meanwhile; do it again",
                    e);
        }
        FileStatus status = FileSystem.status(opened);
        if (status.inode() != inode || status.fileSystem() != fileSystem) {
            opened.close();
            throw changed();
        }
        return opened;
    }

    private ImageException changed() {
        return new ImageException(
                Code.LAYER_CHANGED,
                "another directory stands at " + path + " than when the image was resolved; do it again");
    }
}
