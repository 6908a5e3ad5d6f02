package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.state.SharedRecord;
import java.time.Instant;

/// A directory with a bound of its own that containers share, one after the other or at once. It stays when they and
/// the engine end, until it is removed.
///
/// @param size most bytes that it holds, the tables of its file system among them
/// @param inodes most files, directories and links
public record Workspace(WorkspaceName name, Bytes size, long inodes, Instant created) {
    public Workspace {
        present(name, "name");
        present(size, "size");
        present(created, "created");
    }

    static Workspace of(SharedRecord record) {
        return new Workspace(
                new WorkspaceName(record.name().value()), Bytes.of(record.bytes()), record.inodes(), record.created());
    }

    /// Returns a mount of it for a spec.
    /// @param path absolute, in the container
    public Mount at(String path) {
        return new Mount.Workspace(name, InRootPath.parse(present(path, "path")), false);
    }

    /// Returns a mount of it that cannot be written to.
    public Mount readOnlyAt(String path) {
        return new Mount.Workspace(name, InRootPath.parse(present(path, "path")), true);
    }
}
