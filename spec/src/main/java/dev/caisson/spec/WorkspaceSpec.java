package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import java.util.OptionalLong;

/// Describes a workspace that is to be made. Immutable; each method gives a changed copy.
///
/// @param size most bytes that its files take on disk
/// @param inodes most files, directories and links; empty for one for each 16 KiB of the size
public record WorkspaceSpec(WorkspaceName name, Bytes size, OptionalLong inodes) {
    /// An ext4 file system of less is mostly tables.
    public static final Bytes LEAST_SIZE = Bytes.mebibytes(16);

    public static final long LEAST_INODES = 64;
    public static final long MOST_INODES = 1 << 24;
    private static final Bytes STANDARD_SIZE = Bytes.gibibytes(1);
    private static final long BYTES_EACH = 16 * 1024;

    /// @throws ArgumentException for a size below 16 MiB or without an end
    static void requireBounded(String what, Bytes size) {
        if (size.isUnlimited()) {
            throw ArgumentException.invalid("the size of a " + what + " has no end: give one, as 256m");
        }
        if (size.compareTo(LEAST_SIZE) < 0) {
            throw ArgumentException.invalid(
                    "the size " + size + " of a " + what + " is below the least one, " + LEAST_SIZE + ": give more");
        }
    }

    /// @throws ArgumentException for a size below 16 MiB or without an end, and for inodes out of 64 to 2^24
    public WorkspaceSpec {
        present(name, "name");
        present(size, "size");
        present(inodes, "inodes");
        requireBounded("workspace", size);
        if (inodes.isPresent() && (inodes.getAsLong() < LEAST_INODES || inodes.getAsLong() > MOST_INODES)) {
            throw ArgumentException.invalid(
                    "a workspace of " + inodes.getAsLong() + " inodes: give " + LEAST_INODES + " to " + MOST_INODES);
        }
    }

    /// A workspace of 1 GiB.
    public static WorkspaceSpec named(String name) {
        return new WorkspaceSpec(new WorkspaceName(name), STANDARD_SIZE, OptionalLong.empty());
    }

    public WorkspaceSpec size(Bytes value) {
        return new WorkspaceSpec(name, present(value, "size"), inodes);
    }

    /// Bounds its bytes, in the form of Docker's `--memory`: `256m`, `1.5g`.
    public WorkspaceSpec size(String value) {
        return size(Bytes.parse(value));
    }

    public WorkspaceSpec inodes(long value) {
        return new WorkspaceSpec(name, size, OptionalLong.of(value));
    }

    /// Returns how many inodes it gets.
    public long inodesOrStandard() {
        return inodes.orElseGet(() -> Math.clamp(size.count() / BYTES_EACH, LEAST_INODES, MOST_INODES));
    }
}
