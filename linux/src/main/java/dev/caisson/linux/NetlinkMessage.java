package dev.caisson.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// One message that came by a netlink socket.
///
/// @param type as the protocol counts them, NLMSG_ERROR and NLMSG_DONE too
/// @param sequence the number of the request that it answers; 0 if it is news
/// @param body what follows the header
@SuppressWarnings("ArrayRecordComponent") // never compared, and copied nowhere
public record NetlinkMessage(int type, int flags, int sequence, byte[] body) {
    static final int ERROR = 2;
    static final int DONE = 3;
    /// The answer was put together while the kernel's state changed: ask again.
    static final int DUMP_INTERRUPTED = 0x10;

    /// Divides what one receive gave.
    /// @throws ErrnoException EPROTO if a length is wrong
    public static List<NetlinkMessage> parse(byte[] bytes, int length) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.nativeOrder());
        var messages = new ArrayList<NetlinkMessage>();
        int at = 0;
        while (length - at >= NetlinkWriter.HEADER) {
            int size = buffer.getInt(at);
            if (size < NetlinkWriter.HEADER || size > length - at) {
                throw new ErrnoException("recvmsg netlink", Errno.EPROTO);
            }
            messages.add(new NetlinkMessage(
                    Short.toUnsignedInt(buffer.getShort(at + 4)),
                    Short.toUnsignedInt(buffer.getShort(at + 6)),
                    buffer.getInt(at + 8),
                    Arrays.copyOfRange(bytes, at + NetlinkWriter.HEADER, at + size)));
            at += (size + 3) & ~3;
        }
        return messages;
    }

    /// Returns the attributes behind a protocol header of `header` bytes.
    public NetlinkAttributes attributes(int header) {
        return NetlinkAttributes.parse(body, (header + 3) & ~3);
    }

    /// Returns a number of the protocol's header, in the machine's order.
    public int u32(int at) {
        return buffer().getInt(at);
    }

    public int u16(int at) {
        return Short.toUnsignedInt(buffer().getShort(at));
    }

    public int u8(int at) {
        return Byte.toUnsignedInt(body[at]);
    }

    private ByteBuffer buffer() {
        return ByteBuffer.wrap(body).order(ByteOrder.nativeOrder());
    }
}
