package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.text.Quoted;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Copies a directory of an image into an empty directory that nobody else writes to: content, owners, modes, times,
/// links, attributes in `user.`, access lists and file capabilities.
///
/// Names are one component below directories that are held open. No link is followed, no other mount is entered, and
/// only regular files are opened. Sockets and devices are left out.
final class TreeCopy {
    private static final int BUFFER = 256 << 10;
    private static final int MOST_DEPTH = 256;
    private static final int S_IFIFO = 0010000;
    private static final int S_IFMT = 0170000;
    private static final int PERMISSIONS = 07777;
    private static final String USER = "user.";
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW;
    private static final int FILE = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;
    private static final int NEW = FileSystem.O_RDWR | FileSystem.O_CREAT | FileSystem.O_EXCL | FileSystem.O_NOFOLLOW;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH
            | FileSystem.RESOLVE_NO_SYMLINKS
            | FileSystem.RESOLVE_NO_XDEV
            | FileSystem.RESOLVE_NO_MAGICLINKS;

    private final Fd top;
    private final long most;
    private final Map<Long, String> linked = new HashMap<>();
    private final byte[] buffer = new byte[BUFFER];
    private final byte[] zeros = new byte[BUFFER];
    private long read;

    private TreeCopy(Fd top, long most) {
        this.top = top;
        this.most = most;
    }

    /// @param most bytes that are read
    /// @throws ImageException TOO_LARGE
    static void copy(Fd from, Fd to, long most) {
        var copy = new TreeCopy(to, most);
        try {
            copy.content(from, to, "", 0);
            finish(from, to);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOSPC) || e.is(Errno.EDQUOT)) {
                throw copy.tooLarge(e);
            }
            throw e;
        }
    }

    private ImageException tooLarge(Throwable cause) {
        return new ImageException(
                Code.TOO_LARGE,
                "what the image has at the mount's target does not fit into " + most
                        + " bytes: give the volume a larger size, or mount it with nocopy",
                cause);
    }

    private void content(Fd from, Fd to, String path, int depth) {
        if (depth > MOST_DEPTH) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    "the image has directories more than " + MOST_DEPTH
                            + " deep at the mount's target: mount the volume with nocopy");
        }
        for (String name : DirectoryEntries.of(from)) {
            FileStatus status = FileSystem.status(from, name);
            if (status.isDirectory()) {
                directory(from, to, name, path + name + "/", depth);
            } else if (status.links() > 1 && linked.containsKey(status.inode())) {
                FileSystem.link(top, linked.get(status.inode()), to, name);
            } else if (leaf(from, to, name, status) && status.links() > 1) {
                linked.put(status.inode(), path + name);
            }
        }
    }

    private void directory(Fd from, Fd to, String name, String path, int depth) {
        Optional<Fd> found = find(from, name, DIRECTORY);
        if (found.isEmpty()) {
            return; // something of the host is mounted there
        }
        FileSystem.makeDirectory(to, name, 0700);
        try (Fd source = found.get();
                Fd made = FileSystem.openAt(to, name, DIRECTORY, 0, BENEATH)) {
            content(source, made, path, depth + 1);
            finish(source, made);
        }
        time(FileSystem.status(from, name), to, name);
    }

    private static Optional<Fd> find(Fd directory, String name, int flags) {
        try {
            return Optional.of(FileSystem.openAt(directory, name, flags, 0, BENEATH));
        } catch (ErrnoException e) {
            if (e.is(Errno.EXDEV)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// @return whether it was copied
    private boolean leaf(Fd from, Fd to, String name, FileStatus status) {
        if (status.isRegularFile()) {
            Optional<Fd> found = find(from, name, FILE);
            if (found.isEmpty()) {
                return false;
            }
            try (Fd source = found.get();
                    Fd made = FileSystem.openAt(to, name, NEW, 0600, BENEATH)) {
                bytes(source, made);
                finish(source, made);
            }
        } else if (status.isSymbolicLink()) {
            FileSystem.makeSymbolicLink(to, name, FileSystem.readLink(from, name));
            FileSystem.changeOwner(to, name, status.uid(), status.gid());
        } else if ((status.mode() & S_IFMT) == S_IFIFO) {
            FileSystem.makeNode(to, name, S_IFIFO | 0600, 0);
            try (Fd made = FileSystem.openAt(to, name, FILE, 0, BENEATH)) {
                FileSystem.changeOwner(made, status.uid(), status.gid());
                FileSystem.changeMode(made, status.mode() & PERMISSIONS);
            }
        } else {
            return false;
        }
        time(status, to, name);
        return true;
    }

    /// Holes stay holes, and count as what they are read as.
    private void bytes(Fd from, Fd to) {
        long position = 0;
        boolean endsInHole = false;
        int length;
        while ((length = FileContent.readAt(from, buffer, position)) > 0) {
            read += length;
            if (read > most) {
                throw tooLarge(new IllegalStateException("the files are larger than the volume"));
            }
            endsInHole = Arrays.equals(buffer, 0, length, zeros, 0, length);
            if (!endsInHole) {
                FileContent.writeAt(to, buffer, 0, length, position);
            }
            position += length;
        }
        if (endsInHole) {
            FileContent.resize(to, position);
        }
    }

    /// The order counts: chown(2) clears setuid bits and file capabilities.
    private static void finish(Fd from, Fd to) {
        FileStatus status = FileSystem.status(from);
        FileSystem.changeOwner(to, status.uid(), status.gid());
        FileSystem.changeMode(to, status.mode() & PERMISSIONS);
        for (String name : ExtendedAttributes.names(from)) {
            if (name.startsWith(USER)
                    || name.equals(ExtendedAttributes.ACCESS_LIST)
                    || (name.equals(ExtendedAttributes.CAPABILITIES) && status.isRegularFile())) {
                ExtendedAttributes.get(from, name).ifPresent(value -> ExtendedAttributes.set(to, name, value));
            }
        }
    }

    private static void time(FileStatus status, Fd directory, String name) {
        Instant modified = status.modified();
        FileSystem.changeTime(directory, name, modified.getEpochSecond(), modified.getNano());
    }

    /// Returns a directory of a tree, which is resolved in it as its root; empty if it has none there.
    static Optional<Fd> find(Fd root, String path) {
        long inRoot = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_XDEV | FileSystem.RESOLVE_NO_MAGICLINKS;
        int flags = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
        try {
            return Optional.of(FileSystem.openAt(root, path.isEmpty() ? "." : path, flags, 0, inRoot));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR) || e.is(Errno.EXDEV) || e.is(Errno.ELOOP)) {
                return Optional.empty();
            }
            throw new ImageException(
                    Code.STORE_REFUSED,
                    "the image's directory " + Quoted.of("/" + path) + " cannot be read (" + e.getMessage() + ")",
                    e);
        }
    }
}
