package dev.caisson.image;

import java.util.List;
import java.util.stream.Stream;

/// The user that a program runs as, by the image's own account files.
///
/// @param groups supplementary group ids, each once: `gid` first, as login(1) has it, and alone if the user was given
///     with a group. Without it a program could lose a group that files deny by a set-group-ID file, CVE-2022-36109
/// @param home absolute; `/` where the image does not tell
public record Account(int uid, int gid, List<Integer> groups, String home) {
    /// The last id that a container has: it owns a range of 65,536.
    public static final int LAST_ID = 65_535;

    public Account {
        groups = Stream.concat(Stream.of(gid), groups.stream()).distinct().toList();
    }

    /// Finds an account by an image's own files, as [Rootfs#account] does.
    ///
    /// @param user `user[:group]`, by name or number
    /// @param passwd content of the image's `/etc/passwd`; empty for none
    /// @param group content of its `/etc/group`
    /// @throws ImageException UNKNOWN_USER, UNKNOWN_GROUP, AMBIGUOUS_USER, BAD_USER, BAD_ACCOUNT_FILE, or
    ///     ID_OUT_OF_RANGE
    public static Account of(String user, byte[] passwd, byte[] group) {
        return new AccountFiles(passwd, group).resolve(UserSpec.parse(user));
    }
}
