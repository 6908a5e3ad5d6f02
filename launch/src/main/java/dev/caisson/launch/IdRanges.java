package dev.caisson.launch;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.concurrent.ThreadLocalRandom;

/// Hands out id ranges, each to one container at a time, among all engines of the host: a range is taken by a
/// lock on its byte of one file, which the kernel gives back when the engine ends in whatever way.
public final class IdRanges implements AutoCloseable {
    /// A range that one container has, and the user namespace through which files are shown to it.
    public record Lease(IdRange range, Fd userNamespace) {}

    /// A range that one container has, while its user namespace is being made.
    public static final class Asked implements AutoCloseable {
        private final IdRange range;
        private final Zygote.Answer answer;

        private Asked(IdRange range, Zygote.Answer answer) {
            this.range = range;
            this.answer = answer;
        }

        public IdRange range() {
            return range;
        }

        /// Waits for the user namespace, which is then the caller's.
        public Fd userNamespace() {
            return answer.descriptor();
        }

        /// Drops the user namespace, unless the caller has it. The range stays taken.
        @Override
        public void close() {
            answer.close();
        }
    }

    private final Fd file;
    private final BitSet taken = new BitSet(IdRange.RANGES);
    private final Deque<Lease> free = new ArrayDeque<>();

    /// Opens the lock file, made where it is missing.
    /// @param directory where the lock file stands; only root may write there
    public IdRanges(Fd directory) {
        file = FileSystem.openAt(
                directory,
                "ranges",
                FileSystem.O_RDWR | FileSystem.O_CREAT,
                0600,
                FileSystem.RESOLVE_NO_SYMLINKS | FileSystem.RESOLVE_BENEATH);
    }

    /// A range for one container.
    /// @throws HostException where every range is taken
    public Lease take(Zygote zygote) {
        int index;
        synchronized (this) {
            Lease lease = free.pollFirst();
            if (lease != null) {
                return lease;
            }
            index = lockFrom(ThreadLocalRandom.current().nextInt(IdRange.RANGES));
        }
        IdRange range = IdRange.numbered(index);
        try {
            return new Lease(range, zygote.userNamespace(range));
        } catch (RuntimeException e) {
            unlock(index);
            throw e;
        }
    }

    /// Takes a range that nobody had before, and does not wait for its user namespace.
    /// @throws HostException if every range is taken
    public Asked ask(Zygote zygote) {
        int index = lockFrom(ThreadLocalRandom.current().nextInt(IdRange.RANGES));
        IdRange range = IdRange.numbered(index);
        try {
            return new Asked(range, zygote.askUserNamespace(range));
        } catch (RuntimeException e) {
            unlock(index);
            throw e;
        }
    }

    /// Returns the open file that holds the locks: whoever has a copy of its descriptor holds the ranges too.
    public Fd holder() {
        return file;
    }

    /// Locks the first range that is free, from `start` on and round to it.
    synchronized int lockFrom(int start) {
        for (int i = 0; i < IdRange.RANGES; i++) {
            int index = (start + i) % IdRange.RANGES;
            if (!taken.get(index) && FileLocks.tryLockByte(file, index)) {
                taken.set(index);
                return index;
            }
        }
        throw new HostException("RANGES_TAKEN", "all " + IdRange.RANGES + " id ranges are taken: end some containers");
    }

    private synchronized void unlock(int index) {
        FileLocks.unlockByte(file, index);
        taken.clear(index);
    }

    /// Gives a range back, which must have no process left. It stays this engine's, for its next container.
    public synchronized void giveBack(Lease lease) {
        free.addFirst(lease);
    }

    @Override
    public synchronized void close() {
        free.forEach(lease -> lease.userNamespace().close());
        free.clear();
        file.close();
    }
}
