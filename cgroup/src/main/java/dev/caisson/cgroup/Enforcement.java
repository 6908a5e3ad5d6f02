package dev.caisson.cgroup;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.util.ArrayList;
import java.util.List;

/// Puts limits in force, in a group that was made just before.
final class Enforcement {
    private Enforcement() {}

    /// All of them, or an error, on which the caller removes the group.
    /// @param known what cannot be enforced, where the limits allow that
    /// @return the same and what showed beside it
    static List<Lack> begin(Controllers controllers, String group, String parent, Limits limits, List<Lack> known) {
        var lacks = new ArrayList<>(known);
        for (Setting setting : controllers.settings(limits, parent)) {
            if (!setting.isInitial()) {
                apply(setting, group, limits.bestEffort(), lacks);
            }
        }
        DeviceController devices = controllers.devices();
        if (limits.devices().isPresent() && devices != null) {
            restrictDevices(devices, group, limits.devices().get(), limits.bestEffort(), lacks);
        }
        return lacks;
    }

    /// @param lacks is told a limit that the kernel does not have, where best effort allows that
    static void apply(Setting setting, String group, boolean bestEffort, List<Lack> lacks) {
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
                throw CgroupException.unenforceable(setting.lack());
            }
            lacks.add(setting.lack());
        }
    }

    private static CgroupException refused(Setting setting, String group, ErrnoException e) {
        String advice = e.is(Errno.EBUSY)
                ? "the group uses more at this moment"
                : "a group above may allow less, or the machine does not have what is named";
        return CgroupException.refused(
                "\"" + setting.value() + "\" for " + setting.file() + " of " + group + ", which sets the limit "
                        + setting.limit() + "; " + advice,
                e);
    }

    private static void restrictDevices(
            DeviceController devices, String group, List<DeviceRule> allowed, boolean bestEffort, List<Lack> lacks) {
        try {
            devices.restrict(group, allowed);
        } catch (ErrnoException e) {
            var lack = new Lack(
                    DeviceController.NAME, "the kernel does not take the rules (" + Errno.name(e.errno()) + ")");
            if (!bestEffort) {
                throw CgroupException.unenforceable(lack);
            }
            lacks.add(lack);
        }
    }
}
