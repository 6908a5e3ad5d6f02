package dev.caisson.engine;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.KeptDirectory;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The directory of a container that outlives its command, found by the name that it has by now. The thread that has
/// the container's lock reads in the directory that it has open.
final class DetachedDirectory {
    private static final String LOCK = "lock";
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final KeptDirectory among;
    private volatile KeptDirectory.Entry entry;
    private volatile @Nullable DetachedHold hold;

    DetachedDirectory(KeptDirectory among, KeptDirectory.Entry entry) {
        this.among = among;
        this.entry = entry;
    }

    KeptDirectory among() {
        return among;
    }

    KeptDirectory.Entry entry() {
        return entry;
    }

    ContainerId id() {
        return entry.id();
    }

    String name() {
        return entry.name().orElse(id().shortForm());
    }

    Path path() {
        return among.path().resolve(entry.directory());
    }

    /// Opens it; empty if it was removed.
    Optional<Fd> open() {
        Optional<Fd> found = among.open(entry);
        while (found.isEmpty()) {
            Optional<KeptDirectory.Entry> renamed = among.find(id());
            if (renamed.isEmpty()) {
                return Optional.empty();
            }
            entry = renamed.get();
            found = among.open(entry);
        }
        return found;
    }

    /// Reads in it; empty if it was removed.
    <T> Optional<T> read(Function<Fd, Optional<T>> read) {
        DetachedHold held = ownHold();
        if (held != null) {
            return read.apply(held.kept());
        }
        return open().flatMap(found -> {
            try (Fd own = found) {
                return read.apply(own);
            }
        });
    }

    /// Returns what says how the container lives; empty if it was removed.
    Optional<DetachedFile> findFile() {
        DetachedHold held = ownHold();
        return held != null ? Optional.of(held.file()) : read(DetachedFile::read);
    }

    /// True if this thread has the container's lock.
    boolean isHeldByUs() {
        return ownHold() != null;
    }

    private @Nullable DetachedHold ownHold() {
        DetachedHold held = hold;
        return held != null && held.isMine() ? held : null;
    }

    /// Takes the lock of one that is being made, which nobody else has yet; the caller's to close.
    static Fd holdNew(Fd kept) {
        Fd lock = lockFile(kept);
        FileLocks.lock(lock);
        return lock;
    }

    private static Fd lockFile(Fd kept) {
        return FileSystem.openAt(kept, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH);
    }

    /// Takes the container's lock.
    ///
    /// @param waits for somebody else who has it; else empty then
    /// @param unknown makes the exception for one that was removed
    Optional<DetachedHold> hold(boolean waits, Supplier<EngineException> unknown) {
        while (true) {
            Fd kept = open().orElseThrow(unknown);
            Fd lock = null;
            try {
                lock = lockFile(kept);
                boolean taken = FileLocks.tryLock(lock);
                if (!taken && waits) {
                    FileLocks.lock(lock);
                    taken = true;
                }
                if (taken && among.isThere(entry)) {
                    DetachedFile file = DetachedFile.read(kept).orElseThrow(unknown);
                    var held = new DetachedHold(kept, lock, file, () -> hold = null);
                    hold = held;
                    return Optional.of(held);
                }
                lock.close();
                kept.close();
                if (!taken) {
                    return Optional.empty();
                }
            } catch (RuntimeException e) {
                if (lock != null) {
                    lock.close();
                }
                kept.close();
                throw e;
            }
        }
    }

    /// Gives it another name.
    void rename(String name) {
        entry = among.rename(entry, name);
    }
}
