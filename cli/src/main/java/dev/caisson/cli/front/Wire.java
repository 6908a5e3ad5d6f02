package dev.caisson.cli.front;

import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// The messages of native/front.h.
final class Wire {
    static final int HELLO = 1;
    static final int TEXT = 2;
    static final int SIGNAL = 3;
    static final int PAUSE = 4;
    static final int RESUME = 5;
    static final int FRESH = 6;
    static final int STARTED = 0x81;
    static final int REFUSED = 0x82;
    static final int LEAVE = 0x83;
    static final int EXIT = 0x84;
    static final int LOOK = 0x85;

    static final int VERSION = 2;
    static final int HEADER = 8;
    static final int MAX_PAYLOAD = 32_768;
    static final int MAX_TEXT = 4 << 20;
    static final int MAX_STRINGS = 65_536;
    static final int MAX_PLACE = 8192;
    static final int MAX_REASON = 200;

    private Wire() {}

    /// A message without descriptors.
    record Message(int op, int value, ByteBuffer payload) {}

    /// @throws WireException for what is no message of this version
    static Message parse(byte[] bytes) {
        if (bytes.length < HEADER) {
            throw new WireException("a message of " + bytes.length + " bytes");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int op = Short.toUnsignedInt(in.getShort());
        int version = Short.toUnsignedInt(in.getShort());
        if (version != VERSION) {
            throw new WireException("version " + version + " of the protocol");
        }
        return new Message(op, in.getInt(), in.slice().order(ByteOrder.LITTLE_ENDIAN));
    }

    static void send(Fd socket, int op, int value) {
        send(socket, op, value, new byte[0]);
    }

    static void send(Fd socket, int op, int value, byte[] payload) {
        ByteBuffer out = ByteBuffer.allocate(HEADER + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        out.putShort((short) op).putShort((short) VERSION).putInt(value).put(payload);
        Sockets.send(socket, out.array(), List.of());
    }

    static void refuse(Fd socket, String reason) {
        byte[] text = reason.getBytes(StandardCharsets.US_ASCII);
        send(socket, REFUSED, 0, text.length <= MAX_REASON ? text : java.util.Arrays.copyOf(text, MAX_REASON));
    }

    /// The payload of LEAVE.
    static byte[] mask(List<Integer> signals) {
        long mask = 0;
        for (int number : signals) {
            mask |= 1L << (number - 1);
        }
        return ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(mask)
                .array();
    }
}
