package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.OptionalInt;

/// Bounds on what the files of a directory take together: xfs and ext4 count them by a project number that new files
/// inherit. quotactl(2), ioctl_fsgetxattr(2).
public final class ProjectQuota {
    /// struct if_dqblk of linux/quota.h; limits of space are in units of 1 KiB.
    static final StructLayout DQBLK = MemoryLayout.structLayout(
            JAVA_LONG.withName("dqb_bhardlimit"),
            JAVA_LONG.withName("dqb_bsoftlimit"),
            JAVA_LONG.withName("dqb_curspace"),
            JAVA_LONG.withName("dqb_ihardlimit"),
            JAVA_LONG.withName("dqb_isoftlimit"),
            JAVA_LONG.withName("dqb_curinodes"),
            JAVA_LONG.withName("dqb_btime"),
            JAVA_LONG.withName("dqb_itime"),
            JAVA_INT.withName("dqb_valid"),
            MemoryLayout.paddingLayout(4));
    /// struct fsxattr of linux/fs.h.
    static final StructLayout FSXATTR = MemoryLayout.structLayout(
            JAVA_INT.withName("fsx_xflags"),
            JAVA_INT.withName("fsx_extsize"),
            JAVA_INT.withName("fsx_nextents"),
            JAVA_INT.withName("fsx_projid"),
            JAVA_INT.withName("fsx_cowextsize"),
            MemoryLayout.paddingLayout(8));

    private static final int KIBIBYTE = 1024;
    private static final long PRJQUOTA = 2;
    private static final long Q_GETQUOTA = command(0x800007);
    private static final long Q_SETQUOTA = command(0x800008);
    private static final long Q_XGETQSTAT = command('X' << 8 | 5);
    private static final int QIF_BLIMITS = 1;
    private static final int QIF_ILIMITS = 4;
    private static final int XFS_QUOTA_PDQ_ENFD = 1 << 5;
    private static final int FS_QUOTA_STAT_BYTES = 80;
    private static final long FS_IOC_FSGETXATTR = 0x801c581fL;
    private static final long FS_IOC_FSSETXATTR = 0x401c5820L;
    private static final int FS_XFLAG_PROJINHERIT = 0x200;

    private ProjectQuota() {}

    private static long command(int number) {
        return ((long) number << 8 | PRJQUOTA) & 0xffffffffL;
    }

    /// True if the file system of an open directory holds projects to their limits; counting alone is no.
    public static boolean isEnforced(Fd directory) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(FS_QUOTA_STAT_BYTES, 8);
            long result = Native.raw(Nr.QUOTACTL_FD, directory.number(), Q_XGETQSTAT, 0, state.address(), 0, 0);
            return result >= 0 && (state.get(JAVA_SHORT, 2) & XFS_QUOTA_PDQ_ENFD) != 0;
        }
    }

    /// True if a project has neither a limit nor files.
    public static boolean isFree(Fd directory, int project) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment quota = arena.allocate(DQBLK);
            long result = Native.raw(Nr.QUOTACTL_FD, directory.number(), Q_GETQUOTA, project, quota.address(), 0, 0);
            if (result == -Errno.ENOENT) {
                return true;
            }
            Native.check("quotactl Q_GETQUOTA", result);
            return quota.get(JAVA_LONG, Native.offset(DQBLK, "dqb_bhardlimit")) == 0
                    && quota.get(JAVA_LONG, Native.offset(DQBLK, "dqb_ihardlimit")) == 0
                    && quota.get(JAVA_LONG, Native.offset(DQBLK, "dqb_curinodes")) == 0;
        }
    }

    /// Sets a project's limits; 0 for none.
    public static void limit(Fd directory, int project, long bytes, long inodes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment quota = arena.allocate(DQBLK);
            quota.set(JAVA_LONG, Native.offset(DQBLK, "dqb_bhardlimit"), bytes / KIBIBYTE);
            quota.set(JAVA_LONG, Native.offset(DQBLK, "dqb_ihardlimit"), inodes);
            quota.set(JAVA_INT, Native.offset(DQBLK, "dqb_valid"), QIF_BLIMITS | QIF_ILIMITS);
            Native.check(
                    "quotactl Q_SETQUOTA",
                    Native.raw(Nr.QUOTACTL_FD, directory.number(), Q_SETQUOTA, project, quota.address(), 0, 0));
        }
    }

    /// Counts an empty directory, and what will be made in it, to a project.
    public static void assign(Fd directory, int project) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = get(arena, directory);
            long flags = Native.offset(FSXATTR, "fsx_xflags");
            attributes.set(JAVA_INT, flags, attributes.get(JAVA_INT, flags) | FS_XFLAG_PROJINHERIT);
            attributes.set(JAVA_INT, Native.offset(FSXATTR, "fsx_projid"), project);
            Native.check(
                    "ioctl FS_IOC_FSSETXATTR",
                    Native.raw(Nr.IOCTL, directory.number(), FS_IOC_FSSETXATTR, attributes.address()));
        }
    }

    /// The project that new files of a directory count to; empty where there is none.
    public static OptionalInt of(Fd directory) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = get(arena, directory);
            boolean inherits =
                    (attributes.get(JAVA_INT, Native.offset(FSXATTR, "fsx_xflags")) & FS_XFLAG_PROJINHERIT) != 0;
            return inherits
                    ? OptionalInt.of(attributes.get(JAVA_INT, Native.offset(FSXATTR, "fsx_projid")))
                    : OptionalInt.empty();
        }
    }

    private static MemorySegment get(Arena arena, Fd directory) {
        MemorySegment attributes = arena.allocate(FSXATTR);
        Native.check(
                "ioctl FS_IOC_FSGETXATTR",
                Native.raw(Nr.IOCTL, directory.number(), FS_IOC_FSGETXATTR, attributes.address()));
        return attributes;
    }
}
