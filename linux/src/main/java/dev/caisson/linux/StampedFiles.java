package dev.caisson.linux;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Remembers what was made of the content of files, until they change: a bounded number of them, those that
/// were asked for last. May be used by several threads.
///
/// A file that is written through a mapping (mmap(2)) gets its new time when the kernel sees the first write,
/// and after that each time the page was written out: a mapping that stays open is the one way to change a
/// file behind its stamp.
public final class StampedFiles<T> {
    private static final float LOAD = 0.75f;

    private final Map<FileStamp, T> known;

    /// @param most files that are remembered
    public StampedFiles(int most) {
        this.known = new LinkedHashMap<>(16, LOAD, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<FileStamp, T> eldest) {
                return size() > most;
            }
        };
    }

    /// Returns what was remembered of a file that has not changed since.
    public synchronized Optional<T> find(FileStatus status) {
        return Optional.ofNullable(known.get(FileStamp.of(status)));
    }

    /// Remembers what was made of a file's content, unless it may still change without a trace.
    ///
    /// @param status from before the content was read
    /// @param seen a time before the status was taken
    public void remember(FileStatus status, Instant seen, T made) {
        FileStamp stamp = FileStamp.of(status);
        if (stamp.isSettled(seen)) {
            synchronized (this) {
                known.put(stamp, made);
            }
        }
    }

    /// Forgets what was made of a file, whose content turned out to be another.
    public synchronized void forget(FileStatus status) {
        known.remove(FileStamp.of(status));
    }
}
