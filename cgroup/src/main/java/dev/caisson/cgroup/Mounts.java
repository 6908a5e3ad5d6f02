package dev.caisson.cgroup;

import dev.caisson.linux.MountInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// The control group file systems in a mount table, proc_pid_mountinfo(5).
final class Mounts {
    /// One mounted tree of groups.
    ///
    /// @param controllers of version 1, from the mount's options; empty for the unified tree
    record Mount(String point, boolean unified, Set<String> controllers) {}

    /// Options that are not controllers: `rw`, `name=systemd`, `nsdelegate` and the like never collide with these.
    private static final Set<String> CONTROLLERS = Set.of(
            "cpu", "cpuacct", "cpuset", "memory", "blkio", "pids", "devices", "freezer", "hugetlb", "rdma", "misc");

    private Mounts() {}

    /// Parses a table in its order: a later mount may hide an earlier one.
    static List<Mount> parse(String mountinfo) {
        var mounts = new ArrayList<Mount>();
        for (MountInfo mount : MountInfo.parse(mountinfo)) {
            switch (mount.type()) {
                case "cgroup2" -> mounts.add(new Mount(mount.point(), true, Set.of()));
                case "cgroup" -> {
                    var controllers = new TreeSet<>(List.of(mount.superOptions().split(",", -1)));
                    controllers.retainAll(CONTROLLERS);
                    if (!controllers.isEmpty()) {
                        mounts.add(new Mount(mount.point(), false, controllers));
                    }
                }
                default -> {}
            }
        }
        return mounts;
    }
}
