package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import dev.caisson.state.SharedRecord;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A directory with a bound of its own that keeps what containers write. It stays when they and the engine end, until
/// it is removed.
///
/// @param size most bytes that it holds, the tables of its file system among them
/// @param inodes most files, directories and links
/// @param sized whether somebody asked for its size
/// @param anonymous whether its name was made up for one container
public record Volume(
        VolumeName name,
        Bytes size,
        long inodes,
        boolean sized,
        boolean anonymous,
        Map<String, String> labels,
        Instant created) {
    public Volume {
        present(name, "name");
        present(size, "size");
        labels = Collections.unmodifiableMap(new TreeMap<>(present(labels, "labels")));
        present(created, "created");
    }

    static Volume of(SharedRecord record) {
        return new Volume(
                new VolumeName(record.name().value()),
                Bytes.of(record.bytes()),
                record.inodes(),
                record.sized(),
                record.anonymous(),
                record.labels(),
                record.created());
    }

    /// Returns a mount of it for a spec; if it is empty and nobody uses it, it first gets what the image has there.
    /// @param path absolute, in the container
    public Mount at(String path) {
        return new Mount.Volume(Optional.of(name), InRootPath.parse(present(path, "path")), false, true);
    }

    /// Returns a mount of it that cannot be written to.
    public Mount readOnlyAt(String path) {
        return new Mount.Volume(Optional.of(name), InRootPath.parse(present(path, "path")), true, true);
    }
}
