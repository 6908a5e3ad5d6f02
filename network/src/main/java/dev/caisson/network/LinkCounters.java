package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.route.LinkTraffic;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.InterfaceUse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The counters of containers' links, read at their ends on the host: nothing of a container is entered, and no record
/// is read.
public final class LinkCounters {
    private final Map<String, LinkTraffic> all;

    private LinkCounters(Map<String, LinkTraffic> all) {
        this.all = all;
    }

    /// Counters of no link.
    public static LinkCounters none() {
        return new LinkCounters(Map.of());
    }

    /// Reads those of all links of the network namespace that the calling thread is in.
    public static LinkCounters read() {
        try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.ROUTE)) {
            return new LinkCounters(LinkTraffic.all(socket));
        }
    }

    /// Returns those of one container, by the names that its interfaces have inside.
    public List<InterfaceUse> of(ContainerId container) {
        return of(container, name -> Optional.ofNullable(all.get(name)));
    }

    /// Reads those of one container alone.
    public static List<InterfaceUse> read(ContainerId container) {
        try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.ROUTE)) {
            return of(container, name -> LinkTraffic.of(socket, name));
        }
    }

    /// The host sends what the container receives.
    private static List<InterfaceUse> of(ContainerId container, Function<String, Optional<LinkTraffic>> find) {
        var uses = new ArrayList<InterfaceUse>();
        for (int number = 0; number < Settling.MOST; number++) {
            String inside = Places.guestName(number);
            find.apply(Places.hostLink(container, number))
                    .ifPresent(host -> uses.add(
                            new InterfaceUse(inside, /* received= */ host.sent(), /* sent= */ host.received())));
        }
        return List.copyOf(uses);
    }
}
