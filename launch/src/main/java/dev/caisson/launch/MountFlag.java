package dev.caisson.launch;

import java.util.Arrays;
import java.util.List;

/// Attributes of a mount. The bits are those of `enum mount_flag` in `native/plan.h`.
public enum MountFlag {
    READ_ONLY(1, "ro"),
    NO_SETUID(2, "nosuid"),
    NO_DEVICES(4, "nodev"),
    NO_EXECUTION(8, "noexec");

    private final int bit;
    private final String option;

    MountFlag(int bit, String option) {
        this.bit = bit;
        this.option = option;
    }

    static List<MountFlag> of(int bits) {
        return Arrays.stream(values()).filter(flag -> (bits & flag.bit) != 0).toList();
    }

    int bit() {
        return bit;
    }

    /// The flag as mount(8) and /proc/self/mountinfo spell it.
    public String option() {
        return option;
    }
}
