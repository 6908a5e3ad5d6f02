package dev.caisson.cgroup;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A part of a container's group for one more command in it, which is limited with the container and can be
/// timed and ended on its own. It exists in the unified tree only, where a group needs no controller for
/// that; without one, in the trees that count CPU time and freeze. A container that is removed takes its
/// parts with it.
public final class Subgroup {
    private final Group container;
    private final Group own;

    Subgroup(Group container, Group own) {
        this.container = container;
        this.own = own;
    }

    /// The path below each tree's root, as `caisson/3f9c/exec-1`.
    public String path() {
        return own.path();
    }

    /// Like [Cgroup#joinFds]; in a tree without a group of this part, the container's own file.
    public List<Fd> joinFds() {
        var fds = new ArrayList<Fd>();
        try {
            for (Tree tree : container.trees()) {
                if (!tree.isUnified()) {
                    fds.add(tree.openForWriting(own.trees().contains(tree) ? path() : container.path(), "tasks"));
                }
            }
            return fds;
        } catch (ErrnoException e) {
            fds.forEach(Fd::close);
            throw CgroupException.gone(path(), e);
        }
    }

    /// Like [Cgroup#cloneInto].
    public Optional<Fd> cloneInto() {
        return own.cloneInto();
    }

    /// Opens `cgroup.procs` of the unified tree for writing; empty without one.
    public Optional<Fd> processesFile() {
        try {
            return Optional.ofNullable(container.unified()).map(tree -> tree.openForWriting(path(), "cgroup.procs"));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// Opens `cgroup.kill` for writing, which ends every process in it; empty without a unified tree.
    public Optional<Fd> killFile() {
        try {
            return Optional.ofNullable(container.unified()).map(tree -> tree.openForWriting(path(), "cgroup.kill"));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// Returns the CPU time of this part alone.
    public Usage.Cpu cpu() {
        try {
            return UsageFiles.cpu(container.controllers(), GroupFiles.of(path()), Usage.Throttling.NONE);
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// Like [Cgroup#processes], for this part alone.
    public List<Long> processes() {
        return own.processes();
    }

    /// Like [Cgroup#kill], for this part alone.
    public void kill() {
        own.members().kill();
    }

    /// Like [Cgroup#remove], for this part alone.
    public void remove() {
        own.remove(Group.REMOVE_PATIENCE);
    }

    /// Removes it unless a process is in it.
    /// @return false if one is, or is on its way out; a part that is gone already is removed
    public boolean removeIfEmpty() {
        try {
            own.remove(Duration.ZERO);
            return true;
        } catch (CgroupException e) {
            if (e.reason() == CgroupException.Code.BUSY) {
                return false;
            }
            throw e;
        }
    }

    /// CPU time of this part alone, zero where it is gone with its container.
    public Duration cpuTime() {
        try {
            return cpu().total();
        } catch (CgroupException e) {
            if (e.reason() == CgroupException.Code.NO_SUCH_GROUP) {
                return Duration.ZERO;
            }
            throw e;
        }
    }
}
