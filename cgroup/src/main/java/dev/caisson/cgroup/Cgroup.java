package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// A container's group: the same path in every tree that limits, measures or ends it. Holds nothing open; two objects
/// for one group, in one process or in two, see the same.
public final class Cgroup {
    private static final Duration REMOVE_PATIENCE = Duration.ofSeconds(5);
    private static final long FIRST_PAUSE_NANOS = 50_000;
    private static final long LONGEST_PAUSE_NANOS = 20_000_000;

    private final Hierarchy hierarchy;
    private final String group;
    private final List<Tree> trees;
    private volatile List<Lack> lacks;

    Cgroup(Hierarchy hierarchy, String group, List<Tree> trees, List<Lack> lacks) {
        this.hierarchy = hierarchy;
        this.group = group;
        this.trees = trees;
        this.lacks = List.copyOf(lacks);
    }

    /// Limits that were asked for with best effort and that nothing enforces. Known to the object that
    /// made the group.
    public List<Lack> lacks() {
        return lacks;
    }

    /// The path below each tree's root, as `caisson/3f9c`.
    public String path() {
        return group;
    }

    /// Descriptors of the v1 `tasks` files, open for writing, that the caller owns. A single-threaded
    /// process joins by
    /// writing `0` to each; `cgroup.procs` would do the same, after waiting for a lock that every fork
    /// takes.
    public List<Fd> joinFds() {
        var fds = new ArrayList<Fd>();
        try {
            for (Tree tree : trees) {
                if (!tree.isUnified()) {
                    fds.add(tree.openForWriting(group, "tasks"));
                }
            }
            return fds;
        } catch (ErrnoException e) {
            fds.forEach(Fd::close);
            throw gone(e);
        }
    }

    /// The group's directory in the unified tree, for the `cgroup` field of clone3(2), which the caller
    /// owns. Empty
    /// where there is no unified tree.
    public Optional<Fd> cloneInto() {
        Tree unified = unified();
        if (unified == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(unified.openDirectory(group));
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// What the group has used so far.
    public Usage usage() {
        try {
            return UsageFiles.read(controllers(), GroupFiles.of(group));
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// For whoever reads it again and again.
    public Meter meter() {
        return new Meter(this);
    }

    /// Returns what the group has used since it was made. Cheaper than [#usage].
    public Totals totals() {
        try {
            return Totals.read(controllers(), GroupFiles.of(group));
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// CPU time used so far, by all processes on all CPUs. Cheaper than [#usage].
    public Duration cpuTime() {
        try {
            return UsageFiles.cpuTime(controllers(), GroupFiles.of(group));
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// Most memory that was charged at once; empty where the kernel does not keep it. Cheaper than
    /// [#usage].
    public Optional<Bytes> peakMemory() {
        try {
            MemoryController memory = controllers().memory();
            return memory == null ? Optional.empty() : memory.peak(GroupFiles.of(group));
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// How often the limits had to act so far. Cheaper than [#usage].
    public Events events() {
        try {
            MemoryController memory = controllers().memory();
            PidsController pids = controllers().pids();
            GroupFiles files = GroupFiles.of(group);
            return new Events(memory == null ? 0 : memory.oomKills(files), pids == null ? 0 : pids.refused(files));
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// The limits that the kernel holds the group to, read back from it.
    public EffectiveLimits effectiveLimits() {
        try {
            return EffectiveLimits.read(controllers(), group);
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// What has to be written for `limits`, without the values that a new group has and without [#lacks].
    public List<KernelSetting> settings(Limits limits) {
        var settings = new ArrayList<KernelSetting>();
        for (Setting setting : controllers().settings(limits, parent())) {
            if (!setting.isInitial() && !isLacking(setting.limit())) {
                settings.add(setting.written());
            }
        }
        DeviceController devices = controllers().devices();
        if (limits.devices().isPresent() && devices != null && !isLacking(DeviceController.NAME)) {
            settings.add(devices.setting(limits.devices().get()));
        }
        return List.copyOf(settings);
    }

    private boolean isLacking(String limit) {
        return lacks.stream().anyMatch(lack -> lack.limit().equals(limit));
    }

    /// What stands in the kernel in place of each of `settings`; none where it cannot be read any more.
    public List<Standing> standing(List<KernelSetting> settings) {
        return settings.stream()
                .map(setting ->
                        new Standing(setting, setting.asKept(), found(setting).orElse("none")))
                .toList();
    }

    private Optional<String> found(KernelSetting setting) {
        DeviceController devices = controllers().devices();
        if (setting.limit().equals(DeviceController.NAME)) {
            return devices == null ? Optional.empty() : devices.standing(group, setting.rules());
        }
        Tree tree = controllers().tree(setting.controller());
        return tree == null
                ? Optional.empty()
                : tree.find(group, setting.file()).flatMap(setting::within);
    }

    /// One limit beside what the kernel has.
    ///
    /// @param planned as the kernel keeps it
    /// @param found in the kernel
    public record Standing(KernelSetting setting, String planned, String found) {
        public boolean isAsPlanned() {
            return planned.equals(found);
        }
    }

    String parent() {
        return group.substring(0, Math.max(0, group.lastIndexOf('/')));
    }

    /// Changes the limits of the group while it is in use. Device rules and limits of single disks stay, whether they
    /// are given once more or left out.
    /// @param former what was written for the limits that it has now, [#settings]
    /// @throws CgroupException with the former limits in force again; FIXED_LIMIT where a limit is left out
    ///     that the kernel would keep, and for other device rules or limits of single disks
    public void update(Limits limits, List<KernelSetting> former) {
        List<Lack> known = hierarchy.check(limits, parent());
        try {
            lacks = List.copyOf(new Change(controllers(), group, parent(), former, lacks).to(limits, known));
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// Makes a part of this group for one more command.
    /// @param name unique in this group
    public Subgroup subgroup(String name) {
        Hierarchy.checkName(name);
        Tree unified = unified();
        List<Tree> parts = unified != null
                ? List.of(unified)
                : trees.stream()
                        .filter(tree -> tree.controllers().contains("cpuacct")
                                || tree.controllers().contains("freezer"))
                        .toList();
        String part = group + "/" + name;
        Hierarchy.make(part, parts);
        return new Subgroup(this, new Cgroup(hierarchy, part, parts, List.of()));
    }

    /// Numbers of the processes in the group and below it, as seen from this process; 0 for one of another pid
    /// namespace.
    public List<Long> processes() {
        try {
            return members().list();
        } catch (ErrnoException e) {
            throw gone(e);
        }
    }

    /// Kills every process of the group and below it, also those that are being forked. Returns when the kernel has
    /// been told; they are gone when [#remove] succeeds.
    public void kill() {
        members().kill();
    }

    void killFrozen() {
        members().killFrozen();
    }

    /// Stops every process of the group and below it, and waits until they have stopped.
    /// @throws CgroupException BUSY where some do not, as one that waits for a disk; then all run on
    public void pause() {
        pause(() -> false);
    }

    /// As [#pause()], for as long as nobody has enough of waiting.
    /// @param enough asked while it is waited for: returns early where it says so, with some still running
    public void pause(BooleanSupplier enough) {
        try {
            members().pause(enough);
        } catch (ErrnoException e) { // removed meanwhile
            throw gone(e);
        }
    }

    /// Lets the processes run on that [#pause] stopped.
    public void resume() {
        members().resume();
    }

    /// Whether every process of the group has stopped.
    public boolean isPaused() {
        return members().isPaused();
    }

    private GroupProcesses members() {
        Tree freezer = controllers().tree("freezer");
        return new GroupProcesses(group, trees, unified(), freezer != null && trees.contains(freezer) ? freezer : null);
    }

    /// Removes the group from every tree, with the groups below it. Waits for processes that are on their
    /// way out.
    /// @throws CgroupException BUSY where some stay for five seconds
    public void remove() {
        remove(REMOVE_PATIENCE);
    }

    /// As [#remove()], for no longer than `patience`.
    /// @throws CgroupException BUSY where some stay
    public void remove(Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        long pause = FIRST_PAUSE_NANOS;
        while (true) {
            ErrnoException busy = null;
            for (Tree tree : trees) {
                try {
                    tree.removeAll(group);
                } catch (ErrnoException e) {
                    if (!e.is(Errno.EBUSY)) {
                        throw new CgroupException(
                                Code.KERNEL_REFUSED,
                                "The kernel refused to remove the group " + group + " in " + tree.path() + " ("
                                        + Errno.name(e.errno()) + ").",
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
                        "The group " + group + " still holds the processes " + processes()
                                + "; kill them and remove it again.",
                        busy);
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
        }
    }

    List<Tree> trees() {
        return trees;
    }

    private @Nullable Tree unified() {
        Tree unified = controllers().unified();
        return unified != null && trees.contains(unified) ? unified : null;
    }

    Controllers controllers() {
        return hierarchy.controllers();
    }

    CgroupException gone(ErrnoException e) {
        if (e.is(Errno.ENOENT) || e.is(Errno.ENODEV)) {
            return new CgroupException(
                    Code.NO_SUCH_GROUP, "The group " + group + " is gone, or was never whole; remove what is left.", e);
        }
        return new CgroupException(
                Code.KERNEL_REFUSED,
                "The kernel refused to read the group " + group + " (" + Errno.name(e.errno()) + ").",
                e);
    }

    @Override
    public String toString() {
        return group;
    }
}
