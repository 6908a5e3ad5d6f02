package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Memory for a secret, outside of the Java heap: never swapped, in no core dump, cleared when it is
/// closed.
///
/// It is made by memfd_secret(2), so that it cannot be read through `/proc/PID/mem` either; where the
/// kernel has none, by mmap(2), mlock(2) and MADV_DONTDUMP of madvise(2).
public final class LockedMemory implements AutoCloseable {
    private static final long O_CLOEXEC = FileSystem.O_CLOEXEC;
    private static final int PROT_READ_WRITE = 0x1 | 0x2;
    private static final int MAP_SHARED = 0x01;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;
    private static final int MADV_DONTDUMP = 16;
    private static final int MADV_WIPEONFORK = 18;
    private static final int PAGE = 4096;
    /// Pages to retain for the next ones: to make one and to give it back stops all processors for a moment each.
    private static final int MOST_SPARE = 8;
    private static final Deque<Long> SPARE = new ArrayDeque<>();

    private final MemorySegment memory;
    private final boolean shared;
    /// Guards what is searched, in place of the lock.
    private final @Nullable Arena arena;

    private boolean open = true;

    /// Every access is guarded by the lock of this object. An arena for several threads would stop each thread of the
    /// process when it is closed, which takes longer than all else.
    @SuppressWarnings("restricted") // no access comes behind the end of the mapping: see open()
    private LockedMemory(long address, int size, boolean shared) {
        this.shared = shared;
        arena = null;
        memory = MemorySegment.ofAddress(address).reinterpret(size);
    }

    @SuppressWarnings("restricted") // the memory is unmapped when the arena closes, which nothing outlives
    private LockedMemory(long address, int size, Arena arena) {
        shared = false;
        this.arena = arena;
        long mapped = mapped(size);
        memory = MemorySegment.ofAddress(address)
                .reinterpret(mapped, arena, whole -> Native.raw(Nr.MUNMAP, whole.address(), mapped))
                .asSlice(0, size);
    }

    private MemorySegment open() {
        if (!open) {
            throw new IllegalStateException("this memory was given back");
        }
        return memory;
    }

    /// Allocates `size` zeros.
    public static LockedMemory allocate(int size) {
        if (size < 0) {
            throw new IllegalArgumentException("a size of memory is not negative: " + size);
        }
        Long spare = mapped(size) == PAGE ? takeSpare() : null;
        return new LockedMemory(spare == null ? fresh(size) : spare, size, false);
    }

    /// Allocates `size` zeros, for [#holds] and [#integer] of many threads without a lock; to close it takes longer.
    @SuppressWarnings("MustBeClosedChecker") // closed with the memory
    public static LockedMemory allocateSearched(int size) {
        return new LockedMemory(fresh(size), size, Arena.ofShared());
    }

    private static long fresh(int size) {
        long file = Native.raw(Nr.MEMFD_SECRET, O_CLOEXEC, 0);
        return file < 0 ? locked(mapped(size)) : hidden(new Fd((int) file), mapped(size));
    }

    /// Makes memory of `size` bytes, to which `fill` writes, for another process that maps it by its
    /// descriptor. It is gone when nobody has it any more. Where the kernel has no memfd_secret(2), it is
    /// locked only while somebody has locked a mapping of it.
    ///
    /// @return the descriptor, which is the caller's to close
    public static Fd share(int size, Consumer<LockedMemory> fill) {
        long secret = Native.raw(Nr.MEMFD_SECRET, O_CLOEXEC, 0);
        Fd file = secret < 0 ? MemoryFile.shared("caisson-shared", size) : new Fd((int) secret);
        try {
            if (secret >= 0) {
                FileContent.resize(file, size);
            }
            long address = map(size, MAP_SHARED, file.number());
            try (var memory = new LockedMemory(address, size, true)) {
                if (secret < 0) {
                    Native.check("mlock", Native.raw(Nr.MLOCK, address, size));
                }
                fill.accept(memory);
            }
            return file;
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /// Hands what [#share] has made to `take`, in the process that got it, and clears it: for both.
    ///
    /// @param most bytes; a larger file is refused
    /// @throws ErrnoException EFBIG, and those of mmap(2)
    public static void takeShared(Fd file, int most, Consumer<LockedMemory> take) {
        long size = FileSystem.status(file).size();
        if (size > most) {
            throw new ErrnoException("mmap", Errno.EFBIG);
        }
        try (var memory = new LockedMemory(map(size, MAP_SHARED, file.number()), (int) size, true)) {
            try {
                take.accept(memory);
            } finally {
                memory.clear();
            }
        }
    }

    private static @Nullable Long takeSpare() {
        synchronized (SPARE) {
            return SPARE.poll();
        }
    }

    /// @return false if there are enough of them
    private static boolean isRetained(long page) {
        synchronized (SPARE) {
            return SPARE.size() < MOST_SPARE && SPARE.add(page);
        }
    }

    /// Gives the pages back that are retained for the next ones.
    public static void releaseSpare() {
        for (Long page = takeSpare(); page != null; page = takeSpare()) {
            Native.raw(Nr.MUNMAP, page, PAGE);
        }
    }

    private static long mapped(int size) {
        return Math.max(1, (size + (long) PAGE - 1) / PAGE) * PAGE;
    }

    private static long hidden(Fd file, long length) {
        try (file) {
            FileContent.resize(file, length);
            return map(length, MAP_SHARED, file.number());
        }
    }

    private static long locked(long length) {
        long address = map(length, MAP_PRIVATE_ANONYMOUS, -1);
        try {
            Native.check("mlock", Native.raw(Nr.MLOCK, address, length));
            Native.check("madvise MADV_DONTDUMP", Native.raw(Nr.MADVISE, address, length, MADV_DONTDUMP));
            Native.check("madvise MADV_WIPEONFORK", Native.raw(Nr.MADVISE, address, length, MADV_WIPEONFORK));
            return address;
        } catch (RuntimeException e) {
            Native.raw(Nr.MUNMAP, address, length);
            throw e;
        }
    }

    private static long map(long length, int flags, long file) {
        return Native.check("mmap", Native.raw(Nr.MMAP, 0, length, PROT_READ_WRITE, flags, file, 0));
    }

    public int size() {
        return (int) memory.byteSize();
    }

    private synchronized void clear() {
        open().fill((byte) 0);
    }

    /// Copies `length` bytes of `from` to the position `at`.
    public synchronized void put(int at, byte[] from, int offset, int length) {
        MemorySegment.copy(from, offset, open(), JAVA_BYTE, at, length);
    }

    /// Copies the `length` bytes at the position `at` to `into`.
    public synchronized void get(int at, byte[] into, int offset, int length) {
        MemorySegment.copy(open(), JAVA_BYTE, at, into, offset, length);
    }

    /// Returns the four bytes at the position `at`, as an integer of this machine.
    public int integer(int at) {
        if (arena != null) {
            return memory.get(JAVA_INT_UNALIGNED, at);
        }
        synchronized (this) {
            return open().get(JAVA_INT_UNALIGNED, at);
        }
    }

    /// Writes what [#integer] reads.
    public synchronized void put(int at, int integer) {
        open().set(JAVA_INT_UNALIGNED, at, integer);
    }

    /// True if the `length` bytes at the position `at` are those of `other` from `offset` on.
    public boolean holds(int at, byte[] other, int offset, int length) {
        if (arena != null) {
            return isSame(memory, at, other, offset, length);
        }
        synchronized (this) {
            return isSame(open(), at, other, offset, length);
        }
    }

    private static boolean isSame(MemorySegment one, int at, byte[] other, int offset, int length) {
        return MemorySegment.mismatch(
                        one, at, (long) at + length, MemorySegment.ofArray(other), offset, (long) offset + length)
                < 0;
    }

    /// Writes all of it at the position of `file`, without a copy in the heap.
    public synchronized void write(Fd file) {
        MemorySegment from = open();
        for (long done = 0; done < from.byteSize(); ) {
            long count = Native.raw(Nr.WRITE, file.number(), from.address() + done, from.byteSize() - done);
            if (count != -Errno.EINTR) {
                done += Native.check("write", count);
            }
        }
    }

    /// Reads from the position of `file` until the memory is full or the file ends.
    /// @return how many bytes
    public synchronized int read(Fd file) {
        MemorySegment into = open();
        long done = 0;
        while (done < into.byteSize()) {
            long count = Native.raw(Nr.READ, file.number(), into.address() + done, into.byteSize() - done);
            if (count == 0) {
                return (int) done;
            }
            if (count != -Errno.EINTR) {
                done += Native.check("read", count);
            }
        }
        return (int) done;
    }

    /// Clears the memory and gives it back; a second call does nothing. Shared memory is left as it is.
    @Override
    public synchronized void close() {
        if (!open) {
            return;
        }
        open = false;
        if (!shared) {
            memory.fill((byte) 0);
        }
        if (arena != null) {
            arena.close();
            return;
        }
        long length = mapped(size());
        if (shared || length != PAGE || !isRetained(memory.address())) {
            Native.raw(Nr.MUNMAP, memory.address(), length);
        }
    }

    @Override
    public String toString() {
        return "LockedMemory";
    }
}
