package dev.caisson.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The attributes of a netlink message, in the order in which they came.
public final class NetlinkAttributes {
    /// One attribute.
    ///
    /// @param type without the bits for nesting and byte order
    @SuppressWarnings("ArrayRecordComponent") // never compared, and copied nowhere
    public record Attribute(int type, byte[] value) {
        public NetlinkAttributes nested() {
            return parse(value, 0);
        }
    }

    private static final int TYPE = 0x3fff;

    private final List<Attribute> all;

    private NetlinkAttributes(List<Attribute> all) {
        this.all = all;
    }

    /// Reads attributes from byte `from` to the end.
    /// @throws ErrnoException EPROTO if a length is wrong
    public static NetlinkAttributes parse(byte[] bytes, int from) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        var found = new ArrayList<Attribute>();
        int at = from;
        while (bytes.length - at >= NetlinkWriter.ATTRIBUTE_HEADER) {
            int length = Short.toUnsignedInt(buffer.getShort(at));
            if (length < NetlinkWriter.ATTRIBUTE_HEADER || length > bytes.length - at) {
                throw new ErrnoException("recvmsg netlink", Errno.EPROTO);
            }
            found.add(new Attribute(
                    buffer.getShort(at + 2) & TYPE,
                    Arrays.copyOfRange(bytes, at + NetlinkWriter.ATTRIBUTE_HEADER, at + length)));
            at += (length + 3) & ~3;
        }
        return new NetlinkAttributes(List.copyOf(found));
    }

    public List<Attribute> all() {
        return all;
    }

    public Optional<byte[]> find(int type) {
        return all.stream().filter(one -> one.type() == type).findFirst().map(Attribute::value);
    }

    public Optional<NetlinkAttributes> nested(int type) {
        return find(type).map(value -> parse(value, 0));
    }

    /// Returns a text without the NUL at its end.
    public Optional<String> string(int type) {
        return find(type).map(NetlinkAttributes::text);
    }

    private static String text(byte[] value) {
        int length = value.length > 0 && value[value.length - 1] == 0 ? value.length - 1 : value.length;
        return new String(value, 0, length, StandardCharsets.UTF_8);
    }

    /// Returns a number of 4 bytes in the machine's order.
    public Optional<Integer> int32(int type) {
        return number(type, 4, ByteOrder.nativeOrder()).map(ByteBuffer::getInt);
    }

    public Optional<Integer> big32(int type) {
        return number(type, 4, ByteOrder.BIG_ENDIAN).map(ByteBuffer::getInt);
    }

    public Optional<Long> big64(int type) {
        return number(type, 8, ByteOrder.BIG_ENDIAN).map(ByteBuffer::getLong);
    }

    public Optional<Integer> int8(int type) {
        return number(type, 1, ByteOrder.nativeOrder()).map(value -> Byte.toUnsignedInt(value.get()));
    }

    private Optional<ByteBuffer> number(int type, int size, ByteOrder order) {
        return find(type)
                .filter(value -> value.length >= size)
                .map(value -> ByteBuffer.wrap(value).order(order));
    }
}
