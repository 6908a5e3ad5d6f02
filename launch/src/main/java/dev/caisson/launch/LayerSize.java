package dev.caisson.launch;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import dev.caisson.spec.WritableLayer;
import java.util.Optional;
import java.util.Set;

/// How large a writable layer becomes that was asked for, and in what it is kept.
final class LayerSize {
    static final Bytes LEAST_SIZE = Bytes.kibibytes(64);
    /// An ext4 file system of less is mostly tables.
    static final Bytes LEAST_IMAGE = Bytes.mebibytes(1);
    static final long LEAST_INODES = 16;
    private static final long LEAST_STANDARD_INODES = 1024;
    private static final long LEAST_DISK_INODES = 128;
    static final long MOST_INODES = 1 << 20;
    private static final long PAGE = 4096;
    private static final long DISK_BYTES_EACH = 16 * 1024;

    private LayerSize() {}

    /// Returns the medium of a layer; empty if nothing of `available` can bound it as asked.
    static Optional<LayerMedium> medium(WritableLayer layer, Limits limits, Set<LayerMedium> available) {
        boolean disk = layer.place() == WritableLayer.Place.DISK
                || (layer.place() == WritableLayer.Place.ANY && layer.size().isPresent());
        if (disk && available.contains(LayerMedium.PROJECT)) {
            return Optional.of(LayerMedium.PROJECT);
        }
        if (disk && available.contains(LayerMedium.IMAGE) && bytes(layer, limits) >= LEAST_IMAGE.count()) {
            return Optional.of(LayerMedium.IMAGE);
        }
        boolean fits = layer.size().isEmpty() || layer.size().get().compareTo(limits.memory()) < 0;
        return layer.place() != WritableLayer.Place.DISK && fits ? Optional.of(LayerMedium.MEMORY) : Optional.empty();
    }

    /// Half of the memory limit unless a size was asked for: a full disk is told as such, not as out of memory.
    static long bytes(WritableLayer layer, Limits limits) {
        Bytes memory = limits.memory();
        long standard = memory.isUnlimited() ? Bytes.gibibytes(1).count() : memory.count() / 2;
        return layer.size().map(Bytes::count).orElse(standard);
    }

    static long files(WritableLayer layer, Limits limits, LayerMedium medium) {
        long standard = medium == LayerMedium.MEMORY
                ? Math.clamp(bytes(layer, limits) / PAGE, LEAST_STANDARD_INODES, MOST_INODES)
                : Math.clamp(bytes(layer, limits) / DISK_BYTES_EACH, LEAST_DISK_INODES, MOST_INODES);
        return layer.inodes().orElse(standard);
    }
}
