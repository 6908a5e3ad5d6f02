package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.nft.Connections;
import dev.caisson.network.nft.Connections.Connection;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Transport;
import java.net.InetAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Ends the connections that a container has begun and that what it may send to now does not allow. One that a name
/// was allowed for, and whose address the name has not led to lately, is among these.
final class Cut {
    /// A packet that the filter let pass before a change may make its connection known after the first look.
    private static final int LOOKS = 2;

    private final NetlinkSocket filter;
    private final ContainerNetworks container;
    private final Set<String> opened;

    Cut(NetlinkSocket filter, Pins pins, ContainerNetworks container) {
        this.filter = filter;
        this.container = container;
        this.opened = pins.allowed(container);
    }

    void end() {
        switch (container.egress()) {
            case Egress.All _ -> {}
            case Egress.Listed listed -> {
                for (int look = 0; look < LOOKS; look++) {
                    end(listed, false);
                    end(listed, true);
                }
            }
        }
    }

    private void end(Egress.Listed listed, boolean six) {
        Set<InetAddress> sources = container.addresses(six).collect(Collectors.toSet());
        if (sources.isEmpty()) {
            return;
        }
        List<Connection> begun = Connections.of(filter, six);
        begun.stream()
                .filter(one -> sources.contains(one.source()) && !isAllowed(listed, one))
                .forEach(one -> Connections.forget(filter, one));
    }

    private boolean isAllowed(Egress.Listed listed, Connection one) {
        if (container.isNear(one.target())) {
            return true;
        }
        for (Transport transport : Transport.values()) {
            if (transport.number() == one.protocol()) {
                return listed.allows(one.target(), one.port(), transport)
                        || opened.contains(HexFormat.of()
                                .formatHex(EgressElements.key(one.source(), one.target(), transport, one.port())));
            }
        }
        return false;
    }
}
