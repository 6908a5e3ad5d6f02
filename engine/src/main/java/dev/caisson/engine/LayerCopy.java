package dev.caisson.engine;

import dev.caisson.launch.IdRange;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/// Copies what a container has changed into an empty directory, to be a layer below other containers: in
/// the form of the kernel's overlay, with ids as the container sees them. Sockets are left out, as is what
/// each start makes.
///
/// Names are one component below a directory that is held open, no link is followed, no other mount is
/// entered, and only regular files are opened. Holes stay holes, so a file costs what it takes, whatever
/// size it claims.
final class LayerCopy {
    private static final int BUFFER = 256 << 10;
    private static final int S_IFCHR = 0020000;
    private static final int S_IFIFO = 0010000;
    private static final String OPAQUE = "trusted.overlay.opaque";
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW;
    /// A pipe that was put in the place of a file would hold up whoever opens it.
    private static final int FILE = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK;

    private static final int NEW = FileSystem.O_RDWR | FileSystem.O_CREAT | FileSystem.O_EXCL | FileSystem.O_NOFOLLOW;
    private static final long BENEATH =
            FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS | FileSystem.RESOLVE_NO_XDEV;

    private final int idBase;
    private final Set<String> ours;
    private final OptionalLong deadline;
    private final Fd top;
    private final Map<Long, String> linked = new HashMap<>();
    private final byte[] buffer = new byte[BUFFER];
    private int entries;
    private long copied;

    /// @param idBase the host's number of the container's user 0
    /// @param ours paths that each start makes
    /// @param deadline in the time of [System#nanoTime]
    /// @param to an empty directory that nobody else writes to
    LayerCopy(int idBase, Set<String> ours, OptionalLong deadline, Fd to) {
        this.idBase = idBase;
        this.ours = ours;
        this.deadline = deadline;
        this.top = to;
    }

    /// Copies all of it.
    /// @param upper the directory that the container writes
    /// @throws EngineException SNAPSHOT_SLOW, LAYER_DEVICE, LAYER_REDIRECT, FILE_CHANGED, FILE_TREE_TOO_LARGE
    /// @return how many bytes the files take, without their holes
    long copy(Fd upper) {
        content(upper, top, "", 0);
        finish(upper, top, "/");
        return copied;
    }

    private void content(Fd from, Fd to, String path, int depth) {
        if (depth > LayerDiff.DEPTH) {
            throw FileFailures.of(Errno.E2BIG, path);
        }
        for (String name : DirectoryEntries.of(from, LayerDiff.MOST_ENTRIES)) {
            String own = path + "/" + name;
            if (++entries > LayerDiff.MOST_ENTRIES) {
                throw FileFailures.of(Errno.E2BIG, path);
            }
            if (!ours.contains(own)) {
                requireTime();
                FileStatus status = FileSystem.findStatus(from, name).orElseThrow(() -> FileFailures.changed(own));
                try {
                    entry(from, to, name, own, status, depth);
                } catch (ErrnoException e) {
                    throw MemberPack.replaced(e, own);
                }
            }
        }
    }

    private void requireTime() {
        if (deadline.isPresent() && System.nanoTime() - deadline.getAsLong() > 0) {
            throw new EngineException(
                    "SNAPSHOT_SLOW",
                    "the files that the container has changed could not be copied in the time for which it may stand"
                            + " still: stop it first, or let it write less outside of its volumes");
        }
    }

    private void entry(Fd from, Fd to, String name, String path, FileStatus status, int depth) {
        if (LayerDiff.isWhiteout(status)) {
            FileSystem.makeNode(to, name, S_IFCHR, 0);
        } else if (status.isDirectory()) {
            directory(from, to, name, path, depth);
        } else if (status.isSocket()) {
            return; // belongs to a process that is not part of a snapshot
        } else if (status.links() > 1 && linked.containsKey(status.inode())) {
            FileSystem.link(top, linked.get(status.inode()), to, name);
        } else {
            leaf(from, to, name, path, status);
            if (status.links() > 1) {
                linked.put(status.inode(), path.substring(1));
            }
        }
    }

    private void directory(Fd from, Fd to, String name, String path, int depth) {
        FileSystem.makeDirectory(to, name, 0700);
        try (Fd source = FileSystem.openAt(from, name, DIRECTORY, 0, BENEATH);
                Fd made = FileSystem.openAt(to, name, DIRECTORY, 0, BENEATH)) {
            content(source, made, path, depth + 1);
            finish(source, made, path);
            time(FileSystem.status(source), to, name);
        }
    }

    private void leaf(Fd from, Fd to, String name, String path, FileStatus status) {
        if (status.isSymbolicLink()) {
            FileSystem.makeSymbolicLink(to, name, FileSystem.readLink(from, name));
            FileSystem.changeOwner(to, name, id(status.uid(), status, path), id(status.gid(), status, path));
            time(status, to, name);
        } else if (status.isRegularFile()) {
            try (Fd source = FileSystem.openAt(from, name, FILE, 0, BENEATH);
                    Fd made = FileSystem.openAt(to, name, NEW, 0600, BENEATH)) {
                bytes(source, made, path);
                finish(source, made, path);
                time(FileSystem.status(source), to, name);
            }
        } else if (status.isPipe()) {
            FileSystem.makeNode(to, name, S_IFIFO | 0600, 0);
            try (Fd made = FileSystem.openAt(to, name, FILE, 0, BENEATH)) {
                FileSystem.changeOwner(made, id(status.uid(), status, path), id(status.gid(), status, path));
                FileSystem.changeMode(made, status.permissions());
            }
            time(status, to, name);
        } else {
            throw new EngineException(
                    "LAYER_DEVICE", Quoted.of(path) + " is a device, which no snapshot may have: remove it");
        }
    }

    /// Copies the file's bytes up to the size that it has now: nothing of what is added meanwhile.
    private void bytes(Fd from, Fd to, String path) {
        FileStatus status = FileSystem.status(from);
        if (!status.isRegularFile()) {
            throw FileFailures.changed(path);
        }
        long size = status.size();
        long position = FileContent.nextData(from, 0);
        while (position < size) {
            long end = Math.min(size, FileContent.nextHole(from, position));
            while (position < end) {
                requireTime();
                int count = FileContent.readAt(from, buffer, position);
                if (count == 0) {
                    throw FileFailures.changed(path);
                }
                int part = (int) Math.min(count, end - position);
                FileContent.writeAt(to, buffer, 0, part, position);
                position += part;
                copied += part;
            }
            position = FileContent.nextData(from, position);
        }
        FileContent.resize(to, size);
    }

    /// The order counts: chown(2) clears setuid bits and file capabilities.
    private void finish(Fd from, Fd to, String path) {
        FileStatus status = FileSystem.status(from);
        List<String> names = ExtendedAttributes.names(from);
        MemberPack.requireWhole(names, path);
        FileSystem.changeOwner(to, id(status.uid(), status, path), id(status.gid(), status, path));
        FileSystem.changeMode(to, status.permissions());
        MemberPack.extended(from, names, idBase).forEach((name, value) -> ExtendedAttributes.set(to, name, value));
        if (status.isDirectory() && LayerDiff.isOpaque(from)) {
            ExtendedAttributes.set(to, OPAQUE, new byte[] {'y'});
        }
    }

    private int id(int ofHost, FileStatus status, String path) {
        int id = ofHost - idBase;
        if (id < 0 || id >= IdRange.WIDTH) {
            throw FileFailures.owner(path, Integer.toUnsignedLong(status.uid()), Integer.toUnsignedLong(status.gid()));
        }
        return id;
    }

    private static void time(FileStatus status, Fd directory, String name) {
        Instant modified = status.modified();
        FileSystem.changeTime(directory, name, modified.getEpochSecond(), modified.getNano());
    }
}
