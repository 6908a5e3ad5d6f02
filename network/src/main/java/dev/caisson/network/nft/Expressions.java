package dev.caisson.network.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;

/// The expressions that our rules are made of, `linux/netfilter/nf_tables.h`. Those that find something out put it
/// into a register of 4 bytes, numbered from 0 to 15; those that compare read it from there.
public final class Expressions {
    /// Fields that `meta` reads.
    public enum Meta {
        PROTOCOL(1),
        PRIORITY(2),
        INPUT_NAME(6),
        OUTPUT_NAME(7),
        OUTPUT_KIND(9),
        FAMILY(15),
        TRANSPORT(16),
        INPUT_LINK_KIND(26),
        OUTPUT_LINK_KIND(27);

        private final int number;

        Meta(int number) {
            this.number = number;
        }
    }

    /// Headers that `payload` reads from.
    public enum Header {
        LINK(0),
        NETWORK(1),
        TRANSPORT(2);

        private final int number;

        Header(int number) {
            this.number = number;
        }
    }

    /// Bits of a connection's state.
    public static final int INVALID = 1;

    public static final int ESTABLISHED = 2;
    public static final int RELATED = 4;
    public static final int NEW = 8;
    /// Bit of a connection's status: its destination was translated.
    public static final int TRANSLATED = 1 << 5;

    /// The first register of 4 bytes, `NFT_REG32_00`.
    private static final int REGISTERS = 8;

    /// Kinds of links that find neighbors are below 256, `linux/if_arp.h`.
    private static final byte[] NO_NEIGHBORS = ByteBuffer.allocate(2)
            .order(ByteOrder.nativeOrder())
            .putShort((short) 0xff00)
            .array();

    private static final int EQUAL = 0;
    private static final int NOT_EQUAL = 1;
    private static final int DATA_VALUE = 1;
    private static final int DATA_VERDICT = 2;
    private static final int DROP = 0;
    private static final int ACCEPT = 1;
    private static final int JUMP = -3;
    private static final int GOTO = -4;
    private static final int RETURN = -5;

    private Expressions() {}

    private static int register(int number) {
        return REGISTERS + number;
    }

    public static Expression meta(Meta field, int register) {
        return new Expression("meta", out -> out.big32(1, register(register)).big32(2, field.number));
    }

    /// Writes a register of 4 bytes into a field of a packet.
    public static Expression set(Meta field, int register) {
        return new Expression("meta", out -> out.big32(2, field.number).big32(3, register(register)));
    }

    public static Expression payload(Header header, int offset, int length, int register) {
        return new Expression(
                "payload",
                out -> out.big32(1, register(register))
                        .big32(2, header.number)
                        .big32(3, offset)
                        .big32(4, length));
    }

    /// Finds out whether an IPv6 packet has an extension header: 1 or 0, in one byte.
    public static Expression hasExtension(int header, int register) {
        int isThere = 1;
        return new Expression(
                "exthdr",
                out -> out.big32(1, register(register))
                        .int8(2, header)
                        .big32(3, 0)
                        .big32(4, 1)
                        .big32(5, isThere));
    }

    public static Expression equal(int register, byte[] value) {
        return compare(register, EQUAL, value);
    }

    public static Expression notEqual(int register, byte[] value) {
        return compare(register, NOT_EQUAL, value);
    }

    private static Expression compare(int register, int operation, byte[] value) {
        return new Expression(
                "cmp",
                out -> out.big32(1, register(register))
                        .big32(2, operation)
                        .nested(3)
                        .put(DATA_VALUE, value)
                        .end());
    }

    /// Keeps the bits of `mask`, in place.
    public static Expression mask(int register, byte[] mask) {
        return mask(register, mask, new byte[mask.length]);
    }

    /// Keeps the bits of `mask`, and inverts those of `inverted`, in place.
    public static Expression mask(int register, byte[] mask, byte[] inverted) {
        return new Expression(
                "bitwise",
                out -> out.big32(1, register(register))
                        .big32(2, register(register))
                        .big32(3, mask.length)
                        .nested(4)
                        .put(DATA_VALUE, mask)
                        .end()
                        .nested(5)
                        .put(DATA_VALUE, inverted)
                        .end());
    }

    public static Expression inSet(int register, String set) {
        return new Expression("lookup", out -> out.string(1, set).big32(2, register(register)));
    }

    public static Expression notInSet(int register, String set) {
        return new Expression(
                "lookup", out -> out.string(1, set).big32(2, register(register)).big32(5, 1));
    }

    /// Goes on only if the map has the key, and puts its value into `to`.
    public static Expression map(int register, String map, int to) {
        return new Expression(
                "lookup", out -> out.string(1, map).big32(2, register(register)).big32(3, register(to)));
    }

    /// Puts a constant into a register.
    public static Expression load(int register, byte[] value) {
        return new Expression(
                "immediate",
                out -> out.big32(1, register(register))
                        .nested(2)
                        .put(DATA_VALUE, value)
                        .end());
    }

    public static Expression accept() {
        return verdict(ACCEPT, "");
    }

    public static Expression drop() {
        return verdict(DROP, "");
    }

    public static Expression back() {
        return verdict(RETURN, "");
    }

    public static Expression jump(String chain) {
        return verdict(JUMP, chain);
    }

    public static Expression go(String chain) {
        return verdict(GOTO, chain);
    }

    private static Expression verdict(int code, String chain) {
        return new Expression("immediate", out -> {
            out.big32(1, 0).nested(2).nested(DATA_VERDICT).big32(1, code);
            if (!chain.isEmpty()) {
                out.string(2, chain);
            }
            out.end().end();
        });
    }

    /// Reads the state of the connection, bits such as [#ESTABLISHED].
    public static Expression connectionState(int register) {
        return new Expression("ct", out -> out.big32(1, register(register)).big32(2, 0));
    }

    /// Reads the status of the connection, bits such as [#TRANSLATED].
    public static Expression connectionStatus(int register) {
        return new Expression("ct", out -> out.big32(1, register(register)).big32(2, 2));
    }

    /// Reads the protocol of the connection.
    public static Expression connectionProtocol(int register) {
        return new Expression("ct", out -> out.big32(1, register(register)).big32(2, 10));
    }

    /// Reads the IPv4 address that the connection was begun to, before any translation.
    public static Expression connectionTarget(int register) {
        return original(register, 20);
    }

    /// Reads the IPv6 address that the connection was begun to, before any translation.
    public static Expression connectionTarget6(int register) {
        return original(register, 22);
    }

    /// Reads the port that the connection was begun to, before any translation.
    public static Expression connectionPort(int register) {
        return original(register, 12);
    }

    /// Reads the address of who began the connection, before any translation, or of who answers it.
    public static Expression connectionEnd(int register, boolean six, boolean answers) {
        return end(register, six ? 21 : 19, answers ? 1 : 0);
    }

    private static Expression original(int register, int key) {
        return end(register, key, 0);
    }

    private static Expression end(int register, int key, int direction) {
        return new Expression(
                "ct", out -> out.big32(1, register(register)).big32(2, key).int8(3, direction));
    }

    /// Finds out what the destination is to this host, `RTN_LOCAL` and its like.
    public static Expression destinationType(int register) {
        int addressType = 3;
        int destination = 2;
        return new Expression(
                "fib",
                out -> out.big32(1, register(register)).big32(2, addressType).big32(3, destination));
    }

    /// Finds out what the destination is to the interface that the packet came in by.
    public static Expression destinationTypeThere(int register) {
        int addressType = 3;
        int destinationOfInput = 2 | 8;
        return new Expression(
                "fib",
                out -> out.big32(1, register(register)).big32(2, addressType).big32(3, destinationOfInput));
    }

    /// Translates the destination to the address in one register and the port in another.
    ///
    /// @param family AF_INET or AF_INET6
    public static Expression translate(int family, int address, int port) {
        return new Expression(
                "nat",
                out -> out.big32(1, 1)
                        .big32(2, family)
                        .big32(3, register(address))
                        .big32(5, register(port)));
    }

    /// Translates the destination's port to that in a register, at the same address.
    ///
    /// @param family AF_INET or AF_INET6
    public static Expression translatePort(int family, int port) {
        int portsAreGiven = 2;
        return new Expression(
                "nat",
                out -> out.big32(1, 1)
                        .big32(2, family)
                        .big32(5, register(port))
                        .big32(6, register(port))
                        .big32(7, portsAreGiven));
    }

    /// Gives the packet the address of the interface that it leaves by, and a port between those in two registers: its
    /// own one if that lies there.
    public static Expression masquerade(int first, int last) {
        int portsAreGiven = 2;
        return new Expression(
                "masq",
                out -> out.big32(1, portsAreGiven).big32(2, register(first)).big32(3, register(last)));
    }

    /// Refuses with ICMP's "administratively prohibited" of either family.
    public static Expression reject() {
        int ofEitherFamily = 2;
        int prohibited = 3;
        return new Expression("reject", out -> out.big32(1, ofEitherFamily).int8(2, prohibited));
    }

    /// Sends the beginning of the packet to whoever listens at the group.
    public static Expression log(int group, String prefix, int length) {
        return new Expression(
                "log", out -> out.big16(1, group).string(2, prefix).big32(3, length));
    }

    /// Goes on at most so many times in a second.
    public static Expression limit(int perSecond, int burst) {
        return new Expression(
                "limit",
                out -> out.big64(1, perSecond).big64(2, 1).big32(3, burst).big32(4, 0));
    }

    /// Goes on with what is more than so many bytes in a second. What was saved up in the second before may come at
    /// once, and `burst` more.
    public static Expression moreBytesThan(long perSecond, int burst) {
        return new Expression(
                "limit",
                out -> out.big64(1, perSecond)
                        .big64(2, 1)
                        .big32(3, burst)
                        .big32(4, 1)
                        .big32(5, 1));
    }

    public static Expression counter() {
        return new Expression("counter", out -> out.big64(1, 0).big64(2, 0));
    }

    /// Goes on at most so many times in a second for each key; the set, made for it, remembers them.
    public static Expression limitEach(int register, String set, int perSecond, int burst) {
        return dynamic(register, set, limit(perSecond, burst));
    }

    /// Goes on if more connections than `most` have this key; the set, made for it, remembers them.
    public static Expression moreConnectionsThan(int register, String set, int most) {
        return dynamic(register, set, moreConnectionsThan(most));
    }

    /// Goes on if there are more connections than `most` among those that came to this rule.
    public static Expression moreConnectionsThan(int most) {
        return new Expression("connlimit", out -> out.big32(1, most).big32(2, 1));
    }

    /// Has the kernel not track the packet.
    public static Expression untracked() {
        return new Expression("notrack", _ -> {});
    }

    /// Has the kernel keep a connection that begins for as long as [Batch#closed] says, by its name.
    public static Expression timeouts(String name) {
        return new Expression("objref", out -> out.big32(1, Batch.TIMEOUTS).string(2, name));
    }

    /// Reads the neighbor that a packet goes to next, which is its destination where that is on the link, and a gateway
    /// elsewhere. Goes on for packets of this family alone.
    ///
    /// @param family 2 for IPv4, 10 for IPv6
    public static Expression nextHop(int family, int register) {
        return new Expression("rt", out -> out.big32(1, register(register)).big32(2, family == 2 ? 1 : 2));
    }

    /// Goes on for packets that leave by a link without neighbors, as the loopback, a tunnel or a link from point to
    /// point: there a destination without a gateway is the next hop itself, and takes no entry.
    public static List<Expression> withoutNeighbors(int register) {
        return List.of(
                meta(Meta.OUTPUT_KIND, register),
                mask(register, NO_NEIGHBORS),
                notEqual(register, new byte[NO_NEIGHBORS.length]));
    }

    /// Goes on if the key is in the set, or finds room there; the set, made for it, forgets it after a while.
    public static Expression remember(int register, String set, Duration time) {
        return new Expression(
                "dynset",
                out -> out.string(1, set)
                        .big32(3, 1)
                        .big32(4, register(register))
                        .big64(6, time.toMillis()));
    }

    private static Expression dynamic(int register, String set, Expression each) {
        return new Expression("dynset", out -> {
            out.string(1, set).big32(3, 0).big32(4, register(register));
            each.write(out, 7);
        });
    }
}
