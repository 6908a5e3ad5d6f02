package dev.caisson.image.zstd;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The checksum of a frame's content: XXH64 with the seed 0, xxhash_spec.md, of which a frame keeps the lower half
/// (RFC 8878 section 3.1.1).
final class Xxh64 {
    private static final long PRIME1 = 0x9e3779b185ebca87L;
    private static final long PRIME2 = 0xc2b2ae3d27d4eb4fL;
    private static final long PRIME3 = 0x165667b19e3779f9L;
    private static final long PRIME4 = 0x85ebca77c2b2ae63L;
    private static final long PRIME5 = 0x27d4eb2f165667c5L;
    private static final int STRIPE = 32;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] rest = new byte[STRIPE];
    private int kept;
    private long total;
    private long lane1 = 0x60ea27eeadc0b5d6L; // the sum of the first two primes
    private long lane2 = PRIME2;
    private long lane3;
    private long lane4 = -PRIME1;

    void add(byte[] bytes, int from, int length) {
        total += length;
        int at = from;
        int end = from + length;
        if (kept > 0) {
            int count = Math.min(STRIPE - kept, length);
            System.arraycopy(bytes, at, rest, kept, count);
            kept += count;
            at += count;
            if (kept < STRIPE) {
                return;
            }
            stripe(rest, 0);
            kept = 0;
        }
        for (; at + STRIPE <= end; at += STRIPE) {
            stripe(bytes, at);
        }
        kept = end - at;
        System.arraycopy(bytes, at, rest, 0, kept);
    }

    private void stripe(byte[] bytes, int at) {
        lane1 = round(lane1, (long) LONG.get(bytes, at));
        lane2 = round(lane2, (long) LONG.get(bytes, at + 8));
        lane3 = round(lane3, (long) LONG.get(bytes, at + 16));
        lane4 = round(lane4, (long) LONG.get(bytes, at + 24));
    }

    private static long round(long lane, long input) {
        return Long.rotateLeft(lane + input * PRIME2, 31) * PRIME1;
    }

    private static long merge(long hash, long lane) {
        return (hash ^ round(0, lane)) * PRIME1 + PRIME4;
    }

    long value() {
        long hash = PRIME5;
        if (total >= STRIPE) {
            hash = Long.rotateLeft(lane1, 1)
                    + Long.rotateLeft(lane2, 7)
                    + Long.rotateLeft(lane3, 12)
                    + Long.rotateLeft(lane4, 18);
            hash = merge(merge(merge(merge(hash, lane1), lane2), lane3), lane4);
        }
        hash += total;
        int at = 0;
        for (; at + Long.BYTES <= kept; at += Long.BYTES) {
            hash = Long.rotateLeft(hash ^ round(0, (long) LONG.get(rest, at)), 27) * PRIME1 + PRIME4;
        }
        if (at + Integer.BYTES <= kept) {
            hash = Long.rotateLeft(hash ^ ((int) INT.get(rest, at) & 0xffffffffL) * PRIME1, 23) * PRIME2 + PRIME3;
            at += Integer.BYTES;
        }
        for (; at < kept; at++) {
            hash = Long.rotateLeft(hash ^ (rest[at] & 0xff) * PRIME5, 11) * PRIME1;
        }
        hash = (hash ^ hash >>> 33) * PRIME2;
        hash = (hash ^ hash >>> 29) * PRIME3;
        return hash ^ hash >>> 32;
    }
}
