package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.nft.Connections;
import dev.caisson.network.nft.Connections.Connection;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Transport;
import java.util.HexFormat;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Ends the connections that a container has begun and that what it may send to now does not allow. One that a name
/// was allowed for, and whose address the name has not led to lately, is among these.
final class Cut {
    /// A packet that the filter let pass before a change may make its connection known after the first look.
    private static final int LOOKS = 2;

    private final NetlinkSocket filter;
    private final ContainerNetworks container;
    private final Supplier<Set<String>> opened;

    /// @param opened returns the keys of what names have opened, as [Pins#allowed]
    private Cut(NetlinkSocket filter, ContainerNetworks container, Supplier<Set<String>> opened) {
        this.filter = filter;
        this.container = container;
        this.opened = opened;
    }

    /// By what names have opened at this moment.
    static Cut byNamesNow(NetlinkSocket filter, Pins pins, ContainerNetworks container) {
        Set<String> opened = pins.allowed(container);
        return new Cut(filter, container, () -> opened);
    }

    /// By what names have opened when it ends connections. That is read if there is one that it depends on.
    static Cut byNamesThen(NetlinkSocket filter, Pins pins, ContainerNetworks container) {
        return new Cut(filter, container, new Once(pins, container));
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
        container
                .addresses(six)
                .forEach(source -> Connections.from(filter, source).stream()
                        .filter(one -> !isAllowed(listed, one))
                        .forEach(one -> Connections.forget(filter, one)));
    }

    private boolean isAllowed(Egress.Listed listed, Connection one) {
        if (container.isNear(one.target())) {
            return true;
        }
        for (Transport transport : Transport.values()) {
            if (transport.number() == one.protocol()) {
                return listed.allows(one.target(), one.port(), transport)
                        || opened.get()
                                .contains(HexFormat.of()
                                        .formatHex(
                                                EgressElements.key(one.source(), one.target(), transport, one.port())));
            }
        }
        return false;
    }

    /// Reads them once.
    private static final class Once implements Supplier<Set<String>> {
        private final Pins pins;
        private final ContainerNetworks container;
        private @Nullable Set<String> read;

        Once(Pins pins, ContainerNetworks container) {
            this.pins = pins;
            this.container = container;
        }

        @Override
        public Set<String> get() {
            if (read == null) {
                read = pins.allowed(container);
            }
            return read;
        }
    }
}
