package dev.caisson.state;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStamp;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// Files of one name in the directories of containers, and what was read of them, for a process that lists the
/// same containers again and again. A file is read again as soon as the kernel says that it is another one or was
/// changed; what may change without a trace ([FileStamp#isSettled]) is read each time.
public final class KnownFiles<T> {
    /// A larger one is read each time, so that labels cannot fill the memory of a resident engine.
    private static final long MOST_BYTES = 64 << 10;

    private final String name;
    private final Map<String, Known<T>> known = new ConcurrentHashMap<>();

    private record Known<T>(FileStamp stamp, T value) {}

    /// @param name of the files
    public KnownFiles(String name) {
        this.name = name;
    }

    /// Returns what a file says; empty if it is not there.
    ///
    /// @param directory of one container
    /// @param container its id, which it keeps when the directory gets another name
    /// @param read reads the file in the directory, if it is not known
    public Optional<T> read(Fd directory, String container, Function<Fd, Optional<T>> read) {
        Instant seen = Instant.now();
        Optional<FileStatus> found = FileSystem.findStatus(directory, name);
        if (found.isEmpty()) {
            known.remove(container);
            return Optional.empty();
        }
        FileStatus status = found.get();
        FileStamp stamp = FileStamp.of(status);
        Known<T> before = known.get(container);
        if (before != null && before.stamp().equals(stamp)) {
            return Optional.of(before.value());
        }
        // A file that is exchanged between the two looks has another status at the next.
        Optional<T> value = read.apply(directory);
        if (value.isPresent() && status.size() <= MOST_BYTES && stamp.isSettled(seen)) {
            known.put(container, new Known<>(stamp, value.get()));
        } else {
            known.remove(container);
        }
        return value;
    }

    /// Forgets those of all other containers.
    public void retain(Set<String> containers) {
        known.keySet().retainAll(containers);
    }
}
