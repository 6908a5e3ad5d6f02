package dev.caisson.network;

import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.nft.RuleReading;
import dev.caisson.network.route.RouteQueries;
import dev.caisson.network.route.RouteQueries.Link;
import dev.caisson.network.route.RoutingRules;
import dev.caisson.spec.MacAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Reads what a container's network namespace has, by sockets that were made in it: its links, the rules of its routing
/// and its packet filter.
public final class GuestSide {
    private static final String LOOPBACK = "lo";

    private final NetlinkSocket route;
    private final NetlinkSocket filter;

    public GuestSide(NetlinkSocket route, NetlinkSocket filter) {
        this.route = route;
        this.filter = filter;
    }

    /// A link as it is planned.
    public record PlannedLink(String name, MacAddress mac, int mtu) {
        private String text() {
            return GuestSide.text(true, mac.toString(), mtu);
        }
    }

    private static String text(boolean up, String mac, int mtu) {
        return (up ? "up, " : "down, ") + mac + ", packets of " + mtu + " bytes";
    }

    /// Compares links, and the rules that choose a table of routes.
    ///
    /// @param others names of links that may be there
    /// @param ipv6 true if the kernel has IPv6
    public List<HostCheck> links(List<PlannedLink> planned, Set<String> others, boolean ipv6) {
        Map<String, Link> found = RouteQueries.links(route).stream()
                .collect(Collectors.toMap(Link::name, Function.identity(), (first, _) -> first));
        var checks = new ArrayList<HostCheck>();
        checks.add(new HostCheck(
                "link " + LOOPBACK,
                "up",
                found.containsKey(LOOPBACK) && found.get(LOOPBACK).isUp() ? "up" : "down"));
        for (PlannedLink one : planned) {
            Link link = found.get(one.name());
            checks.add(new HostCheck(
                    "link " + one.name(),
                    one.text(),
                    link == null ? "missing" : text(link.isUp(), link.address(), link.mtu())));
        }
        Set<String> known = planned.stream().map(PlannedLink::name).collect(Collectors.toCollection(HashSet::new));
        known.addAll(others);
        known.add(LOOPBACK);
        found.values().stream()
                .filter(link -> !known.contains(link.name()))
                .forEach(link -> checks.add(new HostCheck(
                        "link " + link.name(), "not there", text(link.isUp(), link.address(), link.mtu()))));
        RoutingRules.of(route)
                .ifPresent(rules ->
                        checks.add(new HostCheck("rules of routing", RoutingRules.ofNewNamespace(ipv6), rules)));
        return checks;
    }

    /// Compares the packet filter with the batches of nfnetlink that made it.
    public List<HostCheck> filter(List<byte[]> batches) {
        try {
            return RuleReading.ofRequests(batches).compare(filter).stream()
                    .map(one -> new HostCheck("packet filter " + one.subject(), one.planned(), one.found()))
                    .toList();
        } catch (NetlinkException e) {
            return List.of(new HostCheck("packet filter", "as made", "unreadable: " + e.getMessage()));
        }
    }

    /// Returns the sets and chains that batches make, for people.
    public static List<String> lines(List<byte[]> batches) {
        return RuleReading.ofRequests(batches).lines();
    }
}
