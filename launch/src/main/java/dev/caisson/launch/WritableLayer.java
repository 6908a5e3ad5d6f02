package dev.caisson.launch;

import dev.caisson.cgroup.Bytes;
import dev.caisson.cgroup.Limits;
import java.util.Optional;
import java.util.OptionalLong;

/// How much a container may write into its root file system. The layer is kept in memory and counts
/// against the memory
/// limit.
///
/// @param size empty for half of the memory limit
/// @param inodes files, directories and links; empty for one to each page of the size
public record WritableLayer(Optional<Bytes> size, OptionalLong inodes) {
    public static final WritableLayer STANDARD = new WritableLayer(Optional.empty(), OptionalLong.empty());

    static final Bytes LEAST_SIZE = Bytes.kibibytes(64);
    static final long LEAST_INODES = 16;
    private static final long LEAST_STANDARD_INODES = 1024;
    static final long MOST_INODES = 1 << 20;
    private static final long PAGE = 4096;

    public WritableLayer size(Bytes value) {
        return new WritableLayer(Optional.of(value), inodes);
    }

    public WritableLayer inodes(long value) {
        return new WritableLayer(size, OptionalLong.of(value));
    }

    /// Half of the memory limit unless a size was asked for: a full disk is told as such, not as out of
    /// memory.
    long bytes(Limits limits) {
        Bytes memory = limits.memory();
        long standard = memory.isUnlimited() ? Bytes.gibibytes(1).count() : memory.count() / 2;
        return size.map(Bytes::count).orElse(standard);
    }

    long files(Limits limits) {
        return inodes.orElse(Math.clamp(bytes(limits) / PAGE, LEAST_STANDARD_INODES, MOST_INODES));
    }
}
