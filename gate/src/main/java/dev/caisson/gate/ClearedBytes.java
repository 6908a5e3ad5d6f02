package dev.caisson.gate;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/// Collects bytes that may hold a value, and clears all that it had.
final class ClearedBytes extends ByteArrayOutputStream {
    private static final int ROOM = 1024;

    ClearedBytes() {
        super(ROOM);
    }

    @Override
    public synchronized void write(byte[] bytes, int from, int length) {
        if (count + length > buf.length) {
            byte[] former = buf;
            buf = Arrays.copyOf(former, Math.max(former.length * 2, count + length));
            Arrays.fill(former, (byte) 0);
        }
        super.write(bytes, from, length);
    }

    @Override
    public synchronized void write(int one) {
        write(new byte[] {(byte) one}, 0, 1);
    }

    byte[] array() {
        return buf;
    }

    void clear() {
        Arrays.fill(buf, (byte) 0);
        reset();
    }
}
