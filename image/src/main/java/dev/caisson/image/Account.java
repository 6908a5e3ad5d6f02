package dev.caisson.image;

import java.util.List;

/// The user that a program runs as, by the image's own account files.
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
