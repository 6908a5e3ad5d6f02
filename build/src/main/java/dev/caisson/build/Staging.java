package dev.caisson.build;

import dev.caisson.build.Selection.Item;
import dev.caisson.build.Selection.Top;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;

/// Copies selected files to a place of the build's own, to be shown to a container.
final class Staging {
    private static final int BUFFER = 1 << 16;
    private static final int CREATE = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private Staging() {}

    /// @param to does not exist; its directory is the build's own
    static void copy(FileTree from, Top top, Path to) {
        try (Fd above = FileSystem.open(String.valueOf(to.getParent()), DIRECTORY)) {
            String name = String.valueOf(to.getFileName());
            for (Item item : top.items()) {
                one(from, item, above, FileTree.join(name, item.path()));
            }
        } catch (ErrnoException e) {
            throw Workplace.failed(e);
        }
    }

    private static void one(FileTree from, Item item, Fd above, String whole) {
        String path = whole.endsWith("/") ? whole.substring(0, whole.length() - 1) : whole;
        int slash = path.lastIndexOf('/');
        String directory = slash < 0 ? "." : path.substring(0, slash);
        String name = path.substring(slash + 1);
        FileStatus status = item.node().status();
        try (Fd parent = FileSystem.openAt(above, directory, DIRECTORY, 0, BENEATH)) {
            if (status.isDirectory()) {
                FileSystem.makeDirectory(parent, name, 0700);
                try (Fd made = FileSystem.openAt(parent, name, DIRECTORY, 0, BENEATH)) {
                    finish(made, status);
                }
            } else if (status.isSymbolicLink()) {
                FileSystem.makeSymbolicLink(parent, name, item.link());
            } else {
                try (Fd source = from.open(item.node());
                        Fd made = FileSystem.openAt(parent, name, CREATE, 0600, BENEATH)) {
                    content(source, made);
                    finish(made, status);
                }
            }
        }
    }

    /// Files are shown as the container's root's: what they may do is that of the copy.
    private static void finish(Fd made, FileStatus status) {
        FileSystem.changeMode(made, status.permissions() & 0777);
    }

    private static void content(Fd source, Fd made) {
        var buffer = new byte[BUFFER];
        long position = 0;
        for (int count = FileContent.readAt(source, buffer, position);
                count > 0;
                count = FileContent.readAt(source, buffer, position)) {
            FileContent.writeAt(made, buffer, 0, count, position);
            position += count;
        }
    }
}
