package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/// Locks on open files, exclusive ones unless it is said. A lock belongs to the open file description, so the
/// kernel gives it back when the last descriptor of that closes, in whatever way its process ends: flock(2),
/// F_OFD_SETLK of fcntl(2).
public final class FileLocks {
    private static final int LOCK_SH = 1;
    private static final int LOCK_EX = 2;
    private static final int LOCK_NB = 4;
    private static final int LOCK_UN = 8;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;
    private static final int F_OFD_SETLK = 37;
    private static final int FLOCK_BYTES = 32;
    private static final long BETWEEN_TRIES_NANOS = 1_000_000;

    private FileLocks() {}

    /// Locks the whole file without waiting; false where another open file has it.
    public static boolean tryLock(Fd file) {
        long result = Native.raw(Nr.FLOCK, file.number(), LOCK_EX | LOCK_NB);
        if (result == -Errno.EAGAIN) {
            return false;
        }
        Native.check("flock", result);
        return true;
    }

    /// Locks the whole file for one of several users without waiting; false where another open file has it alone.
    public static boolean tryLockShared(Fd file) {
        long result = Native.raw(Nr.FLOCK, file.number(), LOCK_SH | LOCK_NB);
        if (result == -Errno.EAGAIN) {
            return false;
        }
        Native.check("flock", result);
        return true;
    }

    /// True if no other open file has the whole file locked, alone or with others. Whoever locks it at that moment may
    /// be refused.
    public static boolean isUnlocked(Fd file) {
        if (!tryLock(file)) {
            return false;
        }
        Native.check("flock", Native.raw(Nr.FLOCK, file.number(), LOCK_UN));
        return true;
    }

    /// Locks the whole file, waiting while another open file has it.
    public static void lock(Fd file) {
        lock(file, LOCK_EX);
    }

    /// Gives the lock of the whole file back.
    public static void unlock(Fd file) {
        Native.check("flock", Native.raw(Nr.FLOCK, file.number(), LOCK_UN));
    }

    /// Locks the whole file together with others who do the same, waiting while one has it alone. Nobody gets it alone
    /// meanwhile.
    public static void lockShared(Fd file) {
        lock(file, LOCK_SH);
    }

    /// A virtual thread tries again from time to time: flock(2) would keep its carrier thread, and the one that has the
    /// lock may need that to go on.
    private static void lock(Fd file, int how) {
        int block = Thread.currentThread().isVirtual() ? LOCK_NB : 0;
        boolean interrupted = false;
        try {
            while (true) {
                long result = Native.raw(Nr.FLOCK, file.number(), how | block);
                if (result != -Errno.EAGAIN && result != -Errno.EINTR) {
                    Native.check("flock", result);
                    return;
                }
                if (block != 0) {
                    interrupted |= Thread.interrupted(); // else it does not wait
                    LockSupport.parkNanos(BETWEEN_TRIES_NANOS);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// True if another open file has the whole file locked. Those who ask are not in each other's way; [#tryLock] may
    /// meet one of them, [#lock] waits until they have their answer.
    public static boolean isLocked(Fd file) {
        long result = Native.raw(Nr.FLOCK, file.number(), LOCK_SH | LOCK_NB);
        if (result == -Errno.EAGAIN) {
            return true;
        }
        Native.check("flock", result);
        Native.check("flock", Native.raw(Nr.FLOCK, file.number(), LOCK_UN));
        return false;
    }

    /// Locks byte `index`, which need not exist; false where another open file has it.
    public static boolean tryLockByte(Fd file, long index) {
        return lockByte(file, index, F_WRLCK);
    }

    public static void unlockByte(Fd file, long index) {
        lockByte(file, index, F_UNLCK);
    }

    private static boolean lockByte(Fd file, long index, short type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment lock = arena.allocate(FLOCK_BYTES, 8);
            lock.set(JAVA_SHORT, 0, type);
            lock.set(JAVA_LONG, 8, index);
            lock.set(JAVA_LONG, 16, 1);
            long result = Native.raw(Nr.FCNTL, file.number(), F_OFD_SETLK, lock.address());
            if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
                return false;
            }
            Native.check("fcntl F_OFD_SETLK", result);
            return true;
        }
    }
}
