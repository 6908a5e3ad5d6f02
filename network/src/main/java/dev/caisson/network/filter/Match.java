package dev.caisson.network.filter;

import dev.caisson.network.nft.Expression;
import dev.caisson.network.nft.Expressions;
import dev.caisson.network.nft.Expressions.Header;
import dev.caisson.network.nft.Expressions.Meta;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// Parts of rules that say which packets they are about. Registers are used from the first on, and left to who comes
/// next.
final class Match {
    static final int IPV4 = 2;
    static final int IPV6 = 10;
    static final int ICMP = 1;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int ICMPV6 = 58;
    /// Where a frame says what it carries.
    static final int TYPE = 12;
    /// The header of a part of an IPv6 packet.
    private static final int FRAGMENT = 44;
    /// RTN_LOCAL: an address of this host.
    private static final int LOCAL = 2;
    /// Registers that the name of an interface takes.
    static final int NAME_REGISTERS = 4;

    private Match() {}

    @SafeVarargs
    static List<Expression> rule(List<Expression>... parts) {
        var all = new ArrayList<Expression>();
        for (List<Expression> part : parts) {
            all.addAll(part);
        }
        return all;
    }

    static List<Expression> family(int family) {
        return is(Expressions.meta(Meta.FAMILY, 0), family);
    }

    static List<Expression> transport(int protocol) {
        return is(Expressions.meta(Meta.TRANSPORT, 0), protocol);
    }

    /// A message of ICMP or ICMPv6.
    static List<Expression> icmp(int protocol, int type) {
        return rule(transport(protocol), is(Expressions.payload(Header.TRANSPORT, 0, 1, 0), type));
    }

    static List<Expression> is(Expression read, int... bytes) {
        return List.of(read, Expressions.equal(0, bytes(bytes)));
    }

    /// Frames with an IPv4 packet behind their header.
    static List<Expression> frame4() {
        return is(Expressions.payload(Header.LINK, TYPE, 2, 0), 0x08, 0x00);
    }

    /// Frames with an IPv6 packet behind their header.
    static List<Expression> frame6() {
        return is(Expressions.payload(Header.LINK, TYPE, 2, 0), 0x86, 0xdd);
    }

    /// Frames with a part of an IPv4 packet, RFC 791.
    static List<Expression> part4() {
        return rule(
                frame4(),
                List.of(
                        Expressions.payload(Header.NETWORK, 6, 2, 0),
                        Expressions.mask(0, bytes(0x3f, 0xff)),
                        Expressions.notEqual(0, new byte[2])));
    }

    /// Frames with a part of an IPv6 packet, RFC 8200.
    static List<Expression> part6() {
        return rule(frame6(), is(Expressions.hasExtension(FRAGMENT, 0), 1));
    }

    static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    static List<Expression> from(Sets.Place set) {
        return List.of(Expressions.meta(Meta.INPUT_NAME, 0), Expressions.inSet(0, name(set)));
    }

    static List<Expression> notFrom(Sets.Place set) {
        return List.of(Expressions.meta(Meta.INPUT_NAME, 0), Expressions.notInSet(0, name(set)));
    }

    static List<Expression> to(Sets.Place set) {
        return List.of(Expressions.meta(Meta.OUTPUT_NAME, 0), Expressions.inSet(0, name(set)));
    }

    static List<Expression> notTo(Sets.Place set) {
        return List.of(Expressions.meta(Meta.OUTPUT_NAME, 0), Expressions.notInSet(0, name(set)));
    }

    static List<Expression> fromAndTo(Sets.Place set) {
        return List.of(
                Expressions.meta(Meta.INPUT_NAME, 0),
                Expressions.meta(Meta.OUTPUT_NAME, NAME_REGISTERS),
                Expressions.inSet(0, name(set)));
    }

    static List<Expression> notFromLoopback() {
        return List.of(
                Expressions.meta(Meta.INPUT_NAME, 0),
                Expressions.notEqual(
                        0, ByteBuffer.allocate(16).put(bytes('l', 'o')).array()));
    }

    /// Packets of connections in one of these states.
    static List<Expression> state(int bits) {
        return anyBit(Expressions.connectionState(0), bits);
    }

    /// Packets of connections that are in none of these states.
    static List<Expression> notState(int bits) {
        return List.of(
                Expressions.connectionState(0), Expressions.mask(0, native32(bits)), Expressions.equal(0, new byte[4]));
    }

    /// Packets of connections to published ports.
    static List<Expression> published() {
        return anyBit(Expressions.connectionStatus(0), Expressions.TRANSLATED);
    }

    private static List<Expression> anyBit(Expression read, int bits) {
        return List.of(read, Expressions.mask(0, native32(bits)), Expressions.notEqual(0, new byte[4]));
    }

    /// Packets to an address of the host.
    static List<Expression> toHost() {
        return List.of(Expressions.destinationType(0), Expressions.equal(0, native32(LOCAL)));
    }

    /// Packets to an address that the host has on the interface that they came in by.
    static List<Expression> toHostThere() {
        return List.of(Expressions.destinationTypeThere(0), Expressions.equal(0, native32(LOCAL)));
    }

    private static byte[] native32(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }

    static String name(Sets.Place set) {
        return set.form().name();
    }

    static List<Expression> then(Expression verdict) {
        return List.of(verdict);
    }
}
