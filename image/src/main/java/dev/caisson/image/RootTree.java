package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.text.Quoted;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The directories of a root file system that is being unpacked, each reached by descriptor from its root: the kernel
/// resolves every name with that root as `/`, so a link can lead nowhere else (CVE-2018-15664 and its kind).
///
/// It also remembers which names the present layer brought, because a whiteout hides only those of the layers below.
final class RootTree implements AutoCloseable {
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long WITHIN = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS;
    private static final long HERE = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    /// An open directory, by the number that names it among those of the tree, and its time when it was opened.
    record Directory(Fd fd, long inode, Instant modified) implements AutoCloseable {
        @Override
        public void close() {
            fd.close();
        }
    }

    private record Name(long directory, String name) {}

    private final Directory root;
    private final UnpackBudget budget;
    private final Map<Long, Integer> depths = new HashMap<>();
    private final Set<Name> brought = new HashSet<>();
    /// Directories in which nothing of the layers below is left.
    private final Set<Long> opaque = new HashSet<>();
    private List<String> latestPath = List.of();
    private Optional<Directory> latest = Optional.empty();

    /// @param root stays the caller's
    RootTree(Fd root, UnpackBudget budget) {
        this.root = directory(root);
        this.budget = budget;
    }

    /// Forgets what the layer before brought.
    void beginLayer() {
        brought.clear();
        opaque.clear();
    }

    /// The directory with these components, made where it does not exist; valid until the next call of this.
    Directory make(List<String> path) {
        if (path.isEmpty()) {
            return root;
        }
        if (latest.isPresent() && latestPath.equals(path)) {
            return latest.orElseThrow();
        }
        budget.steps(path.size());
        var opened = new ArrayList<Directory>();
        try {
            for (int depth = 1; depth <= path.size(); depth++) {
                Directory above = opened.isEmpty() ? root : opened.getLast();
                List<String> step = path.subList(0, depth);
                opened.add(find(step).orElseGet(() -> makeStep(above, step)));
                bring(above, step.getLast());
            }
            forgetLatest();
            latestPath = List.copyOf(path);
            latest = Optional.of(opened.removeLast());
            return latest.orElseThrow();
        } finally {
            opened.forEach(Directory::close);
        }
    }

    private Directory makeStep(Directory above, List<String> path) {
        try {
            return makeDirectory(above, path.getLast());
        } catch (ErrnoException e) {
            if (e.is(Errno.EEXIST)) {
                throw new ImageException(
                        Code.UNSAFE_ENTRY,
                        "the archive has a file below " + Quoted.of(String.join("/", path))
                                + ", which leads to no directory of the image; build the image again");
            }
            throw e;
        }
    }

    /// Makes the directory `name`, which the caller closes.
    Directory makeDirectory(Directory above, String name) {
        // Names may lead through links, so the depth of a name says nothing about that of the directory it ends in.
        int depth = depths.computeIfAbsent(above.inode(), _ -> depth(above)) + 1;
        if (depth > budget.limits().depth()) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    "the archive has directories more than " + budget.limits().depth() + " deep, as "
                            + Quoted.of(name));
        }
        FileSystem.makeDirectory(above.fd(), name, 0755);
        Directory made = directory(FileSystem.openAt(above.fd(), name, DIRECTORY, 0, HERE));
        depths.put(made.inode(), depth);
        FileSystem.changeMode(made.fd(), 0755);
        return made;
    }

    /// Returns how deep below the root a directory of a layer below is.
    private int depth(Directory directory) {
        try {
            return components(directory) - components(root);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENAMETOOLONG)) {
                return budget.limits().depth();
            }
            throw e;
        }
    }

    private static int components(Directory directory) {
        return (int) FileSystem.path(directory.fd())
                        .chars()
                        .skip(1)
                        .filter(c -> c == '/')
                        .count()
                + (FileSystem.path(directory.fd()).equals("/") ? 0 : 1);
    }

    /// The directory with these components, which the caller closes; nothing where they lead to none.
    Optional<Directory> find(List<String> path) {
        try {
            String name = path.isEmpty() ? "." : String.join("/", path);
            return Optional.of(directory(FileSystem.openAt(root.fd(), name, DIRECTORY, 0, WITHIN)));
        } catch (ErrnoException e) {
            if (isAbsent(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// The directory `name` itself, which the caller closes; nothing where it is something else.
    Optional<Directory> findHere(Directory above, String name) {
        try {
            return Optional.of(directory(FileSystem.openAt(above.fd(), name, DIRECTORY, 0, HERE)));
        } catch (ErrnoException e) {
            if (isAbsent(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Nothing there, something that is no directory, or links that lead to neither.
    private static boolean isAbsent(ErrnoException e) {
        return e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR) || e.is(Errno.ELOOP);
    }

    /// Notes that the present layer has `name`, so that its whiteouts do not hide it.
    void bring(Directory directory, String name) {
        if (brought.add(new Name(directory.inode(), name))) {
            budget.remember(name);
        }
    }

    /// Returns true if the present layer has brought `name`.
    boolean isBrought(Directory directory, String name) {
        return brought.contains(new Name(directory.inode(), name));
    }

    /// Removes what is at `name`, with all below it.
    void remove(Directory directory, String name) {
        List<String> path = latestPath;
        // The latest directory may be below; it stays open for a caller that holds it, and is not found again.
        latestPath = List.of();
        if (!removed(directory.fd(), name)) {
            latestPath = path;
        }
    }

    /// Directories are no deeper than the limits say. None is moved, which an overlay refuses for those of lower
    /// layers.
    /// @return false if nothing was there
    private static boolean removed(Fd directory, String name) {
        Optional<FileStatus> status = FileSystem.findStatus(directory, name);
        if (status.isEmpty()) {
            return false;
        }
        if (!status.orElseThrow().isDirectory()) {
            FileSystem.removeFile(directory, name);
            return true;
        }
        try (Fd below = FileSystem.openAt(directory, name, DIRECTORY, 0, HERE)) {
            for (String inner : DirectoryEntries.of(below)) {
                removed(below, inner);
            }
        }
        FileSystem.removeDirectory(directory, name);
        return true;
    }

    /// Hides what the layers below have at `name`.
    void whiteout(Directory directory, String name) {
        if (!brought.contains(new Name(directory.inode(), name))) {
            remove(directory, name);
            return;
        }
        findHere(directory, name).ifPresent(below -> {
            try (below) {
                makeOpaque(below);
            }
        });
    }

    /// Hides all that the layers below have in `directory`.
    void makeOpaque(Directory directory) {
        if (!opaque.add(directory.inode())) {
            return;
        }
        for (String name : DirectoryEntries.of(directory.fd())) {
            whiteout(directory, name);
        }
    }

    private static Directory directory(Fd fd) {
        FileStatus status = FileSystem.status(fd);
        return new Directory(fd, status.inode(), status.modified());
    }

    private void forgetLatest() {
        latest.ifPresent(Directory::close);
        latest = Optional.empty();
        latestPath = List.of();
    }

    @Override
    public void close() {
        forgetLatest();
    }
}
