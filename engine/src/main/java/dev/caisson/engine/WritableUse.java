package dev.caisson.engine;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.spec.Bytes;
import java.util.Optional;

/// How full a container's writable layer is.
///
/// @param used bytes that were written and not removed
/// @param inodes files, directories and links in it
public record WritableUse(Bytes used, Bytes size, long inodes, long mostInodes) {
    /// Returns the use of the container whose process 1 is `pid`; empty if that has ended. The overlay at
    /// its root tells of the layer that is written to.
    static Optional<WritableUse> of(int pid) {
        try (Fd root = FileSystem.open("/proc/" + pid + "/root", FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            FileSystemSpace space = FileSystemSpace.of(root);
            return Optional.of(new WritableUse(
                    Bytes.of(space.usedBytes()), Bytes.of(space.bytes()), space.usedInodes(), space.inodes()));
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }
}
