package dev.caisson.cgroup;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One mounted tree of groups, reached by its open root directory. Groups are named by their path below the
/// root.
final class Tree implements AutoCloseable {
    /// Stands for the unified tree where trees are told apart by their controllers.
    static final String UNIFIED = "unified";

    private static final long CGROUP_SUPER_MAGIC = 0x27e0eb; // linux/magic.h
    private static final long CGROUP2_SUPER_MAGIC = 0x63677270;
    private static final String SUBTREE_CONTROL = "cgroup.subtree_control";

    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final int MODE = 0755;
    private static final String PROCESSES = "cgroup.procs";
    private static final int MANY = 64 << 20;

    private final Path path;
    private final Fd root;
    private final boolean unified;
    private final Set<String> controllers;

    private Tree(Path path, Fd root, boolean unified, Set<String> controllers) {
        this.path = path;
        this.root = root;
        this.unified = unified;
        this.controllers = controllers;
    }

    /// Empty where the mount is hidden by a later one, cannot be reached, or offers nothing that is not in
    /// `taken`.
    static Optional<Tree> open(Mounts.Mount mount, Set<String> taken) {
        if (mount.unified() ? taken.contains(UNIFIED) : taken.containsAll(mount.controllers())) {
            return Optional.empty();
        }
        Fd root;
        try {
            root = FileSystem.open(mount.point(), DIRECTORY);
        } catch (ErrnoException e) {
            return Optional.empty();
        }
        try {
            if (FileSystem.type(root) != (mount.unified() ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC)) {
                root.close();
                return Optional.empty();
            }
            Set<String> controllers = mount.unified()
                    ? words(FileSystem.readText(root, "cgroup.controllers"))
                    : Set.copyOf(mount.controllers());
            return Optional.of(new Tree(Path.of(mount.point()), root, mount.unified(), controllers));
        } catch (RuntimeException e) {
            root.close();
            throw e;
        }
    }

    /// A tree at a directory that the caller vouches for.
    static Tree at(Path path, boolean unified, Set<String> controllers) {
        return new Tree(path, FileSystem.open(path.toString(), DIRECTORY), unified, controllers);
    }

    Path path() {
        return path;
    }

    boolean isUnified() {
        return unified;
    }

    Set<String> controllers() {
        return controllers;
    }

    void make(String group) {
        FileSystem.makeDirectory(root, group, MODE);
    }

    /// Makes `group` and those above it, each ready to hold groups that use those of `used` that this tree
    /// has.
    void prepare(String group, Set<String> used) {
        if (unified) {
            delegate("", used);
        }
        for (int end = group.indexOf('/'); ; end = group.indexOf('/', end + 1)) {
            String above = end < 0 ? group : group.substring(0, end);
            try {
                make(above);
            } catch (ErrnoException e) {
                if (!e.is(Errno.EEXIST)) {
                    throw e;
                }
            }
            if (unified) {
                delegate(above, used);
            } else {
                countBelow(above);
                fillCpuset(above);
            }
            if (end < 0) {
                return;
            }
        }
    }

    /// Version 2: lets the groups below `group` have the controllers of `used`.
    private void delegate(String group, Set<String> used) {
        Set<String> missing = new LinkedHashSet<>(words(read(group, "cgroup.controllers")));
        missing.retainAll(used); // each controller costs every group below a few files
        missing.removeAll(words(read(group, SUBTREE_CONTROL)));
        for (String controller : missing) {
            write(group, SUBTREE_CONTROL, "+" + controller);
        }
    }

    /// Version 1 before Linux 5.11: a memory limit holds for the groups below only where this is switched on.
    private void countBelow(String group) {
        if (controllers.contains("memory")
                && find(group, "memory.use_hierarchy").filter("0"::equals).isPresent()) {
            write(group, "memory.use_hierarchy", "1");
        }
    }

    /// Version 1: a new group has no CPU and no memory node, and nothing can join it. Ours get what `group`
    /// has, and hand it on to those that are made below.
    private void fillCpuset(String group) {
        if (!controllers.contains("cpuset")) {
            return;
        }
        String above = group.substring(0, Math.max(0, group.lastIndexOf('/')));
        for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
            if (read(group, file).isEmpty()) {
                write(group, file, read(above, file));
            }
        }
        write(group, "cgroup.clone_children", "1");
    }

    boolean exists(String group) {
        return FileSystem.isDirectory(root, group);
    }

    /// A file's text without the line's end.
    String read(String group, String file) {
        return KernelText.read(root, in(group, file));
    }

    /// Empty where this kernel, or the root group, does not have the file.
    Optional<String> find(String group, String file) {
        return KernelText.find(root, in(group, file));
    }

    /// Open for reading; empty where this kernel, or the root group, does not have the file.
    Optional<Fd> findFile(String group, String file) {
        return FileSystem.find(
                root,
                in(group, file),
                FileSystem.O_RDONLY,
                FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS);
    }

    /// Open for reading and writing; empty where this kernel does not have the file.
    Optional<Fd> findWritable(String group, String file) {
        return FileSystem.find(
                root, in(group, file), FileSystem.O_RDWR, FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS);
    }

    void write(String group, String file, String value) {
        FileSystem.writeText(root, in(group, file), value);
    }

    /// False where this kernel does not have the file, or the group is gone.
    boolean writeIfThere(String group, String file, String value) {
        try {
            write(group, file, value);
            return true;
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENODEV)) {
                return false;
            }
            throw e;
        }
    }

    Fd openForWriting(String group, String file) {
        return open(in(group, file), FileSystem.O_WRONLY);
    }

    Fd openDirectory(String group) {
        return open(group, DIRECTORY);
    }

    /// Names of the groups that `group` holds; none where it does not exist.
    List<String> children(String group) {
        try (Fd directory = group.isEmpty() ? openDirectory(".") : openDirectory(group)) {
            return DirectoryEntries.directories(directory);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENODEV)) { // it may go while it is listed
                return List.of();
            }
            throw e;
        }
    }

    /// Processes of `group` and the groups below it; none where it does not exist.
    List<Long> processes(String group) {
        var processes = new ArrayList<Long>();
        try (Fd file = open(in(group, PROCESSES), FileSystem.O_RDONLY)) {
            // one read(2) gives as many as fit its buffer, not all
            new String(FileSystem.read(file, MANY), StandardCharsets.US_ASCII)
                    .lines()
                    .map(Long::valueOf)
                    .forEach(processes::add);
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT) && !e.is(Errno.ENODEV)) { // ENODEV: it went after it was opened
                throw e;
            }
        }
        children(group).forEach(child -> processes.addAll(processes(group + "/" + child)));
        return processes;
    }

    /// Removes `group` alone.
    void remove(String group) {
        FileSystem.removeDirectory(root, group);
    }

    /// Removes `group` and the groups below it, deepest first; nothing where it does not exist.
    void removeAll(String group) {
        try {
            remove(group);
            return;
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return;
            }
            if (!e.is(Errno.EBUSY)) {
                throw e;
            }
        }
        children(group).forEach(child -> removeAll(group + "/" + child));
        try {
            remove(group);
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    private Fd open(String below, int flags) {
        return FileSystem.openAt(root, below, flags, 0, FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS);
    }

    private static String in(String group, String file) {
        return group.isEmpty() ? file : group + "/" + file;
    }

    private static Set<String> words(String text) {
        String stripped = text.strip();
        return stripped.isEmpty() ? Set.of() : new LinkedHashSet<>(List.of(stripped.split("\\s+", -1)));
    }

    @Override
    public void close() {
        root.close();
    }

    @Override
    public String toString() {
        return path + " " + controllers;
    }
}
