package dev.caisson.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Optional;

/// The beginning of an IP packet that a container has sent.
///
/// @param port that it is for; 0 for a protocol without ports, a fragment, and behind extension headers
/// @param protocol `tcp`, `udp`, `icmp`, `icmpv6`, or its number
record PacketHead(InetAddress source, InetAddress target, int port, String protocol) {
    private static final int SHORTEST_4 = 20;
    private static final int LENGTH_6 = 40;
    private static final int FRAGMENT = 0x1fff;

    /// Empty if it is not one, or it was cut before its addresses end.
    static Optional<PacketHead> read(byte[] packet) {
        int version = packet.length == 0 ? 0 : packet[0] >> 4 & 0xf;
        if (version == 4 && packet.length >= SHORTEST_4) {
            boolean whole = (u16(packet, 6) & FRAGMENT) == 0;
            return Optional.of(of(packet, 12, 4, packet[9], whole ? (packet[0] & 0xf) * 4 : packet.length));
        }
        if (version == 6 && packet.length >= LENGTH_6) {
            return Optional.of(of(packet, 8, 16, packet[6], LENGTH_6));
        }
        return Optional.empty();
    }

    private static PacketHead of(byte[] packet, int addresses, int length, byte protocol, int transport) {
        int number = Byte.toUnsignedInt(protocol);
        boolean hasPort = (number == 6 || number == 17) && transport + 4 <= packet.length;
        return new PacketHead(
                address(packet, addresses, length),
                address(packet, addresses + length, length),
                hasPort ? u16(packet, transport + 2) : 0,
                name(number));
    }

    private static String name(int protocol) {
        return switch (protocol) {
            case 1 -> "icmp";
            case 6 -> "tcp";
            case 17 -> "udp";
            case 58 -> "icmpv6";
            default -> Integer.toString(protocol);
        };
    }

    private static InetAddress address(byte[] packet, int from, int length) {
        try {
            return InetAddress.getByAddress(Arrays.copyOfRange(packet, from, from + length));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an address", e);
        }
    }

    private static int u16(byte[] packet, int at) {
        return Byte.toUnsignedInt(packet[at]) << 8 | Byte.toUnsignedInt(packet[at + 1]);
    }
}
