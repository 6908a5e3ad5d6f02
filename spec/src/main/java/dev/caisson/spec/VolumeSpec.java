package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Describes a volume that is to be made. Immutable; each method gives a changed copy.
///
/// @param name empty for one that is made up
/// @param size most bytes that its files take on disk; empty for a quarter of what the disk has left, at most 8 GiB
/// @param inodes most files, directories and links; empty for one for each 16 KiB of the size
public record VolumeSpec(
        Optional<VolumeName> name, Optional<Bytes> size, OptionalLong inodes, Map<String, String> labels) {
    private static final int MOST_LABELS = 256;
    private static final int LONGEST_LABEL = 4096;

    /// @throws ArgumentException for a size below 16 MiB or without an end, inodes out of 64 to 2^24, and labels
    /// that are too many or too long
    public VolumeSpec {
        present(name, "name");
        present(size, "size");
        present(inodes, "inodes");
        labels = More.copy(labels, "labels");
        size.ifPresent(bytes -> WorkspaceSpec.requireBounded("volume", bytes));
        if (inodes.isPresent()
                && (inodes.getAsLong() < WorkspaceSpec.LEAST_INODES
                        || inodes.getAsLong() > WorkspaceSpec.MOST_INODES)) {
            throw ArgumentException.invalid("a volume of " + inodes.getAsLong() + " inodes: give "
                    + WorkspaceSpec.LEAST_INODES + " to " + WorkspaceSpec.MOST_INODES);
        }
        if (labels.size() > MOST_LABELS) {
            throw ArgumentException.invalid(labels.size() + " labels of a volume: give at most " + MOST_LABELS);
        }
        labels.forEach((key, value) -> {
            if (key.isEmpty() || key.length() + value.length() > LONGEST_LABEL) {
                throw ArgumentException.invalid("a label of a volume has a key and at most " + LONGEST_LABEL
                        + " characters: give it one, or shorten it");
            }
        });
    }

    public static VolumeSpec named(String name) {
        return new VolumeSpec(Optional.of(new VolumeName(name)), Optional.empty(), OptionalLong.empty(), Map.of());
    }

    public static VolumeSpec unnamed() {
        return new VolumeSpec(Optional.empty(), Optional.empty(), OptionalLong.empty(), Map.of());
    }

    public VolumeSpec name(VolumeName value) {
        return new VolumeSpec(Optional.of(present(value, "name")), size, inodes, labels);
    }

    public VolumeSpec size(Bytes value) {
        return new VolumeSpec(name, Optional.of(present(value, "size")), inodes, labels);
    }

    /// Bounds its bytes, in the form of Docker's `--memory`: `256m`, `1.5g`.
    public VolumeSpec size(String value) {
        return size(Bytes.parse(value));
    }

    public VolumeSpec inodes(long value) {
        return new VolumeSpec(name, size, OptionalLong.of(value), labels);
    }

    /// Adds a label, or replaces the one with that key.
    public VolumeSpec label(String key, String value) {
        var all = new LinkedHashMap<>(labels);
        all.put(present(key, "key"), present(value, "value"));
        return new VolumeSpec(name, size, inodes, all);
    }
}
