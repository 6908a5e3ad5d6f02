package dev.caisson.image.zstd;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// A bit stream of zstd that is read from its end, RFC 8878 section 4.1: the highest bit that is set in its last byte
/// stands before the first bit.
final class ZstdBits {
    /// Bytes that an array has to have behind the stream.
    static final int PADDING = 8;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] bytes;
    private final long start;
    private long position;

    /// @param from first byte of the stream in the array
    /// @param to behind the last
    ZstdBits(byte[] bytes, int from, int to) {
        if (from >= to || bytes[to - 1] == 0) {
            throw ZstdException.damaged("a bit stream has no end mark");
        }
        this.bytes = bytes;
        this.start = 8L * from;
        this.position = 8L * to - 8 + highestBit(bytes[to - 1] & 0xff);
    }

    static int highestBit(int value) {
        return 31 - Integer.numberOfLeadingZeros(value);
    }

    /// The next bits, at most 31, without going on. Behind the stream's first byte there are zeros.
    int peek(int count) {
        long at = position - count;
        if (at >= start) {
            return (int) ((long) LONG.get(bytes, (int) (at >>> 3)) >>> (at & 7) & ((1L << count) - 1));
        }
        long left = position - start;
        if (left <= 0) {
            return 0;
        }
        long bits = (long) LONG.get(bytes, (int) (start >>> 3)) & ((1L << left) - 1);
        return (int) (bits << (count - left));
    }

    void skip(int count) {
        position -= count;
    }

    int read(int count) {
        int value = peek(count);
        position -= count;
        return value;
    }

    /// More was read than is there.
    boolean isOverrun() {
        return position < start;
    }

    void requireEnd() {
        if (position != start) {
            throw ZstdException.damaged("a bit stream is longer or shorter than what it encodes");
        }
    }

    static long littleEndian(byte[] bytes, int at, int width) {
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << 8 | (bytes[at + i] & 0xff);
        }
        return value;
    }
}
