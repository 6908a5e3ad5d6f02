package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// One path in some of the trees, and the processes there: made, joined, stopped, killed and removed. Knows no limits.
///
/// @param path below each tree's root
/// @param trees that have the group
record Group(Controllers controllers, String path, List<Tree> trees) {
    static final Duration REMOVE_PATIENCE = Duration.ofSeconds(5);
    private static final long FIRST_PAUSE_NANOS = 50_000;
    private static final long LONGEST_PAUSE_NANOS = 20_000_000;

    /// Makes `group` in all of the trees or in none.
    /// @throws CgroupException ALREADY_EXISTS, NO_SUCH_GROUP where there is none to make it in,
    /// KERNEL_REFUSED
    static void make(String group, List<Tree> joined) {
        var made = new ArrayList<Tree>();
        try {
            for (Tree tree : joined) {
                tree.make(group);
                made.add(tree);
            }
        } catch (ErrnoException e) {
            undo(group, made, e);
            throw switch (e.errno()) {
                case Errno.EEXIST ->
                    new CgroupException(
                            Code.ALREADY_EXISTS,
                            "the group " + group + " exists already; give another name or remove it first",
                            e);
                case Errno.ENOENT ->
                    new CgroupException(Code.NO_SUCH_GROUP, "there is no group to make " + group + " in", e);
                default -> CgroupException.refused("to make the group " + group, e);
            };
        }
    }

    static void undo(String group, List<Tree> made, RuntimeException failure) {
        for (Tree tree : made.reversed()) {
            try {
                tree.remove(group);
            } catch (ErrnoException e) {
                failure.addSuppressed(e);
            }
        }
    }

    List<Fd> joinFds() {
        return joinFds(_ -> true);
    }

    boolean chargesInUnified() {
        Tree memory = controllers.tree("memory");
        return memory != null && memory.isUnified();
    }

    /// @param wanted which of the version 1 trees are joined
    List<Fd> joinFds(Predicate<Tree> wanted) {
        return openJoins(tree -> !tree.isUnified() && wanted.test(tree));
    }

    List<Fd> allJoinFds() {
        return openJoins(_ -> true);
    }

    private List<Fd> openJoins(Predicate<Tree> wanted) {
        var fds = new ArrayList<Fd>();
        try {
            for (Tree tree : trees) {
                if (wanted.test(tree)) {
                    fds.add(tree.openForWriting(path, tree.isUnified() ? "cgroup.procs" : "tasks"));
                }
            }
            return fds;
        } catch (ErrnoException e) {
            fds.forEach(Fd::close);
            throw CgroupException.gone(path, e);
        }
    }

    boolean holds(long pid) {
        return trees.stream().allMatch(tree -> tree.processes(path).contains(pid));
    }

    Optional<Fd> cloneInto() {
        Tree unified = unified();
        if (unified == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(unified.openDirectory(path));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path, e);
        }
    }

    Cgroup.WatchFiles watchFiles() {
        Tree memory = controllers.tree("memory");
        Optional<Fd> outOfMemory = memory == null || !trees.contains(memory)
                ? Optional.empty()
                : memory.findFile(path, memory.isUnified() ? "memory.events" : "memory.oom_control");
        Tree unified = unified();
        Tree freezer = controllers.tree("freezer");
        try {
            if (unified != null) {
                return new Cgroup.WatchFiles(outOfMemory, unified.findWritable(path, "cgroup.freeze"), true);
            }
            Optional<Fd> state = freezer == null || !trees.contains(freezer)
                    ? Optional.empty()
                    : freezer.findWritable(path, "freezer.state");
            return new Cgroup.WatchFiles(outOfMemory, state, false);
        } catch (ErrnoException e) {
            outOfMemory.ifPresent(Fd::close);
            throw CgroupException.gone(path, e);
        }
    }

    List<Long> processes() {
        try {
            return members().list();
        } catch (ErrnoException e) {
            throw CgroupException.gone(path, e);
        }
    }

    void pause(BooleanSupplier enough) {
        try {
            members().pause(enough);
        } catch (ErrnoException e) { // removed meanwhile
            throw CgroupException.gone(path, e);
        }
    }

    GroupProcesses members() {
        Tree freezer = controllers.tree("freezer");
        return new GroupProcesses(path, trees, unified(), freezer != null && trees.contains(freezer) ? freezer : null);
    }

    void remove(Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        long pause = FIRST_PAUSE_NANOS;
        while (true) {
            ErrnoException busy = null;
            for (Tree tree : trees) {
                try {
                    tree.removeAll(path);
                } catch (ErrnoException e) {
                    if (!e.is(Errno.EBUSY)) {
                        throw new CgroupException(
                                Code.KERNEL_REFUSED,
                                "the kernel refused to remove the group " + path + " in " + tree.path() + " ("
                                        + Errno.name(e.errno()) + ")",
                                e);
                    }
                    busy = e;
                }
            }
            if (busy == null) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new CgroupException(
                        Code.BUSY,
                        "the group " + path + " still holds the processes " + processes()
                                + "; kill them and remove it again",
                        busy);
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
        }
    }

    @Nullable
    Tree unified() {
        Tree unified = controllers.unified();
        return unified != null && trees.contains(unified) ? unified : null;
    }
}
