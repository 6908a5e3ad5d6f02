package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.Connections;
import dev.caisson.network.nft.Connections.Connection;
import dev.caisson.network.nft.SetElement;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Ends connections from and to containers that were begun while no rules of ours were there: those that are not
/// translated, as others are that lead out or to a published port. What the host has begun goes on, and so does what a
/// container may reach on the host.
///
/// The kernel forgets a connection, and takes the next packet for the first of a new one. If the host sends
/// that packet, the container's are answers to it, which pass; so what the host sends of a connection that was
/// ended is dropped.
final class Severance {
    /// A packet that was on its way may make its connection known after the first look.
    private static final int LOOKS = 2;
    /// As long as the kernel knows a connection of TCP that is idle.
    private static final Duration LASTING = Duration.ofDays(5);

    private final NetlinkSocket filter;
    private final Tables tables;

    Severance(NetlinkSocket filter, Tables tables) {
        this.filter = filter;
        this.tables = tables;
    }

    /// Returns the elements that stand for what was ended before, for tables that are made anew.
    Map<Sets.Place, List<SetElement>> former() {
        var former = new LinkedHashMap<Sets.Place, List<SetElement>>();
        for (Sets.Place place : List.of(Sets.SEVERED, Sets.SEVERED6)) {
            former.put(
                    place,
                    tables.elements(filter, place).stream()
                            .map(one -> SetElement.of(one.key()).lasting(LASTING))
                            .toList());
        }
        return former;
    }

    void end(Collection<ContainerNetworks> containers) {
        for (int look = 0; look < LOOKS; look++) {
            end(containers, false);
            end(containers, true);
        }
    }

    private void end(Collection<ContainerNetworks> containers, boolean six) {
        Map<InetAddress, ContainerNetworks> own = new HashMap<>();
        Set<InetAddress> gateways = new HashSet<>();
        for (ContainerNetworks container : containers) {
            container.addresses(six).forEach(address -> own.put(address, container));
            container.gateways(six).forEach(gateways::add);
        }
        if (own.isEmpty()) {
            return;
        }
        var elements = new ArrayList<SetElement>();
        var begun = new ArrayList<Connection>();
        for (Connection one : Connections.of(filter, six)) {
            ContainerNetworks source = own.get(one.source());
            boolean concerned = source != null || own.containsKey(one.target());
            boolean allowed = source == null ? gateways.contains(one.source()) : source.reachesHost(one);
            if (concerned && !allowed && !one.translated()) {
                begun.add(one);
                if (source != null) {
                    elements.add(SetElement.of(key(one)).lasting(LASTING));
                }
            }
        }
        if (!elements.isEmpty()) {
            tables.add(filter, Map.of(six ? Sets.SEVERED6 : Sets.SEVERED, elements));
        }
        begun.forEach(one -> Connections.forget(filter, one));
    }

    private static byte[] key(Connection one) {
        return Elements.key(
                one.source().getAddress(),
                new byte[] {(byte) one.protocol()},
                Elements.number(one.port()),
                Elements.number(one.sourcePort()));
    }
}
