package dev.caisson.launch.monitor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Bytes as a monitor of native/monitor.h writes them.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is made here
final class Wire {
    static final int RUNNING = 4;
    static final int STATE_BYTES = 128;

    private Wire() {}

    static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static byte[] message(int op, int version, int sequence, int argument, int length, byte[] payload) {
        return buffer(16 + payload.length)
                .putShort((short) op)
                .putShort((short) version)
                .putInt(sequence)
                .putInt(argument)
                .putInt(length)
                .put(payload)
                .array();
    }

    static byte[] ints(int... values) {
        ByteBuffer out = buffer(4 * values.length);
        for (int value : values) {
            out.putInt(value);
        }
        return out.array();
    }

    static byte[] state(int phase, int flags, int status) {
        ByteBuffer out = buffer(STATE_BYTES);
        out.putInt(phase)
                .putInt(11)
                .putInt(12)
                .putInt(3)
                .putInt(2)
                .putInt(flags)
                .putInt(status)
                .putInt(6);
        out.putLong(1_000)
                .putLong(2_000)
                .putLong(3_000)
                .putLong(400)
                .putLong(50)
                .putLong(7);
        out.putLong(88).putLong(99).putInt(28).putInt(5);
        return out.putLong(21).putLong(22).putLong(23).array();
    }
}
