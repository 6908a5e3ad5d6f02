package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// How large a file system is and how much of it is free, statfs(2). An overlay tells of the layer that
/// is written to.
///
/// @param bytes in all
/// @param freeBytes that root may still use
/// @param inodes in all, 0 where the file system has no fixed number
/// @param freeInodes that can still be made
public record FileSystemSpace(long bytes, long freeBytes, long inodes, long freeInodes) {
    private static final long STATFS_BYTES = 120;
    private static final long BLOCK_SIZE = 8;
    private static final long BLOCKS = 16;
    private static final long FREE_BLOCKS = 24;
    private static final long FILES = 40;
    private static final long FREE_FILES = 48;

    /// Returns the space of the file system that holds an open file; O_PATH descriptors too.
    public static FileSystemSpace of(Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(STATFS_BYTES, 8);
            Native.check("fstatfs", Native.raw(Nr.FSTATFS, file.number(), buffer.address()));
            long block = buffer.get(JAVA_LONG, BLOCK_SIZE);
            return new FileSystemSpace(
                    block * buffer.get(JAVA_LONG, BLOCKS),
                    block * buffer.get(JAVA_LONG, FREE_BLOCKS),
                    buffer.get(JAVA_LONG, FILES),
                    buffer.get(JAVA_LONG, FREE_FILES));
        }
    }

    public long usedBytes() {
        return bytes - freeBytes;
    }

    public long usedInodes() {
        return inodes - freeInodes;
    }
}
