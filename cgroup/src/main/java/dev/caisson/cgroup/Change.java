package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Other limits for a group that is in use: all of them, or an error and the former ones in force.
///
/// @param parent path of the group that holds it
/// @param former what was written for the limits that it has
/// @param lacks limits that it has by name alone, because nothing enforces them
record Change(Controllers controllers, String group, String parent, List<KernelSetting> former, List<Lack> lacks) {

    /// Puts them in force.
    /// @param known what of the limits cannot be enforced, where they allow that
    /// @return the same, and what showed beside it
    List<Lack> to(Limits limits, List<Lack> known) {
        List<Setting> wanted = controllers.settings(limits, parent).stream()
                .filter(setting -> isAskedOrThere(setting, limits))
                .toList();
        List<Lack> lacking = lacking(limits, wanted, known);
        refuseLeftOut(wanted);
        refuseOtherDevices(limits, lacking);
        var done = new ArrayList<Setting>();
        try {
            for (Setting setting : inOrder(limits, changeable(wanted, lacking))) {
                replace(setting, limits.bestEffort(), lacking).ifPresent(done::add);
            }
            weightsOfDisks().forEach(setting -> Enforcement.apply(setting, group, false, lacking));
            return lacking;
        } catch (CgroupException e) {
            undo(done, e);
            throw e;
        }
    }

    /// A group that holds others has no bound of huge pages of its own: each of them has one.
    private boolean isAskedOrThere(Setting setting, Limits limits) {
        return !setting.limit().equals(HugePageController.NAME)
                || HugePageController.isNeeded(limits)
                || former.stream().anyMatch(known -> known.file().equals(setting.file()));
    }

    private List<Lack> lacking(Limits limits, List<Setting> wanted, List<Lack> known) {
        var lacking = new ArrayList<>(known);
        for (Lack lack : lacks) {
            boolean isAsked =
                    wanted.stream().anyMatch(setting -> setting.limit().equals(lack.limit()))
                            || (limits.devices().isPresent() && lack.limit().equals(DeviceController.NAME));
            if (limits.bestEffort() && isAsked && !isIn(lacking, lack.limit())) {
                lacking.add(lack);
            }
        }
        return lacking;
    }

    private static boolean isIn(List<Lack> lacks, String limit) {
        return lacks.stream().anyMatch(lack -> lack.limit().equals(limit));
    }

    /// A limit that is left out is not written, so the kernel would keep it while its record said that there is none.
    private void refuseLeftOut(List<Setting> wanted) {
        for (KernelSetting known : former) {
            if (wanted.stream().noneMatch(setting -> setting.file().equals(known.file())) && !known.isFixed()) {
                throw new CgroupException(
                        Code.FIXED_LIMIT,
                        "the limit " + known.limit()
                                + " cannot be taken back while the container runs; give it a new value");
            }
        }
    }

    private void refuseOtherDevices(Limits limits, List<Lack> lacking) {
        DeviceController devices = controllers.devices();
        if (limits.devices().isPresent()
                && !isIn(lacking, DeviceController.NAME)
                && (devices == null
                        || !former.contains(devices.setting(limits.devices().get())))) {
            throw fixed();
        }
    }

    private static CgroupException fixed() {
        return new CgroupException(
                Code.FIXED_LIMIT, "device rules and limits of single disks are set when a group is made and stay");
    }

    /// Those of single disks may be there as they are, or be left out.
    private List<Setting> changeable(List<Setting> wanted, List<Lack> lacking) {
        var changeable = new ArrayList<Setting>();
        for (Setting setting : wanted) {
            if (isIn(lacking, setting.limit())) {
                continue;
            }
            if (!setting.written().isFixed()) {
                changeable.add(setting);
            } else if (!former.contains(setting.written())) {
                throw fixed();
            }
        }
        return changeable;
    }

    /// Gives what restores the value before.
    private Optional<Setting> replace(Setting setting, boolean bestEffort, List<Lack> lacking) {
        Tree tree = setting.tree();
        Optional<String> before = tree.find(group, setting.file());
        if (before.isEmpty() && setting.isInitial()) {
            return Optional.empty(); // a kernel without this limit, and none was asked for
        }
        if (before.isEmpty() && !tree.exists(group)) {
            throw new CgroupException(
                    Code.FIXED_LIMIT,
                    "the limit " + setting.limit() + " needs a group that " + group
                            + " was made without; give it when the container is made");
        }
        Enforcement.apply(setting, group, bestEffort, lacking);
        return before.map(value -> new Setting(setting.limit(), tree, setting.file(), restorable(setting, value)));
    }

    /// Files that are read in another form than they are written in.
    private static String restorable(Setting setting, String value) {
        if (setting.file().equals("memory.oom_control")) {
            return new KeyedText(value).get("oom_kill_disable") == 0 ? "0" : "1";
        }
        return value.startsWith("default ") ? value.lines().findFirst().orElse(value) : value;
    }

    /// Version 1 takes no memory limit above that of memory and swap together, nor one of both below that of memory:
    /// whichever way they go, the roomier file is written first.
    private List<Setting> inOrder(Limits limits, List<Setting> settings) {
        if (!(controllers.memory() instanceof MemoryController.V1 one)
                || limits.memoryAndSwap().compareTo(one.memoryAndSwap(GroupFiles.of(group))) < 0) {
            return settings;
        }
        var ordered = new ArrayList<>(settings);
        ordered.sort(Comparator.comparing(setting -> !setting.limit().equals(MemoryController.SWAP)));
        return ordered;
    }

    /// The scheduler bfq forgets the weights of single disks when that of all is written.
    private List<Setting> weightsOfDisks() {
        IoController io = controllers.io();
        return io == null
                ? List.of()
                : former.stream()
                        .filter(KernelSetting::isWeightOfDisk)
                        .map(setting -> new Setting(setting.limit(), io.tree(), setting.file(), setting.value()))
                        .toList();
    }

    private void undo(List<Setting> done, CgroupException failure) {
        var again = new ArrayList<>(done.reversed());
        again.addAll(weightsOfDisks());
        for (Setting before : again) {
            try {
                before.tree().write(group, before.file(), before.value());
            } catch (ErrnoException e) {
                failure.addSuppressed(e);
            }
        }
    }
}
