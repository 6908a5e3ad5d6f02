package dev.caisson.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Builds messages for the kernel, one behind the other, as one send carries them: netlink(7), `struct nlmsghdr`,
/// `struct nlattr`. Messages are numbered from 1; each `message` and each `nested` is closed by [#end].
///
/// Numbers are in the machine's order, as rtnetlink(7) takes them, unless the name says `big`, as nfnetlink does.
public final class NetlinkWriter {
    /// Flags of a message, netlink(7).
    public static final int REQUEST = 0x1;

    public static final int ACK = 0x4;
    public static final int REPLACE = 0x100;
    public static final int EXCLUSIVE = 0x200;
    public static final int DUMP = 0x300;
    public static final int CREATE = 0x400;
    public static final int APPEND = 0x800;

    static final int HEADER = 16;
    static final int ATTRIBUTE_HEADER = 4;
    private static final int NESTED = 0x8000;
    /// The length of an attribute has 16 bits.
    private static final int LONGEST_ATTRIBUTE = 0xffff;
    private static final int DEEPEST = 16;
    private static final int FLAGS_AT = 6;

    private ByteBuffer buffer = ByteBuffer.allocate(1024).order(ByteOrder.nativeOrder());
    private final int[] open = new int[DEEPEST];
    private int depth;
    private int messages;
    private int last;

    /// Messages that were made before, as [#toBytes] returned them.
    public static NetlinkWriter of(byte[] made) {
        var writer = new NetlinkWriter();
        writer.bytes(made);
        writer.messages = NetlinkMessage.parse(made, made.length).size();
        return writer;
    }

    /// Begins a message. Its number is the count of messages so far.
    public NetlinkWriter message(int type, int flags) {
        if (depth != 0) {
            throw new IllegalStateException("the message before is not ended");
        }
        room(HEADER);
        last = buffer.position();
        open[depth++] = last;
        messages++;
        buffer.putInt(0)
                .putShort((short) type)
                .putShort((short) flags)
                .putInt(messages)
                .putInt(0);
        return this;
    }

    /// Begins an attribute that holds attributes.
    public NetlinkWriter nested(int type) {
        if (depth == DEEPEST) {
            throw new IllegalStateException("attributes are nested too deep");
        }
        room(ATTRIBUTE_HEADER);
        open[depth++] = buffer.position();
        buffer.putShort((short) 0).putShort((short) (type | NESTED));
        return this;
    }

    /// Ends the attribute or message that was begun last.
    public NetlinkWriter end() {
        int start = open[--depth];
        int length = buffer.position() - start;
        if (depth == 0) {
            buffer.putInt(start, length);
        } else {
            if (length > LONGEST_ATTRIBUTE) {
                throw new IllegalStateException("an attribute of " + length + " bytes is too long: divide the message");
            }
            buffer.putShort(start, (short) length);
        }
        return align();
    }

    /// Bytes of the message's own header.
    public NetlinkWriter bytes(byte[] bytes) {
        room(bytes.length);
        buffer.put(bytes);
        return align();
    }

    public NetlinkWriter u8(int value) {
        room(1);
        buffer.put((byte) value);
        return this;
    }

    public NetlinkWriter u16(int value) {
        room(2);
        buffer.putShort((short) value);
        return this;
    }

    public NetlinkWriter u32(int value) {
        room(4);
        buffer.putInt(value);
        return this;
    }

    /// An attribute of bytes.
    public NetlinkWriter put(int type, byte[] value) {
        if (value.length > LONGEST_ATTRIBUTE - ATTRIBUTE_HEADER) {
            throw new IllegalStateException("an attribute of " + value.length + " bytes is too long");
        }
        room(ATTRIBUTE_HEADER + value.length);
        buffer.putShort((short) (ATTRIBUTE_HEADER + value.length))
                .putShort((short) type)
                .put(value);
        return align();
    }

    /// An attribute without content, whose presence is what it says.
    public NetlinkWriter flag(int type) {
        return put(type, new byte[0]);
    }

    /// A text that ends with NUL.
    public NetlinkWriter string(int type, String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a string for the kernel holds a NUL character");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return put(type, Arrays.copyOf(bytes, bytes.length + 1));
    }

    public NetlinkWriter int8(int type, int value) {
        return put(type, new byte[] {(byte) value});
    }

    public NetlinkWriter int16(int type, int value) {
        return put(
                type, number(2, ByteOrder.nativeOrder()).putShort((short) value).array());
    }

    public NetlinkWriter int32(int type, int value) {
        return put(type, number(4, ByteOrder.nativeOrder()).putInt(value).array());
    }

    public NetlinkWriter big16(int type, int value) {
        return put(type, number(2, ByteOrder.BIG_ENDIAN).putShort((short) value).array());
    }

    public NetlinkWriter big32(int type, int value) {
        return put(type, number(4, ByteOrder.BIG_ENDIAN).putInt(value).array());
    }

    public NetlinkWriter big64(int type, long value) {
        return put(type, number(8, ByteOrder.BIG_ENDIAN).putLong(value).array());
    }

    private static ByteBuffer number(int size, ByteOrder order) {
        return ByteBuffer.allocate(size).order(order);
    }

    /// Adds flags to the last message, which is ended.
    public NetlinkWriter flagLast(int flags) {
        int at = last + FLAGS_AT;
        buffer.putShort(at, (short) (buffer.getShort(at) | flags));
        return this;
    }

    /// Returns how many messages there are.
    public int messages() {
        return messages;
    }

    /// Returns how many bytes there are so far.
    public int size() {
        return buffer.position();
    }

    /// Returns all messages, each ended, as the kernel takes them.
    public byte[] toBytes() {
        if (depth != 0) {
            throw new IllegalStateException("the last message is not ended");
        }
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    private NetlinkWriter align() {
        while ((buffer.position() & 3) != 0) {
            u8(0);
        }
        return this;
    }

    private void room(int more) {
        if (buffer.remaining() < more) {
            int size = Math.max(buffer.capacity() * 2, buffer.position() + more);
            ByteBuffer larger = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
            buffer = larger.put(buffer.flip());
        }
    }
}
