package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Byte streams: pipe2(2), read(2), write(2) without waiting.
public final class Pipes {
    /// The two ends of a pipe, close-on-exec.
    public record Pipe(Fd read, Fd write) implements AutoCloseable {
        @Override
        public void close() {
            read.close();
            write.close();
        }
    }

    /// Memory to read into again and again, for one thread at a time.
    public static final class Chunk {
        private final MemorySegment memory;
        private final byte[] bytes;
        private int used;

        public Chunk(int size) {
            memory = Arena.ofAuto().allocate(size);
            bytes = new byte[size];
        }

        /// The bytes that the last [#read] gave, from the first on.
        @SuppressWarnings("ReturnsMutableArray") // shared on purpose: nothing is copied a second time
        public byte[] bytes() {
            return bytes;
        }

        /// Reads at most `most` bytes of what is there: how many, 0 at the end, -1 if it would have to wait.
        public int read(Fd file, int most) {
            int count = readInto(file, memory, Math.min(most, bytes.length));
            if (count > 0) {
                used = Math.max(used, count);
                MemorySegment.copy(memory, JAVA_BYTE, 0, bytes, 0, count);
            }
            return count;
        }

        /// Forgets what was read: it may hold a secret that a program printed, and the chunk is kept for the next one.
        public void clear() {
            Arrays.fill(bytes, 0, used, (byte) 0);
            memory.asSlice(0, used).fill((byte) 0);
            used = 0;
        }
    }

    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final long FIONREAD = 0x541b;

    private Pipes() {}

    public static Pipe create() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment two = arena.allocate(JAVA_INT, 2);
            Native.check("pipe2", Native.raw(Nr.PIPE2, two.address(), FileSystem.O_CLOEXEC));
            return new Pipe(new Fd(two.getAtIndex(JAVA_INT, 0)), new Fd(two.getAtIndex(JAVA_INT, 1)));
        }
    }

    /// Makes reads and writes of this open file return EAGAIN where they would wait.
    public static void doNotWait(Fd file) {
        long flags = Native.check("fcntl F_GETFL", Native.raw(Nr.FCNTL, file.number(), F_GETFL));
        Native.check("fcntl F_SETFL", Native.raw(Nr.FCNTL, file.number(), F_SETFL, flags | FileSystem.O_NONBLOCK));
    }

    /// Reads what is there into `buffer`: how many bytes, 0 at the end, -1 where it would have to wait.
    public static int read(Fd file, byte[] buffer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(buffer.length);
            int count = readInto(file, memory, buffer.length);
            if (count > 0) {
                MemorySegment.copy(memory, JAVA_BYTE, 0, buffer, 0, count);
            }
            return count;
        }
    }

    private static int readInto(Fd file, MemorySegment memory, int most) {
        long count;
        do {
            count = Native.raw(Nr.READ, file.number(), memory.address(), most);
        } while (count == -Errno.EINTR);
        if (count == -Errno.EAGAIN) {
            return -1;
        }
        // A terminal's master reads EIO once the last slave is closed; pty(7).
        if (count == -Errno.EIO) {
            return 0;
        }
        return (int) Native.check("read", count);
    }

    /// How many bytes a pipe holds at this moment, FIONREAD of pipe(7).
    public static int available(Fd pipe) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_INT);
            Native.check("ioctl FIONREAD", Native.raw(Nr.IOCTL, pipe.number(), FIONREAD, count.address()));
            return count.get(JAVA_INT, 0);
        }
    }

    /// Writes as much as fits: how many bytes, -1 where it would have to wait.
    /// @throws ErrnoException EPIPE where nobody reads any more
    public static int write(Fd file, byte[] bytes, int offset, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Math.max(1, length));
            MemorySegment.copy(bytes, offset, memory, JAVA_BYTE, 0, length);
            long count;
            do {
                count = Native.raw(Nr.WRITE, file.number(), memory.address(), length);
            } while (count == -Errno.EINTR);
            if (count == -Errno.EAGAIN) {
                return -1;
            }
            return (int) Native.check("write", count);
        }
    }
}
