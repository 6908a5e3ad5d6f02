package dev.caisson.cgroup;

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

    private static final int MOUNT_POINT = 4;
    private static final int SUPER_OPTIONS = 2;

    /// Options that are not controllers: `rw`, `name=systemd`, `nsdelegate` and the like never collide with these.
    private static final Set<String> CONTROLLERS = Set.of(
            "cpu", "cpuacct", "cpuset", "memory", "blkio", "pids", "devices", "freezer", "hugetlb", "rdma", "misc");

    private Mounts() {}

    /// In the table's order: a later mount may hide an earlier one.
    static List<Mount> parse(String mountinfo) {
        var mounts = new ArrayList<Mount>();
        for (String line : mountinfo.lines().toList()) {
            int separator = line.indexOf(" - ");
            if (separator < 0) {
                continue;
            }
            String[] own = line.substring(0, separator).split(" ", -1);
            String[] fileSystem = line.substring(separator + " - ".length()).split(" ", -1);
            if (own.length <= MOUNT_POINT || fileSystem.length <= SUPER_OPTIONS) {
                continue;
            }
            String point = unescape(own[MOUNT_POINT]);
            switch (fileSystem[0]) {
                case "cgroup2" -> mounts.add(new Mount(point, true, Set.of()));
                case "cgroup" -> {
                    var controllers = new TreeSet<>(List.of(fileSystem[SUPER_OPTIONS].split(",", -1)));
                    controllers.retainAll(CONTROLLERS);
                    if (!controllers.isEmpty()) {
                        mounts.add(new Mount(point, false, controllers));
                    }
                }
                default -> {}
            }
        }
        return mounts;
    }

    /// The kernel writes space, tab, newline and backslash in octal.
    private static String unescape(String point) {
        return point.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }
}
