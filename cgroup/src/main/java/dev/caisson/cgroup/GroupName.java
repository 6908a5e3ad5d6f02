package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import java.util.regex.Pattern;

/// Checks the names of groups, and takes paths of groups apart.
final class GroupName {
    private static final Pattern GROUP_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");

    private GroupName() {}

    static void check(String name) {
        if (!GROUP_NAME.matcher(name).matches()) {
            throw new CgroupException(
                    Code.BAD_NAME,
                    "\"" + name + "\" cannot be the name of a group; use letters, digits, _, - and . and at most 128");
        }
    }

    /// Checks each name of a path such as `caisson/tenant-a`.
    static void checkPath(String parent) {
        for (String name : parent.split("/", -1)) {
            check(name);
        }
    }

    /// Returns the path of the group that holds a group; empty for one below the root.
    static String parent(String group) {
        return group.substring(0, Math.max(0, group.lastIndexOf('/')));
    }
}
