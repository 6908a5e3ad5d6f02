package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.time.Instant;

/// The result of statx(2) for a file.
///
/// @param mode type and permission bits, inode(7)
/// @param deviceMajor of the device that a device node stands for
/// @param size bytes
/// @param fileSystem major and minor of the file system's device, packed as `major << 32 | minor`
/// @param changed when content or inode last changed; nobody can set it back
/// @param modified when the content last changed, or what utimensat(2) set
public record FileStatus(
        int mode,
        int uid,
        int gid,
        long inode,
        long size,
        int links,
        int deviceMajor,
        int deviceMinor,
        long fileSystem,
        Instant changed,
        Instant modified) {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            JAVA_INT.withName("stx_mask"),
            JAVA_INT.withName("stx_blksize"),
            JAVA_LONG.withName("stx_attributes"),
            JAVA_INT.withName("stx_nlink"),
            JAVA_INT.withName("stx_uid"),
            JAVA_INT.withName("stx_gid"),
            JAVA_SHORT.withName("stx_mode"),
            MemoryLayout.paddingLayout(2),
            JAVA_LONG.withName("stx_ino"),
            JAVA_LONG.withName("stx_size"),
            JAVA_LONG.withName("stx_blocks"),
            JAVA_LONG.withName("stx_attributes_mask"),
            MemoryLayout.sequenceLayout(4, JAVA_LONG).withName("access_and_birth"),
            JAVA_LONG.withName("stx_ctime"),
            JAVA_INT.withName("stx_ctime_nsec"),
            MemoryLayout.paddingLayout(4),
            JAVA_LONG.withName("stx_mtime"),
            JAVA_INT.withName("stx_mtime_nsec"),
            MemoryLayout.paddingLayout(4),
            JAVA_INT.withName("stx_rdev_major"),
            JAVA_INT.withName("stx_rdev_minor"),
            JAVA_INT.withName("stx_dev_major"),
            JAVA_INT.withName("stx_dev_minor"),
            JAVA_LONG.withName("stx_mnt_id"),
            MemoryLayout.sequenceLayout(13, JAVA_LONG).withName("spare"));
    static final int BASIC_STATS = 0x7ff;

    private static final int S_IFMT = 0170000;
    private static final int S_IFIFO = 0010000;
    private static final int S_IFDIR = 0040000;
    private static final int S_IFREG = 0100000;
    private static final int S_IFLNK = 0120000;
    private static final int S_IFCHR = 0020000;
    private static final int S_IFBLK = 0060000;
    private static final int S_IFSOCK = 0140000;

    private static final long NLINK = Native.offset(LAYOUT, "stx_nlink");
    private static final long UID = Native.offset(LAYOUT, "stx_uid");
    private static final long GID = Native.offset(LAYOUT, "stx_gid");
    private static final long MODE = Native.offset(LAYOUT, "stx_mode");
    private static final long INO = Native.offset(LAYOUT, "stx_ino");
    private static final long SIZE = Native.offset(LAYOUT, "stx_size");
    private static final long BLOCKS = Native.offset(LAYOUT, "stx_blocks");
    private static final int BLOCK = 512;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final long CTIME = Native.offset(LAYOUT, "stx_ctime");
    private static final long CTIME_NANOS = Native.offset(LAYOUT, "stx_ctime_nsec");
    private static final long MTIME = Native.offset(LAYOUT, "stx_mtime");
    private static final long MTIME_NANOS = Native.offset(LAYOUT, "stx_mtime_nsec");
    private static final long RDEV_MAJOR = Native.offset(LAYOUT, "stx_rdev_major");
    private static final long RDEV_MINOR = Native.offset(LAYOUT, "stx_rdev_minor");
    private static final long DEV_MAJOR = Native.offset(LAYOUT, "stx_dev_major");
    private static final long DEV_MINOR = Native.offset(LAYOUT, "stx_dev_minor");

    static FileStatus of(MemorySegment statx) {
        return new FileStatus(
                Short.toUnsignedInt(statx.get(JAVA_SHORT, MODE)),
                statx.get(JAVA_INT, UID),
                statx.get(JAVA_INT, GID),
                statx.get(JAVA_LONG, INO),
                statx.get(JAVA_LONG, SIZE),
                statx.get(JAVA_INT, NLINK),
                statx.get(JAVA_INT, RDEV_MAJOR),
                statx.get(JAVA_INT, RDEV_MINOR),
                (long) statx.get(JAVA_INT, DEV_MAJOR) << 32 | statx.get(JAVA_INT, DEV_MINOR),
                Instant.ofEpochSecond(statx.get(JAVA_LONG, CTIME), statx.get(JAVA_INT, CTIME_NANOS)),
                Instant.ofEpochSecond(statx.get(JAVA_LONG, MTIME), statx.get(JAVA_INT, MTIME_NANOS)));
    }

    /// Returns what the content of an open file takes on disk, less than its size where it has holes.
    public static long bytesOnDisk(Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, "");
            MemorySegment buffer = arena.allocate(LAYOUT);
            Native.check(
                    "statx",
                    Native.raw(
                            Nr.STATX, file.number(), path.address(), AT_EMPTY_PATH, BASIC_STATS, buffer.address(), 0));
            return buffer.get(JAVA_LONG, BLOCKS) * BLOCK;
        }
    }

    public boolean isDirectory() {
        return (mode & S_IFMT) == S_IFDIR;
    }

    public boolean isRegularFile() {
        return (mode & S_IFMT) == S_IFREG;
    }

    public boolean isSymbolicLink() {
        return (mode & S_IFMT) == S_IFLNK;
    }

    public boolean isPipe() {
        return (mode & S_IFMT) == S_IFIFO;
    }

    public boolean isSocket() {
        return (mode & S_IFMT) == S_IFSOCK;
    }

    public boolean isCharacterDevice() {
        return (mode & S_IFMT) == S_IFCHR;
    }

    public boolean isBlockDevice() {
        return (mode & S_IFMT) == S_IFBLK;
    }

    public int permissions() {
        return mode & 07777;
    }
}
