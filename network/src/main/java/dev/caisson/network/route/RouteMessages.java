package dev.caisson.network.route;

import dev.caisson.linux.NetlinkWriter;
import dev.caisson.spec.Subnet;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/// Requests of rtnetlink(7), each of which asks for an acknowledgement.
public final class RouteMessages {
    /// `struct ifinfomsg`, `struct ifaddrmsg` and `struct rtmsg` in bytes.
    static final int LINK_HEADER = 16;

    static final int ADDRESS_HEADER = 8;
    static final int ROUTE_HEADER = 12;
    static final int NEW_LINK = 16;
    static final int GET_LINK = 18;
    static final int GET_ADDRESS = 22;
    static final int GET_ROUTE = 26;
    static final int IPV4 = 2;
    static final int IPV6 = 10;
    private static final int DELETE_LINK = 17;
    private static final int SET_LINK = 19;
    private static final int NEW_ADDRESS = 20;
    private static final int NEW_ROUTE = 24;
    private static final int ACKNOWLEDGED = NetlinkWriter.REQUEST | NetlinkWriter.ACK;
    private static final int MADE = ACKNOWLEDGED | NetlinkWriter.CREATE | NetlinkWriter.EXCLUSIVE;
    private static final int REPLACED = ACKNOWLEDGED | NetlinkWriter.CREATE | NetlinkWriter.REPLACE;
    private static final int UP = 1;
    private static final int LINK_ADDRESS = 1;
    private static final int NAME = 3;
    private static final int MTU = 4;
    private static final int MASTER = 10;
    private static final int INFO = 18;
    private static final int NAMESPACE = 28;
    private static final int ALIAS = 20;
    private static final int SEND_QUEUES = 31;
    private static final int RECEIVE_QUEUES = 32;
    /// No duplicate of the address is searched for, which takes a second.
    private static final int IFA_F_NODAD = 0x2;
    /// The address gives no route to its subnet.
    private static final int IFA_F_NOPREFIXROUTE = 0x200;

    private final NetlinkWriter out = new NetlinkWriter();

    private NetlinkWriter link(int type, int flags, int index, int change, int set) {
        return out.message(type, flags).u8(0).u8(0).u16(0).u32(index).u32(set).u32(change);
    }

    /// Makes a bridge, with spanning tree and multicast snooping off, which learns at most `addresses` of machines, and
    /// none from frames to bridges themselves, 01:80:c2:00:00:0x, which pass no packet filter.
    ///
    /// @param alias a text that tools show
    public RouteMessages bridge(String name, byte[] mac, int mtu, int addresses, String alias) {
        int multicastSnooping = 23;
        int options = 46;
        int noLinkLocalLearning = 1;
        int mostLearned = 49;
        link(NEW_LINK, MADE, 0, 0, 0)
                .string(NAME, name)
                .put(LINK_ADDRESS, mac)
                .int32(MTU, mtu)
                .nested(INFO)
                .string(1, "bridge")
                .nested(2)
                .int8(multicastSnooping, 0)
                .put(options, pair(noLinkLocalLearning, noLinkLocalLearning))
                .int32(mostLearned, addresses)
                .end()
                .end()
                .end();
        return alias(name, alias);
    }

    /// One end of a link.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record End(String name, int index, byte[] mac) {}

    /// Makes a veth(4) pair: one end is a port of a bridge, the other is in another network namespace. Each has one
    /// queue, not one for each processor, which takes a third of the time.
    ///
    /// @param namespace a descriptor of that
    public RouteMessages pair(End host, End guest, int mtu, int bridge, int namespace) {
        int peer = 1;
        link(NEW_LINK, MADE, host.index(), 0, 0)
                .string(NAME, host.name())
                .int32(MTU, mtu)
                .put(LINK_ADDRESS, host.mac())
                .int32(SEND_QUEUES, 1)
                .int32(RECEIVE_QUEUES, 1)
                .int32(MASTER, bridge)
                .nested(INFO)
                .string(1, "veth")
                .nested(2)
                .nested(peer)
                .u8(0)
                .u8(0)
                .u16(0)
                .u32(guest.index())
                .u32(0)
                .u32(0)
                .string(NAME, guest.name())
                .int32(MTU, mtu)
                .put(LINK_ADDRESS, guest.mac())
                .int32(SEND_QUEUES, 1)
                .int32(RECEIVE_QUEUES, 1)
                .int32(NAMESPACE, namespace)
                .end()
                .end()
                .end()
                .end();
        return this;
    }

    /// Sets a port of a bridge.
    ///
    /// @param isolated true if it exchanges frames with the bridge itself alone, never with another such port
    public RouteMessages port(int index, boolean isolated) {
        int hairpin = 4;
        int isolation = 33;
        port(index).int8(hairpin, 0).int8(isolation, isolated ? 1 : 0).end().end();
        return this;
    }

    /// Has a port of a bridge neither take nor give frames, and has the bridge forget the addresses behind it.
    public RouteMessages shut(int index) {
        int state = 1;
        int disabled = 0;
        int flush = 24;
        port(index).int8(state, disabled).put(flush, new byte[0]).end().end();
        return this;
    }

    /// Begins a message with options of a bridge's port.
    private NetlinkWriter port(int index) {
        int bridgeFamily = 7;
        int options = 12;
        return out.message(SET_LINK, ACKNOWLEDGED)
                .u8(bridgeFamily)
                .u8(0)
                .u16(0)
                .u32(index)
                .u32(0)
                .u32(0)
                .nested(options);
    }

    /// Removes the link of an index.
    public RouteMessages deleteLink(int index) {
        link(DELETE_LINK, ACKNOWLEDGED, index, 0, 0).end();
        return this;
    }

    private static byte[] pair(int values, int mask) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.nativeOrder())
                .putInt(values)
                .putInt(mask)
                .array();
    }

    /// Gives a link a text that tools show; the kernel takes none when it makes one.
    public RouteMessages alias(String name, String alias) {
        link(SET_LINK, ACKNOWLEDGED, 0, 0, 0)
                .string(NAME, name)
                .string(ALIAS, alias)
                .end();
        return this;
    }

    public RouteMessages deleteLink(String name) {
        link(DELETE_LINK, ACKNOWLEDGED, 0, 0, 0).string(NAME, name).end();
        return this;
    }

    /// Sets a link up.
    public RouteMessages up(int index) {
        link(SET_LINK, ACKNOWLEDGED, index, UP, UP).end();
        return this;
    }

    /// Sets a link up by its name.
    public RouteMessages up(String name) {
        link(SET_LINK, ACKNOWLEDGED, 0, UP, UP).string(NAME, name).end();
        return this;
    }

    /// Gives a link an address.
    ///
    /// @param prefixRoute true for a route to the addresses that share `prefix` bits
    public RouteMessages address(int index, InetAddress address, int prefix, boolean prefixRoute) {
        boolean six = address.getAddress().length == 16;
        int flags = (six ? IFA_F_NODAD : 0) | (prefixRoute ? 0 : IFA_F_NOPREFIXROUTE);
        out.message(NEW_ADDRESS, REPLACED)
                .u8(six ? IPV6 : IPV4)
                .u8(prefix)
                .u8(0)
                .u8(0)
                .u32(index)
                .put(2, address.getAddress())
                .put(1, address.getAddress());
        if (!six) {
            out.put(4, broadcast(address, prefix));
        }
        out.int32(8, flags).end();
        return this;
    }

    private static byte[] broadcast(InetAddress address, int prefix) {
        return Subnet.around(address, prefix).last().getAddress();
    }

    /// A route to a subnet whose machines are on the link itself.
    public RouteMessages routeOnLink(int index, Subnet to) {
        return route(to, 253, MADE, _ -> out.int32(4, index));
    }

    /// A route through a machine that is on the link.
    public RouteMessages routeThrough(int index, Subnet to, InetAddress gateway) {
        return route(to, 0, MADE, _ -> out.put(5, gateway.getAddress()).int32(4, index));
    }

    /// Like [#routeThrough], in place of a route to the same subnet if there is one.
    public RouteMessages replaceRoute(int index, Subnet to, InetAddress gateway) {
        return route(to, 0, REPLACED, _ -> out.put(5, gateway.getAddress()).int32(4, index));
    }

    private RouteMessages route(Subnet to, int scope, int flags, Consumer<NetlinkWriter> target) {
        int mainTable = 254;
        int byBoot = 3;
        int unicast = 1;
        out.message(NEW_ROUTE, flags)
                .u8(to.isIpv6() ? IPV6 : IPV4)
                .u8(to.prefix())
                .u8(0)
                .u8(0)
                .u8(mainTable)
                .u8(byBoot)
                .u8(to.isIpv6() ? 0 : scope)
                .u8(unicast)
                .u32(0);
        if (to.prefix() > 0) {
            out.put(1, to.base().getAddress());
        }
        target.accept(out);
        out.end();
        return this;
    }

    /// Returns the messages.
    public NetlinkWriter messages() {
        return out;
    }
}
