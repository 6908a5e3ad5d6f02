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

/// What was read of the directories of containers, for a process that lists the same containers again and
/// again. A file of a container is never changed: it is written under another name and renamed
/// ([KeptFile#writeText]), which gives its directory another stamp. So a directory is read again as soon as the
/// kernel says that it is another one or was changed; one that may change without a trace
/// ([FileStamp#isSettled]) is read each time.
public final class KnownDirectories<T> {
    /// Where its files are larger, it is read each time, so that labels cannot fill the memory of a resident engine.
    private static final long MOST_BYTES = 64 << 10;

    private final Map<String, Known<T>> known = new ConcurrentHashMap<>();

    private record Known<T>(FileStamp stamp, T value) {}

    /// A directory at one moment, before anything in it was read.
    ///
    /// @param settled true if every later change gives it another stamp
    public record Seen(FileStamp stamp, boolean settled) {
        /// Empty if there is no such directory; a link is none.
        public static Optional<Seen> of(Fd all, String directory) {
            Instant now = Instant.now();
            return FileSystem.findStatus(all, directory)
                    .filter(FileStatus::isDirectory)
                    .map(FileStamp::of)
                    .map(stamp -> new Seen(stamp, stamp.isSettled(now)));
        }
    }

    /// Returns what was read of a directory; empty if it has to be read.
    ///
    /// @param container its id, which it keeps when the directory gets another name
    public Optional<T> find(String container, Seen seen) {
        Known<T> before = known.get(container);
        return before != null && before.stamp().equals(seen.stamp()) ? Optional.of(before.value()) : Optional.empty();
    }

    /// Keeps what was read after the directory was seen, if it may be kept.
    ///
    /// @param files those that were read
    public void keep(String container, Seen seen, T value, Fd directory, String... files) {
        if (seen.settled() && bytes(directory, files) <= MOST_BYTES) {
            known.put(container, new Known<>(seen.stamp(), value));
        } else {
            known.remove(container);
        }
    }

    private static long bytes(Fd directory, String... files) {
        long bytes = 0;
        for (String file : files) {
            bytes +=
                    FileSystem.findStatus(directory, file).map(FileStatus::size).orElse(0L);
        }
        return bytes;
    }

    /// Forgets those of all other containers.
    public void retain(Set<String> containers) {
        known.keySet().retainAll(containers);
    }
}
