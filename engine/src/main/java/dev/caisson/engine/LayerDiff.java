package dev.caisson.engine;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Compares the layer that a container writes with those of its image, as the kernel's overlay file system keeps
/// them (whiteouts and opaque directories: Documentation/filesystems/overlayfs.rst).
///
/// Names are one component below a directory that is held open, no link is followed, no other mount is entered,
/// and no file is opened: the container may change all of it meanwhile.
final class LayerDiff {
    static final int DEPTH = 100;
    static final int MOST_ENTRIES = 1_000_000;
    private static final String OPAQUE = "trusted.overlay.opaque";
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW;
    private static final long BENEATH =
            FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS | FileSystem.RESOLVE_NO_XDEV;

    private final int idBase;
    private final Set<String> ours;
    private final List<FileChange> changes = new ArrayList<>();
    private int entries;

    /// @param idBase the host's number of the container's user 0
    /// @param ours paths that each start makes, which are no changes of the container's
    LayerDiff(int idBase, Set<String> ours) {
        this.idBase = idBase;
        this.ours = Set.copyOf(ours);
    }

    /// @param upper the directory that the container writes
    /// @param lowers the image's, topmost first
    List<FileChange> of(Fd upper, List<Fd> lowers) {
        directory(upper, lowers, "", 0);
        changes.sort(Comparator.comparing(FileChange::path));
        return List.copyOf(changes);
    }

    static boolean isWhiteout(FileStatus status) {
        return status.isCharacterDevice() && status.deviceMajor() == 0 && status.deviceMinor() == 0;
    }

    /// @return whether something in it was added or deleted, or is ours
    private Below directory(Fd upper, List<Fd> lowers, String path, int depth) {
        if (depth > DEPTH) {
            throw FileFailures.of(Errno.E2BIG, path);
        }
        var seen = new HashSet<String>();
        var below = new Below();
        for (String name : DirectoryEntries.of(upper, MOST_ENTRIES)) {
            seen.add(name);
            if (++entries > MOST_ENTRIES) {
                throw FileFailures.of(Errno.E2BIG, path);
            }
            String own = path + "/" + name;
            if (ours.contains(own)) {
                below.ours = true;
            } else {
                status(upper, name).ifPresent(status -> entry(upper, name, status, lowers, own, depth, below));
            }
        }
        if (isOpaque(upper)) {
            hidden(lowers, seen, path, below);
        }
        return below;
    }

    /// What the caller of a directory needs to know of its entries.
    private static final class Below {
        private boolean counts;
        private boolean ours;
    }

    private void entry(Fd upper, String name, FileStatus status, List<Fd> lowers, String path, int depth, Below below) {
        Optional<FileStatus> before = before(lowers, name);
        if (isWhiteout(status)) {
            if (before.isPresent()) {
                add(FileChange.Kind.DELETED, path);
                below.counts = true;
            }
            return;
        }
        Below inside = status.isDirectory() ? descend(upper, name, lowers, path, depth) : new Below();
        if (before.isEmpty()) {
            add(FileChange.Kind.ADDED, path);
            below.counts = true;
        } else if (!status.isDirectory() || !before.get().isDirectory() || inside.counts) {
            add(FileChange.Kind.CHANGED, path);
        } else if (differs(status, before.get(), inside.ours)) {
            add(FileChange.Kind.CHANGED, path);
        }
    }

    /// A directory is copied up with what is changed below it: that alone is no change of it.
    private boolean differs(FileStatus status, FileStatus before, boolean ours) {
        return status.permissions() != before.permissions()
                || status.uid() - idBase != before.uid()
                || status.gid() - idBase != before.gid()
                || (!ours && !status.modified().equals(before.modified()));
    }

    private void add(FileChange.Kind kind, String path) {
        changes.add(new FileChange(kind, path));
    }

    private Below descend(Fd upper, String name, List<Fd> lowers, String path, int depth) {
        Optional<Fd> opened = open(upper, name);
        if (opened.isEmpty()) {
            return new Below();
        }
        var merged = new ArrayList<Fd>();
        try (Fd own = opened.get()) {
            merge(lowers, name, merged);
            return directory(own, merged, path, depth + 1);
        } finally {
            merged.forEach(Fd::close);
        }
    }

    /// Opens the directories of the image that are seen at a name, topmost first.
    static void merge(List<Fd> lowers, String name, List<Fd> merged) {
        for (Fd lower : lowers) {
            Optional<FileStatus> status = status(lower, name);
            if (status.isEmpty()) {
                if (isOpaque(lower)) {
                    return;
                }
                continue;
            }
            Optional<Fd> directory = status.get().isDirectory() ? open(lower, name) : Optional.empty();
            if (directory.isEmpty()) {
                return;
            }
            merged.add(directory.get());
            if (isOpaque(directory.get()) || isOpaque(lower)) {
                return;
            }
        }
    }

    /// Returns what the image shows at a name.
    private static Optional<FileStatus> before(List<Fd> lowers, String name) {
        for (Fd lower : lowers) {
            Optional<FileStatus> status = status(lower, name);
            if (status.isPresent()) {
                return status.filter(found -> !isWhiteout(found));
            }
            if (isOpaque(lower)) {
                return Optional.empty();
            }
        }
        return Optional.empty();
    }

    /// Adds what an opaque directory hides.
    private void hidden(List<Fd> lowers, Set<String> seen, String path, Below below) {
        for (Fd lower : lowers) {
            for (String name : DirectoryEntries.of(lower, MOST_ENTRIES)) {
                if (seen.add(name) && before(lowers, name).isPresent() && !ours.contains(path + "/" + name)) {
                    add(FileChange.Kind.DELETED, path + "/" + name);
                    below.counts = true;
                }
            }
        }
    }

    static boolean isOpaque(Fd directory) {
        return ExtendedAttributes.get(directory, OPAQUE)
                .filter(value -> value.length == 1 && value[0] == 'y')
                .isPresent();
    }

    /// Empty if it is gone meanwhile, or the container has put something else there.
    private static Optional<Fd> open(Fd above, String name) {
        try {
            return Optional.of(FileSystem.openAt(above, name, DIRECTORY, 0, BENEATH));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR) || e.is(Errno.ELOOP) || e.is(Errno.EXDEV)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static Optional<FileStatus> status(Fd above, String name) {
        try {
            return Optional.of(FileSystem.status(above, name));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
