package dev.caisson.state;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// Files of one name in the directories of containers, and what was read of them, for a process that lists the
/// same containers again and again. A file is read again as soon as the kernel says that it is another one or was
/// changed.
///
/// Times of files are those of the kernel's last tick, and its clock can be set back: what changed less than a
/// second ago, or in what is now the future, is not known yet and read each time.
public final class KnownFiles<T> {
    private static final Duration SETTLED = Duration.ofSeconds(1);
    /// A larger one is read each time, so that labels cannot fill the memory of a resident engine.
    private static final long MOST_BYTES = 64 << 10;

    private final String name;
    private final Map<String, Known<T>> known = new ConcurrentHashMap<>();

    private record Known<T>(long inode, long size, Instant changed, Instant modified, T value) {
        static <T> Known<T> of(FileStatus status, T value) {
            return new Known<>(status.inode(), status.size(), status.changed(), status.modified(), value);
        }

        boolean isOf(FileStatus status) {
            return inode == status.inode()
                    && size == status.size()
                    && changed.equals(status.changed())
                    && modified.equals(status.modified());
        }
    }

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
        Optional<FileStatus> found = FileSystem.findStatus(directory, name);
        if (found.isEmpty()) {
            known.remove(container);
            return Optional.empty();
        }
        FileStatus status = found.get();
        Known<T> before = known.get(container);
        if (before != null && before.isOf(status)) {
            return Optional.of(before.value());
        }
        // A file that is exchanged between the two looks has another status at the next.
        Optional<T> value = read.apply(directory);
        if (value.isPresent() && status.size() <= MOST_BYTES && isSettled(status)) {
            known.put(container, Known.of(status, value.get()));
        } else {
            known.remove(container);
        }
        return value;
    }

    private static boolean isSettled(FileStatus status) {
        Instant settled = Instant.now().minus(SETTLED);
        return status.changed().isBefore(settled) && status.modified().isBefore(settled);
    }

    /// Forgets those of all other containers.
    public void retain(Set<String> containers) {
        known.keySet().retainAll(containers);
    }
}
