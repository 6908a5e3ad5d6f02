package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Native memory for one call after the other: a path, the arguments of openat2(2), and a text that was read. As many
/// exist as calls were ever made at once. What was in it last stays in it, so it is not for secrets.
final class Scratch implements AutoCloseable {
    static final int LONGEST_TEXT = 4096;

    private static final int LONGEST_PATH = 4096;
    private static final Queue<Scratch> IDLE = new ConcurrentLinkedQueue<>();

    private final MemorySegment how = Arena.global().allocate(FileSystem.OPEN_HOW);
    private final MemorySegment path = Arena.global().allocate(LONGEST_PATH);
    private final MemorySegment text = Arena.global().allocate(LONGEST_TEXT);
    private final byte[] bytes = new byte[LONGEST_TEXT];

    private Scratch() {}

    static Scratch take() {
        Scratch idle = IDLE.poll();
        return idle == null ? new Scratch() : idle;
    }

    /// A descriptor of `name` below `directory`, open for reading, or the negated error number. No link is followed,
    /// and the path does not leave the directory.
    long open(Fd directory, String name) {
        byte[] written = ByteText.bytes(name);
        if (written.length >= LONGEST_PATH) {
            return -Errno.ENAMETOOLONG;
        }
        for (byte b : written) {
            if (b == 0) {
                throw new IllegalArgumentException("a path for the kernel holds a NUL character");
            }
        }
        MemorySegment.copy(written, 0, path, JAVA_BYTE, 0, written.length);
        path.set(JAVA_BYTE, written.length, (byte) 0);
        how.set(JAVA_LONG, 0, FileSystem.O_RDONLY | FileSystem.O_CLOEXEC);
        how.set(JAVA_LONG, 16, FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS);
        long result;
        do {
            result = Native.raw(
                    Nr.OPENAT2, directory.number(), path.address(), how.address(), FileSystem.OPEN_HOW.byteSize());
        } while (result == -Errno.EINTR || result == -Errno.EAGAIN);
        return result;
    }

    /// Fills the text by one pread(2) from the file's start: its length, or the negated error number.
    long read(long descriptor) {
        return Native.raw(Nr.PREAD64, descriptor, text.address(), LONGEST_TEXT, 0);
    }

    /// The first `length` bytes of what was read, without white space at the end.
    String text(int length) {
        MemorySegment.copy(text, JAVA_BYTE, 0, bytes, 0, length);
        int end = length;
        while (end > 0 && bytes[end - 1] <= ' ' && bytes[end - 1] >= 0) {
            end--;
        }
        return new String(bytes, 0, end, StandardCharsets.US_ASCII);
    }

    @Override
    public void close() {
        IDLE.add(this);
    }
}
