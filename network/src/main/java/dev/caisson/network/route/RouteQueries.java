package dev.caisson.network.route;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import dev.caisson.spec.Subnet;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// What a network namespace has: its links, addresses and routes, by rtnetlink(7).
public final class RouteQueries {
    /// A network interface.
    ///
    /// @param kind `bridge`, `veth`; empty for a card
    /// @param alias a text that was given to it, or empty
    /// @param master index of the bridge that it is a port of; 0 for none
    /// @param address its hardware address, in hexadecimal digits with colons; empty if it has none
    public record Link(
            int index, String name, String kind, String alias, String address, int master, int mtu, boolean isUp) {}

    /// An address of an interface, with the subnet that it lies in.
    public record HostAddress(int link, InetAddress address, int prefix) {
        public Subnet subnet() {
            return Subnet.around(address, prefix);
        }
    }

    /// A route to a subnet; `link` is 0 for one without an interface.
    public record Route(Subnet subnet, int link, int table) {}

    private static final int HARDWARE_ADDRESS = 1;
    private static final int NAME = 3;
    private static final int MTU = 4;
    private static final int MASTER = 10;
    private static final int INFO = 18;
    private static final int ALIAS = 20;
    private static final int UP = 1;
    private static final int EXTENT = 29;
    /// RTEXT_FILTER_SKIP_STATS
    private static final int WITHOUT_COUNTERS = 8;
    private static final int TABLE_OF_ROUTE = 15;

    private RouteQueries() {}

    public static List<Link> links(NetlinkSocket socket) {
        var request = new NetlinkWriter();
        linkRequest(request, NetlinkWriter.DUMP).end();
        return socket.dump("the list of links", request).stream()
                .map(RouteQueries::link)
                .toList();
    }

    /// Finds an interface by its name.
    public static Optional<Link> link(NetlinkSocket socket, String name) {
        var request = new NetlinkWriter();
        linkRequest(request, 0)
                .string(NAME, name)
                .int32(EXTENT, WITHOUT_COUNTERS)
                .end();
        return found(socket, "link " + name, request);
    }

    /// Finds an interface by its index.
    public static Optional<Link> link(NetlinkSocket socket, int index) {
        var request = new NetlinkWriter();
        linkRequest(request, 0, index).int32(EXTENT, WITHOUT_COUNTERS).end();
        return found(socket, "link " + index, request);
    }

    private static Optional<Link> found(NetlinkSocket socket, String call, NetlinkWriter request) {
        try {
            return Optional.of(link(socket.askForOne(call, request)));
        } catch (NetlinkException e) {
            if (e.is(Errno.ENODEV)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    static NetlinkWriter linkRequest(NetlinkWriter out, int flags) {
        return linkRequest(out, flags, 0);
    }

    private static NetlinkWriter linkRequest(NetlinkWriter out, int flags, int index) {
        return out.message(RouteMessages.GET_LINK, NetlinkWriter.REQUEST | flags)
                .u8(0)
                .u8(0)
                .u16(0)
                .u32(index)
                .u32(0)
                .u32(0);
    }

    private static Link link(NetlinkMessage message) {
        NetlinkAttributes attributes = message.attributes(RouteMessages.LINK_HEADER);
        return new Link(
                message.u32(4),
                attributes.string(NAME).orElse(""),
                attributes.nested(INFO).flatMap(info -> info.string(1)).orElse(""),
                attributes.string(ALIAS).orElse(""),
                attributes
                        .find(HARDWARE_ADDRESS)
                        .map(HexFormat.ofDelimiter(":")::formatHex)
                        .orElse(""),
                attributes.int32(MASTER).orElse(0),
                attributes.int32(MTU).orElse(0),
                (message.u32(8) & UP) != 0);
    }

    public static List<HostAddress> addresses(NetlinkSocket socket) {
        var request = new NetlinkWriter();
        request.message(RouteMessages.GET_ADDRESS, NetlinkWriter.REQUEST | NetlinkWriter.DUMP)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u32(0)
                .end();
        return socket.dump("the list of addresses", request).stream()
                .flatMap(message -> hostAddress(message).stream())
                .toList();
    }

    private static Optional<HostAddress> hostAddress(NetlinkMessage message) {
        int local = 2;
        int address = 1;
        NetlinkAttributes attributes = message.attributes(RouteMessages.ADDRESS_HEADER);
        return attributes
                .find(local)
                .or(() -> attributes.find(address))
                .map(bytes -> new HostAddress(message.u32(4), address(bytes), message.u8(1)));
    }

    /// Returns the routes of all tables but the default ones, and those to the host itself.
    public static List<Route> routes(NetlinkSocket socket) {
        var request = new NetlinkWriter();
        request.message(RouteMessages.GET_ROUTE, NetlinkWriter.REQUEST | NetlinkWriter.DUMP)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u32(0)
                .end();
        return socket.dump("the list of routes", request).stream()
                .flatMap(message -> route(message).stream())
                .toList();
    }

    private static Optional<Route> route(NetlinkMessage message) {
        int unicast = 1;
        int target = 1;
        int link = 4;
        NetlinkAttributes attributes = message.attributes(RouteMessages.ROUTE_HEADER);
        if (message.u8(7) != unicast) {
            return Optional.empty();
        }
        return attributes
                .find(target)
                .map(bytes -> new Route(
                        Subnet.around(address(bytes), message.u8(1)),
                        attributes.int32(link).orElse(0),
                        attributes.int32(TABLE_OF_ROUTE).orElse(message.u8(4))));
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("an address of " + bytes.length + " bytes", e);
        }
    }
}
