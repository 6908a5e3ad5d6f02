package dev.caisson.image;

import java.util.List;

/// Who a program runs as, as the image's own account files say.
///
/// @param groups supplementary group ids; empty where the user was given with a group
/// @param home absolute; `/` where the image does not tell
public record Account(int uid, int gid, List<Integer> groups, String home) {
    /// The last id that a container has: it owns a range of 65,536.
    public static final int LAST_ID = 65_535;

    public Account {
        groups = List.copyOf(groups);
    }
}
