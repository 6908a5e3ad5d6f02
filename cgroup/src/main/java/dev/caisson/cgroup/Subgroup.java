package dev.caisson.cgroup;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A part of a container's group for one more command in it, which is limited with the container and can be
/// timed and
/// ended on its own. It exists in the unified tree only, where a group needs no controller for that;
/// without one, in
/// the trees that count CPU time and freeze. A container that is removed takes its parts with it.
public final class Subgroup {
    private final Cgroup container;
    private final Cgroup own;

    Subgroup(Cgroup container, Cgroup own) {
        this.container = container;
        this.own = own;
    }

    /// The path below each tree's root, as `caisson/3f9c/exec-1`.
    public String path() {
        return own.path();
    }

    /// As [Cgroup#joinFds]: the container's own files where the part has no group.
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
            throw own.gone(e);
        }
    }

    /// As [Cgroup#cloneInto].
    public Optional<Fd> cloneInto() {
        return own.cloneInto();
    }

    /// CPU time of this part alone.
    public Usage.Cpu cpu() {
        try {
            return UsageFiles.cpu(container.controllers(), GroupFiles.of(path()), Usage.Throttling.NONE);
        } catch (ErrnoException e) {
            throw own.gone(e);
        }
    }

    /// As [Cgroup#processes], of this part alone.
    public List<Long> processes() {
        return own.processes();
    }

    /// As [Cgroup#kill], of this part alone.
    public void kill() {
        own.kill();
    }

    /// As [Cgroup#remove], of this part alone.
    public void remove() {
        own.remove();
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
