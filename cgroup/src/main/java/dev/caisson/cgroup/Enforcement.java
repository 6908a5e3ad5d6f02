package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.Bpf;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Puts limits in force: all of them, or an error and the state before.
final class Enforcement {
    private static final String DEVICES = "devices";

    private Enforcement() {}

    /// For a group that was made just before. On an error the caller removes it.
    /// @param known what cannot be enforced, where the limits allow that
    /// @return the same and what showed beside it
    static List<Lack> begin(Controllers controllers, String group, String parent, Limits limits, List<Lack> known) {
        var lacks = new ArrayList<>(known);
        for (Setting setting : controllers.settings(limits, parent)) {
            if (!setting.isInitial()) {
                apply(setting, group, limits.bestEffort(), lacks);
            }
        }
        Tree unified = controllers.unified();
        if (limits.devices().isPresent() && unified != null) {
            restrictDevices(unified, group, limits.devices().get(), limits.bestEffort(), lacks);
        }
        return lacks;
    }

    private static void apply(Setting setting, String group, boolean bestEffort, List<Lack> lacks) {
        try {
            setting.tree().write(group, setting.file(), setting.value());
        } catch (ErrnoException e) {
            if (bestEffort && lacks.stream().anyMatch(lack -> lack.limit().equals(setting.limit()))) {
                return; // as was told before
            }
            if (!e.is(Errno.ENOENT)) {
                throw refused(setting, group, e);
            }
            if (!bestEffort) {
                throw Hierarchy.unenforceable(setting.lack());
            }
            lacks.add(setting.lack());
        }
    }

    private static CgroupException refused(Setting setting, String group, ErrnoException e) {
        String advice = e.is(Errno.EBUSY)
                ? "the group uses more at this moment"
                : "a group above may allow less, or the machine does not have what is named";
        return Hierarchy.refused(
                "\"" + setting.value() + "\" for " + setting.file() + " of " + group + ", which sets the limit "
                        + setting.limit() + "; " + advice,
                e);
    }

    private static void restrictDevices(
            Tree unified, String group, List<DeviceRule> allowed, boolean bestEffort, List<Lack> lacks) {
        try (Fd program = Bpf.loadCgroupDevice(DeviceProgram.assemble(allowed));
                Fd directory = unified.openDirectory(group)) {
            Bpf.attachCgroupDevice(program, directory);
        } catch (ErrnoException e) {
            var lack = new Lack(DEVICES, "the kernel takes no program for devices (" + Errno.name(e.errno()) + ")");
            if (!bestEffort) {
                throw Hierarchy.unenforceable(lack);
            }
            lacks.add(lack);
        }
    }

    /// For a group that has limits already. On an error the former ones are back in force.
    static void change(
            Controllers controllers, String group, String parent, Limits limits, List<KernelSetting> former) {
        if (limits.devices().isPresent() || !limits.io().isEmpty()) {
            throw new CgroupException(
                    Code.FIXED_LIMIT, "Device rules and limits of single disks are set when a group is made and stay.");
        }
        List<Setting> settings = controllers.settings(limits, parent);
        refuseLeftOut(settings, former);
        var done = new ArrayList<Setting>();
        try {
            for (Setting setting : inOrder(controllers, group, limits, settings)) {
                Tree tree = setting.tree();
                var before = tree.find(group, setting.file());
                if (before.isEmpty() && setting.isInitial()) {
                    continue; // a kernel without this limit, and none was asked for
                }
                if (before.isEmpty() && !tree.exists(group)) {
                    throw new CgroupException(
                            Code.FIXED_LIMIT,
                            "The limit " + setting.limit() + " needs a group that " + group
                                    + " was made without; give it when the container is made.");
                }
                apply(setting, group, false, List.of());
                before.ifPresent(value ->
                        done.add(new Setting(setting.limit(), tree, setting.file(), restorable(setting, value))));
            }
        } catch (CgroupException e) {
            for (Setting before : done.reversed()) {
                try {
                    before.tree().write(group, before.file(), before.value());
                } catch (ErrnoException again) {
                    e.addSuppressed(again);
                }
            }
            throw e;
        }
    }

    /// A limit that is left out is not written, so the kernel would keep it while its record said that
    /// there is none.
    private static void refuseLeftOut(List<Setting> settings, List<KernelSetting> former) {
        for (KernelSetting known : former) {
            if (settings.stream().noneMatch(setting -> setting.file().equals(known.file())) && !known.isOfOneDisk()) {
                throw new CgroupException(
                        Code.FIXED_LIMIT,
                        "The limit " + known.limit()
                                + " cannot be taken back while the container runs; give it a new value.");
            }
        }
    }

    /// Files that are read in another form than they are written in.
    private static String restorable(Setting setting, String value) {
        if (setting.file().equals("memory.oom_control")) {
            return new KeyedText(value).get("oom_kill_disable") == 0 ? "0" : "1";
        }
        return value;
    }

    /// Version 1 takes no memory limit above that of memory and swap together, nor one of both below that
    /// of memory:
    /// whichever way they go, the roomier file is written first.
    private static List<Setting> inOrder(Controllers controllers, String group, Limits limits, List<Setting> settings) {
        if (!(controllers.memory() instanceof MemoryController.V1 one)
                || limits.memoryAndSwap().compareTo(one.memoryAndSwap(GroupFiles.of(group))) < 0) {
            return settings;
        }
        var ordered = new ArrayList<>(settings);
        ordered.sort(Comparator.comparing(setting -> !setting.limit().equals(MemoryController.SWAP)));
        return ordered;
    }
}
