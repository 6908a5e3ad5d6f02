package dev.caisson.cgroup;

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
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/// A container's group: the same path in every tree that limits, measures or ends it. Holds nothing open; two objects
/// for one group, in one process or in two, see the same.
public final class Cgroup {
    private static final Duration ENDING_PATIENCE = Duration.ofMillis(5);

    private final Controllers controllers;
    private final Group place;
    private volatile List<Lack> lacks;

    Cgroup(Controllers controllers, String group, List<Tree> trees, List<Lack> lacks) {
        this.controllers = controllers;
        this.place = new Group(controllers, group, trees);
        this.lacks = List.copyOf(lacks);
    }

    /// Limits that were asked for with best effort and that nothing enforces. Known to the object that
    /// made the group.
    public List<Lack> lacks() {
        return lacks;
    }

    /// The path below each tree's root, as `caisson/3f9c`.
    public String path() {
        return place.path();
    }

    /// Descriptors of the v1 `tasks` files, open for writing, that the caller owns. A single-threaded
    /// process joins by writing `0` to each; `cgroup.procs` would do the same, after waiting for a lock
    /// that every fork takes.
    public List<Fd> joinFds() {
        return place.joinFds();
    }

    /// Like [#joinFds], with `cgroup.procs` of the unified tree, if there is one: for a process that is not born into
    /// it.
    public List<Fd> allJoinFds() {
        return place.allJoinFds();
    }

    /// True if the process is in the group in every tree that has it.
    public boolean holds(long pid) {
        return place.holds(pid);
    }

    /// The group's directory in the unified tree, for the `cgroup` field of clone3(2), which the caller owns.
    /// Empty where there is no unified tree.
    public Optional<Fd> cloneInto() {
        return place.cloneInto();
    }

    /// Like [#joinFds], without the tree that freezes: whoever joins these is charged and bounded like
    /// the group, and goes on while that is paused.
    public List<Fd> chargedJoinFds() {
        return place.joinFds(tree -> !tree.controllers().contains("freezer"));
    }

    /// True if memory is charged in the unified tree, which freezes what it charges.
    public boolean chargesInUnified() {
        return place.chargesInUnified();
    }

    /// The group's directory for clone3(2), if memory is charged in the unified tree; whoever is born
    /// into it is frozen with the group.
    public Optional<Fd> chargedCloneInto() {
        return place.chargesInUnified() ? place.cloneInto() : Optional.empty();
    }

    /// The files by which somebody without a path of the host watches and freezes a group, each the caller's to close.
    ///
    /// @param outOfMemory `memory.events`, or `memory.oom_control` of version 1; empty without a memory controller
    /// @param freezer `cgroup.freeze`, or `freezer.state` of version 1, open for reading and writing
    /// @param freezerIsUnified whether the freezer is that of version 2
    public record WatchFiles(Optional<Fd> outOfMemory, Optional<Fd> freezer, boolean freezerIsUnified) {}

    /// Opens the files that a monitor needs.
    public WatchFiles watchFiles() {
        return place.watchFiles();
    }

    /// Returns what the group has used so far.
    public Usage usage() {
        try {
            return UsageFiles.read(controllers, GroupFiles.of(path()));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// Returns a meter, for reading the usage again and again.
    public Meter meter() {
        return new Meter(controllers, path());
    }

    /// Returns what the group has used since it was made. Cheaper than [#usage].
    public Totals totals() {
        try {
            return Totals.read(controllers, GroupFiles.of(path()));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// CPU time used so far, by all processes on all CPUs. Cheaper than [#usage].
    public Duration cpuTime() {
        try {
            return UsageFiles.cpuTime(controllers, GroupFiles.of(path()));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// Most memory that was charged at once; empty where the kernel does not keep it. Cheaper than
    /// [#usage].
    public Optional<Bytes> peakMemory() {
        try {
            MemoryController memory = controllers.memory();
            return memory == null ? Optional.empty() : memory.peak(GroupFiles.of(path()));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// How often the limits had to act so far. Cheaper than [#usage].
    public Events events() {
        try {
            MemoryController memory = controllers.memory();
            PidsController pids = controllers.pids();
            GroupFiles files = GroupFiles.of(path());
            return new Events(memory == null ? 0 : memory.oomKills(files), pids == null ? 0 : pids.refused(files));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// The limits that the kernel holds the group to, read back from it.
    public EffectiveLimits effectiveLimits() {
        try {
            return EffectiveLimits.read(controllers, path());
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// Returns what must be written for `limits`, without the values that a new group has and without [#lacks].
    public List<KernelSetting> settings(Limits limits) {
        var settings = new ArrayList<KernelSetting>();
        for (Setting setting : controllers.settings(limits, GroupName.parent(path()))) {
            if (!setting.isInitial() && !isLacking(setting.limit())) {
                settings.add(setting.written());
            }
        }
        DeviceController devices = controllers.devices();
        if (limits.devices().isPresent() && devices != null && !isLacking(DeviceController.NAME)) {
            settings.add(devices.setting(limits.devices().get()));
        }
        return List.copyOf(settings);
    }

    private boolean isLacking(String limit) {
        return lacks.stream().anyMatch(lack -> lack.limit().equals(limit));
    }

    /// Compares each of `settings` with the kernel; "none" stands for one that can no longer be read.
    public List<Standing> standing(List<KernelSetting> settings) {
        return settings.stream()
                .map(setting ->
                        new Standing(setting, setting.asKept(), found(setting).orElse("none")))
                .toList();
    }

    private Optional<String> found(KernelSetting setting) {
        DeviceController devices = controllers.devices();
        if (setting.limit().equals(DeviceController.NAME)) {
            return devices == null ? Optional.empty() : devices.standing(path(), setting.rules());
        }
        Tree tree = controllers.tree(setting.controller());
        return tree == null
                ? Optional.empty()
                : tree.find(path(), setting.file()).flatMap(setting::within);
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

    /// Changes the limits of the group while it is in use. Device rules and limits of single disks stay, whether they
    /// are given once more or left out.
    /// @param former what was written for the limits that it has now, [#settings]
    /// @throws CgroupException with the former limits in force again; FIXED_LIMIT where a limit is left out
    ///     that the kernel would keep, and for other device rules or limits of single disks
    public void update(Limits limits, List<KernelSetting> former) {
        List<Lack> known = controllers.check(limits, GroupName.parent(path()));
        try {
            lacks = List.copyOf(
                    new Change(controllers, path(), GroupName.parent(path()), former, lacks).to(limits, known));
        } catch (ErrnoException e) {
            throw CgroupException.gone(path(), e);
        }
    }

    /// Makes a part of this group for one more command.
    /// @param name unique in this group
    public Subgroup subgroup(String name) {
        GroupName.check(name);
        List<Tree> parts = treesOfParts();
        String part = path() + "/" + name;
        Group.make(part, parts);
        return new Subgroup(place, new Group(controllers, part, parts));
    }

    private List<Tree> treesOfParts() {
        Tree unified = place.unified();
        return unified != null
                ? List.of(unified)
                : place.trees().stream()
                        .filter(tree -> tree.controllers().contains("cpuacct")
                                || tree.controllers().contains("freezer"))
                        .toList();
    }

    /// Returns the names of its parts in which there are processes, in their order.
    public List<String> busyParts() {
        return place.trees().stream()
                .flatMap(tree -> tree.children(path()).stream()
                        .filter(name -> !tree.processes(path() + "/" + name).isEmpty()))
                .distinct()
                .sorted()
                .toList();
    }

    /// Removes parts that nobody needs any more, unless a process is in them.
    /// @param isStale asked for the name of each
    public void removeParts(Predicate<String> isStale) {
        for (Tree tree : treesOfParts()) {
            for (String name : tree.children(path())) {
                if (isStale.test(name)) {
                    removePart(tree, path() + "/" + name);
                }
            }
        }
    }

    private static void removePart(Tree tree, String part) {
        try {
            tree.remove(part);
        } catch (ErrnoException e) {
            if (!e.is(Errno.EBUSY) && !e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    /// Numbers of the processes in the group and below it, as seen from this process; 0 for one of another pid
    /// namespace.
    public List<Long> processes() {
        return place.processes();
    }

    /// Kills every process of the group and below it, also those that are being forked. Returns when the kernel has
    /// been told; they are gone when [#remove] succeeds.
    public void kill() {
        place.members().kill();
    }

    void killFrozen() {
        place.members().killFrozen();
    }

    /// Stops every process of the group and below it, and waits until they have stopped.
    /// @throws CgroupException BUSY where some do not, as one that waits for a disk; then all run on
    public void pause() {
        pause(() -> false);
    }

    /// Like [#pause()], but returns early once `enough` is true, with some still running.
    public void pause(BooleanSupplier enough) {
        place.pause(enough);
    }

    /// Lets the processes run on that [#pause] stopped.
    public void resume() {
        place.members().resume();
    }

    /// True if every process of the group has stopped.
    public boolean isPaused() {
        return place.members().isPaused();
    }

    /// True from the moment on in which the group is told to stop, though some process of it may still run. Who is born
    /// into it stands still until it runs on.
    public boolean isToldToPause() {
        return place.members().isToldToPause();
    }

    /// Removes the group from every tree, with the groups below it. Waits for processes that are on their
    /// way out.
    /// @throws CgroupException BUSY where some stay for five seconds
    public void remove() {
        remove(Group.REMOVE_PATIENCE);
    }

    /// Removes it, and kills first what is in it, if anything stays there. A process that ends is in it for a moment
    /// after its files are closed.
    public void killAndRemove() {
        try {
            remove(ENDING_PATIENCE);
        } catch (CgroupException e) {
            if (e.reason() != CgroupException.Code.BUSY) {
                throw e;
            }
            kill();
            remove();
        }
    }

    /// Like [#remove()], for no longer than `patience`.
    /// @throws CgroupException BUSY if some stay
    public void remove(Duration patience) {
        place.remove(patience);
    }

    List<Tree> trees() {
        return place.trees();
    }

    @Override
    public String toString() {
        return place.path();
    }
}
