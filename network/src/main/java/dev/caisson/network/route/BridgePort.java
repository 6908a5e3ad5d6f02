package dev.caisson.network.route;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import java.util.Optional;

/// A link that is a port of a bridge.
///
/// @param bridge interface index; 0 for a link that is no port
/// @param isolated true if it exchanges no frames with other isolated ports
/// @param hairpin true if it gets back what it sends
public record BridgePort(int bridge, boolean isolated, boolean hairpin, boolean isUp) {
    private static final int NAME = 3;
    private static final int MASTER = 10;
    private static final int INFO = 18;
    private static final int PORT_DATA = 5;
    private static final int HAIRPIN = 4;
    private static final int ISOLATED = 33;
    private static final int UP = 1;

    /// Finds a link by its name.
    public static Optional<BridgePort> of(NetlinkSocket socket, String name) {
        var request = new NetlinkWriter();
        RouteQueries.linkRequest(request, NetlinkWriter.ACK).string(NAME, name).end();
        try {
            return socket.ask("link " + name, request).stream().findFirst().map(BridgePort::of);
        } catch (NetlinkException e) {
            if (e.is(Errno.ENODEV)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static BridgePort of(NetlinkMessage message) {
        NetlinkAttributes attributes = message.attributes(RouteMessages.LINK_HEADER);
        Optional<NetlinkAttributes> port = attributes.nested(INFO).flatMap(info -> info.nested(PORT_DATA));
        return new BridgePort(
                attributes.int32(MASTER).orElse(0),
                port.flatMap(data -> data.int8(ISOLATED)).orElse(0) != 0,
                port.flatMap(data -> data.int8(HAIRPIN)).orElse(0) != 0,
                (message.u32(8) & UP) != 0);
    }
}
