package dev.caisson.network.route;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import dev.caisson.spec.InterfaceUse.Traffic;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The counters of a link, `struct rtnl_link_stats64` of rtnetlink(7).
public record LinkTraffic(Traffic received, Traffic sent) {
    private static final int NAME = 3;
    private static final int STATISTICS = 23;
    private static final int LEAST_BYTES = 8 * Long.BYTES;

    /// Returns that of all links, by their names.
    public static Map<String, LinkTraffic> all(NetlinkSocket socket) {
        var request = new NetlinkWriter();
        RouteQueries.linkRequest(request, NetlinkWriter.DUMP).end();
        var all = new HashMap<String, LinkTraffic>();
        for (NetlinkMessage message : socket.dump("the list of links", request)) {
            NetlinkAttributes attributes = message.attributes(RouteMessages.LINK_HEADER);
            attributes.string(NAME).ifPresent(name -> of(attributes).ifPresent(traffic -> all.put(name, traffic)));
        }
        return all;
    }

    /// Returns that of one link; empty if it is not there.
    public static Optional<LinkTraffic> of(NetlinkSocket socket, String name) {
        var request = new NetlinkWriter();
        RouteQueries.linkRequest(request, NetlinkWriter.ACK).string(NAME, name).end();
        try {
            return socket.ask("link " + name, request).stream()
                    .findFirst()
                    .flatMap(message -> of(message.attributes(RouteMessages.LINK_HEADER)));
        } catch (NetlinkException e) {
            if (e.is(Errno.ENODEV)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static Optional<LinkTraffic> of(NetlinkAttributes attributes) {
        return attributes
                .find(STATISTICS)
                .filter(bytes -> bytes.length >= LEAST_BYTES)
                .map(bytes -> {
                    ByteBuffer counters = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
                    return new LinkTraffic(traffic(counters, 0), traffic(counters, 1));
                });
    }

    /// Each pair of counters is of what was received, then of what was sent: packets, bytes, errors, dropped.
    private static Traffic traffic(ByteBuffer counters, int way) {
        return new Traffic(
                counters.getLong((2 + way) * Long.BYTES),
                counters.getLong(way * Long.BYTES),
                counters.getLong((4 + way) * Long.BYTES),
                counters.getLong((6 + way) * Long.BYTES));
    }
}
