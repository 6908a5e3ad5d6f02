package dev.caisson.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Requests of netlink(7) as they are sent: whole messages, one behind the other, of which at least one is
/// acknowledged.
public final class NetlinkRequests {
    /// Most bytes of all requests of one step.
    public static final int MAX_BYTES = 65_536;

    private static final int HEADER_BYTES = 16;
    private static final int FLAGS_AT = 6;
    private static final int ALIGNMENT = 4;
    private static final int REQUEST = 1;
    private static final int ACKNOWLEDGE = 4;

    private final byte[] bytes;
    private final int count;

    public NetlinkRequests(byte[] bytes) {
        if (bytes.length > MAX_BYTES) {
            throw new IllegalArgumentException("netlink requests of " + bytes.length + " bytes");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        int messages = 0;
        boolean acknowledged = false;
        for (int at = 0; at < bytes.length; messages++) {
            int length = at + HEADER_BYTES <= bytes.length ? in.getInt(at) : 0;
            if (length < HEADER_BYTES || length > bytes.length - at || length % ALIGNMENT != 0) {
                throw new IllegalArgumentException("not a netlink request: its length is " + length);
            }
            int flags = in.getShort(at + FLAGS_AT);
            if ((flags & REQUEST) == 0) {
                throw new IllegalArgumentException("not a netlink request: its flags are " + flags);
            }
            acknowledged |= (flags & ACKNOWLEDGE) != 0;
            at += length;
        }
        if (!acknowledged) {
            throw new IllegalArgumentException("none of the netlink requests is acknowledged");
        }
        this.bytes = bytes.clone();
        this.count = messages;
    }

    public byte[] bytes() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NetlinkRequests requests && Arrays.equals(bytes, requests.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return count + " requests";
    }
}
