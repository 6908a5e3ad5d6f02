package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import java.util.Optional;
import java.util.OptionalLong;

/// How much a container may write into its root file system, and where that is kept: in memory unless a
/// size was asked for, then on disk where the host can bound it there.
///
/// @param size empty for half of the memory limit
/// @param inodes files, directories and links; empty for as many as the size is good for
public record WritableLayer(Optional<Bytes> size, OptionalLong inodes, Place place) {
    public WritableLayer {
        present(size, "size");
        present(inodes, "inodes");
        present(place, "place");
    }

    /// The medium of the layer.
    public enum Place {
        /// A layer of a given size on disk, else in memory; one without in memory.
        ANY,
        MEMORY,
        DISK
    }

    public static final WritableLayer STANDARD = new WritableLayer(Optional.empty(), OptionalLong.empty(), Place.ANY);

    public WritableLayer size(Bytes value) {
        return new WritableLayer(Optional.of(present(value, "size")), inodes, place);
    }

    public WritableLayer inodes(long value) {
        return new WritableLayer(size, OptionalLong.of(value), place);
    }

    public WritableLayer place(Place value) {
        return new WritableLayer(size, inodes, value);
    }
}
