package dev.caisson.launch;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.cgroup.Bytes;
import dev.caisson.cgroup.Limits;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// How much a container may write into its root file system, and where that is kept: in memory unless a
/// size was asked for, then on disk where the host can bound it there.
///
/// @param size empty for half of the memory limit
/// @param inodes files, directories and links; empty for as many as the size is good for
public record WritableLayer(Optional<Bytes> size, OptionalLong inodes, Place place) {
    /// Where it may be kept.
    public WritableLayer {
        present(size, "size");
        present(inodes, "inodes");
        present(place, "place");
    }

    public enum Place {
        /// A layer of a given size on disk, else in memory; one without in memory.
        ANY,
        MEMORY,
        DISK
    }

    public static final WritableLayer STANDARD = new WritableLayer(Optional.empty(), OptionalLong.empty(), Place.ANY);

    static final Bytes LEAST_SIZE = Bytes.kibibytes(64);
    /// An ext4 file system of less is mostly tables.
    static final Bytes LEAST_IMAGE = Bytes.mebibytes(1);
    static final long LEAST_INODES = 16;
    private static final long LEAST_STANDARD_INODES = 1024;
    private static final long LEAST_DISK_INODES = 128;
    static final long MOST_INODES = 1 << 20;
    private static final long PAGE = 4096;
    private static final long DISK_BYTES_EACH = 16 * 1024;

    public WritableLayer size(Bytes value) {
        return new WritableLayer(Optional.of(present(value, "size")), inodes, place);
    }

    public WritableLayer inodes(long value) {
        return new WritableLayer(size, OptionalLong.of(value), place);
    }

    public WritableLayer place(Place value) {
        return new WritableLayer(size, inodes, value);
    }

    /// What it is kept in; empty where nothing of `available` can bound it as asked.
    Optional<LayerMedium> medium(Limits limits, Set<LayerMedium> available) {
        boolean disk = place == Place.DISK || (place == Place.ANY && size.isPresent());
        if (disk && available.contains(LayerMedium.PROJECT)) {
            return Optional.of(LayerMedium.PROJECT);
        }
        if (disk && available.contains(LayerMedium.IMAGE) && bytes(limits) >= LEAST_IMAGE.count()) {
            return Optional.of(LayerMedium.IMAGE);
        }
        boolean fits = size.isEmpty() || size.get().compareTo(limits.memory()) < 0;
        return place != Place.DISK && fits ? Optional.of(LayerMedium.MEMORY) : Optional.empty();
    }

    /// Half of the memory limit unless a size was asked for: a full disk is told as such, not as out of memory.
    long bytes(Limits limits) {
        Bytes memory = limits.memory();
        long standard = memory.isUnlimited() ? Bytes.gibibytes(1).count() : memory.count() / 2;
        return size.map(Bytes::count).orElse(standard);
    }

    long files(Limits limits, LayerMedium medium) {
        long standard = medium == LayerMedium.MEMORY
                ? Math.clamp(bytes(limits) / PAGE, LEAST_STANDARD_INODES, MOST_INODES)
                : Math.clamp(bytes(limits) / DISK_BYTES_EACH, LEAST_DISK_INODES, MOST_INODES);
        return inodes.orElse(standard);
    }
}
