package dev.caisson.network.nft;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The connections that the kernel tracks in a network namespace, `linux/netfilter/nfnetlink_conntrack.h`.
public final class Connections {
    /// A connection as it was begun, before any translation.
    ///
    /// @param protocol number of IP's
    /// @param sourcePort of who began it; 0 for a protocol without ports
    /// @param port 0 for a protocol without ports
    /// @param tuple attribute by which the kernel finds it
    /// @param id of the connection, as the kernel wrote it
    /// @param translated true if answers come from or go to other addresses or ports than were asked
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Connection(
            InetAddress source,
            InetAddress target,
            int protocol,
            int sourcePort,
            int port,
            byte[] tuple,
            byte[] id,
            boolean translated) {}

    private static final int SUBSYSTEM = 1 << 8;
    private static final int GET = 1;
    private static final int DELETE = 2;
    private static final int HEADER = 4;
    private static final int ORIGINAL = 1;
    private static final int STATUS = 3;
    private static final int SOURCE_TRANSLATED = 1 << 4;
    private static final int TARGET_TRANSLATED = 1 << 5;
    private static final int NESTED = 0x8000;
    private static final int ID = 12;
    private static final int ADDRESSES = 1;
    private static final int SOURCE_4 = 1;
    private static final int SOURCE_6 = 3;
    private static final int FILTER = 25;
    private static final int FILTER_ORIGINAL = 1;
    private static final int FILTER_REPLY = 2;
    private static final int BY_SOURCE = 1;
    private static final int IPV4 = 2;
    private static final int IPV6 = 10;

    private Connections() {}

    private static NetlinkWriter request(NetlinkWriter out, int type, int flags, boolean six) {
        return out.message(SUBSYSTEM | type, NetlinkWriter.REQUEST | flags)
                .u8(six ? IPV6 : IPV4)
                .u8(0)
                .u16(0);
    }

    /// Returns those that an address has begun. The kernel picks those of IPv4, from Linux 5.8 on; asked for an address
    /// of IPv6, ctnetlink_filter_match_tuple() passes over its connections and gives all others.
    public static List<Connection> from(NetlinkSocket socket, InetAddress source) {
        boolean six = source.getAddress().length != 4;
        var request = new NetlinkWriter();
        request(request, GET, NetlinkWriter.DUMP, six);
        if (!six) {
            request.nested(ORIGINAL)
                    .nested(ADDRESSES)
                    .put(SOURCE_4, source.getAddress())
                    .end()
                    .end()
                    .nested(FILTER)
                    .int32(FILTER_ORIGINAL, BY_SOURCE)
                    .int32(FILTER_REPLY, 0)
                    .end();
        }
        request.end();
        return read(socket, request, six).stream()
                .filter(one -> one.source().equals(source))
                .toList();
    }

    /// Returns all of one family.
    public static List<Connection> of(NetlinkSocket socket, boolean six) {
        var request = new NetlinkWriter();
        request(request, GET, NetlinkWriter.DUMP, six).end();
        return read(socket, request, six);
    }

    private static List<Connection> read(NetlinkSocket socket, NetlinkWriter request, boolean six) {
        var found = new ArrayList<Connection>();
        for (NetlinkMessage message : socket.dump("the list of connections", request)) {
            connection(message.attributes(HEADER), six).ifPresent(found::add);
        }
        return found;
    }

    private static Optional<Connection> connection(NetlinkAttributes attributes, boolean six) {
        Optional<NetlinkAttributes> original = attributes.nested(ORIGINAL);
        Optional<NetlinkAttributes> addresses = original.flatMap(part -> part.nested(ADDRESSES));
        Optional<NetlinkAttributes> ports = original.flatMap(part -> part.nested(2));
        Optional<InetAddress> source =
                addresses.flatMap(part -> part.find(six ? SOURCE_6 : SOURCE_4)).flatMap(Connections::address);
        Optional<InetAddress> target =
                addresses.flatMap(part -> part.find(six ? 4 : 2)).flatMap(Connections::address);
        if (source.isEmpty() || target.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new Connection(
                source.get(),
                target.get(),
                ports.flatMap(part -> part.int8(1)).orElse(0),
                ports.flatMap(part -> part.find(2)).map(Connections::big16).orElse(0),
                ports.flatMap(part -> part.find(3)).map(Connections::big16).orElse(0),
                attributes.find(ORIGINAL).orElseThrow(),
                attributes.find(ID).orElse(new byte[0]),
                attributes
                        .big32(STATUS)
                        .filter(status -> (status & (SOURCE_TRANSLATED | TARGET_TRANSLATED)) != 0)
                        .isPresent()));
    }

    private static int big16(byte[] bytes) {
        return bytes.length < 2 ? 0 : Byte.toUnsignedInt(bytes[0]) << 8 | Byte.toUnsignedInt(bytes[1]);
    }

    private static Optional<InetAddress> address(byte[] bytes) {
        try {
            return Optional.of(InetAddress.getByAddress(bytes));
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }

    /// Has the kernel forget a connection: its next packet is the first of a new one. One that is gone is no error.
    public static void forget(NetlinkSocket socket, Connection connection) {
        var request = new NetlinkWriter();
        request(request, DELETE, NetlinkWriter.ACK, connection.source().getAddress().length != 4)
                .put(ORIGINAL | NESTED, connection.tuple());
        if (connection.id().length > 0) {
            request.put(ID, connection.id());
        }
        request.end();
        try {
            socket.request("the end of a connection", request);
        } catch (NetlinkException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }
}
