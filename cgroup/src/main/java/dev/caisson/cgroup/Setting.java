package dev.caisson.cgroup;

import dev.caisson.spec.Lack;

/// One write that puts a limit in force: `value` into `file` of the group.
///
/// @param limit the limit's name for people, as in `memory`
/// @param isInitial whether a new group has this value already
record Setting(String limit, Tree tree, String file, String value, boolean isInitial) {
    /// Name of the limit that old kernels enforce only if they are told at boot.
    static final String SWAP = "memory-swap";

    Setting(String limit, Tree tree, String file, String value) {
        this(limit, tree, file, value, false);
    }

    KernelSetting written() {
        return new KernelSetting(limit, file, value);
    }

    Lack lack() {
        String remedy = limit.equals(SWAP) ? "; boot it with swapaccount=1, or allow swap without end" : "";
        return new Lack(limit, "this kernel has no " + file + remedy);
    }
}
