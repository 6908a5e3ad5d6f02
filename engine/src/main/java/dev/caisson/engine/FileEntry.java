package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import java.time.Instant;
import java.util.Optional;

/// A file of a container: what stat(2) says of it, without following a link.
///
/// @param name its last component; empty for the root
/// @param size in bytes
/// @param mode permission bits, set-user-ID, set-group-ID and sticky
/// @param uid owner, as the container has it
/// @param modified when its content last changed
/// @param target where a symbolic link leads; known from [ContainerFiles#stat] alone
public record FileEntry(
        String name, Type type, long size, int mode, int uid, int gid, Instant modified, Optional<String> target) {
    /// Its type.
    public enum Type {
        FILE,
        DIRECTORY,
        LINK,
        /// A pipe, socket or device: never opened.
        SPECIAL
    }

    public FileEntry {
        present(name, "name");
        present(type, "type");
        present(modified, "modified");
        present(target, "target");
    }

    public boolean isDirectory() {
        return type == Type.DIRECTORY;
    }

    public boolean isFile() {
        return type == Type.FILE;
    }

    public boolean isLink() {
        return type == Type.LINK;
    }
}
