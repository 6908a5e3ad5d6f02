package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.SetElement;
import dev.caisson.network.route.BridgePort;
import dev.caisson.network.route.RouteQueries;
import dev.caisson.network.route.RouteQueries.Link;
import dev.caisson.network.route.RouteQueries.Route;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.Subnet;
import dev.caisson.text.AddressText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Reads what the host has for a container's networks back from the kernel: bridges with their settings and routes,
/// ports, the packet filter's rules, and the elements of its sets that keep the container in and let others to it.
final class HostSide {
    private static final String MISSING = "missing";
    private static final String AS_MADE = "as made";
    private static final int MAIN_TABLE = 254;

    private final NetlinkSocket route;
    private final NetlinkSocket filter;
    private final Tables tables;
    private final NetworkRecords records;

    HostSide(NetlinkSocket route, NetlinkSocket filter, Tables tables, NetworkRecords records) {
        this.route = route;
        this.filter = filter;
        this.tables = tables;
        this.records = records;
    }

    /// @param recorded elements of all networks and containers
    List<HostCheck> of(ContainerNetworks container, Map<Sets.Place, List<SetElement>> recorded) {
        var checks = new ArrayList<HostCheck>();
        var elements = new Elements().container(container).leads(container).forwarding(records.forwarding());
        for (Attachment place : container.attachments()) {
            NetworkInfo network = records.networks().get(place.networkId());
            if (network != null) {
                elements.network(network);
                Optional<Link> bridge = RouteQueries.link(route, network.bridge());
                checks.add(bridge(network, bridge));
                settings(network, checks);
                routes(network, bridge, checks);
                checks.add(port(place, bridge));
            }
        }
        boolean there = tables.areThere(filter);
        checks.add(new HostCheck(
                "packet filter " + tables.name(), "of this version", there ? "of this version" : MISSING));
        if (there) {
            rules(checks);
            checks.addAll(new SetReading(filter, tables, container).compare(elements.all(), recorded));
        }
        checks.addAll(new ForeignRules(filter, tables.name(), records).checks(container));
        return List.copyOf(checks);
    }

    private HostCheck bridge(NetworkInfo network, Optional<Link> bridge) {
        var planned = new TreeSet<String>();
        network.pools()
                .forEach(pool -> pool.gateway()
                        .ifPresent(gateway -> planned.add(
                                AddressText.of(gateway) + "/" + pool.subnet().prefix())));
        var found = new TreeSet<String>();
        bridge.ifPresent(link -> RouteQueries.addresses(route).stream()
                .filter(address ->
                        address.link() == link.index() && !address.address().isLinkLocalAddress())
                .forEach(address -> found.add(AddressText.of(address.address()) + "/" + address.prefix())));
        return new HostCheck(
                "bridge " + network.bridge() + " of network " + network.name(),
                "up, " + String.join(" ", planned),
                bridge.map(link -> (link.isUp() ? "up, " : "down, ") + String.join(" ", found))
                        .orElse(MISSING));
    }

    private static void settings(NetworkInfo network, List<HostCheck> checks) {
        String four = "ipv4/conf/" + network.bridge() + "/";
        String six = "ipv6/conf/" + network.bridge() + "/";
        var wanted = new ArrayList<>(List.of(
                four + "arp_ignore=1",
                four + "rp_filter=1",
                four + "send_redirects=0",
                four + "accept_source_route=0"));
        if (Sysctl.read(six + "disable_ipv6").isPresent()) {
            wanted.addAll(List.of(six + "disable_ipv6=" + (network.ipv6() ? "0" : "1"), six + "accept_ra=0"));
        }
        if (!network.internal()) {
            wanted.add("ipv4/ip_forward=1");
        }
        for (String setting : wanted) {
            int equals = setting.indexOf('=');
            checks.add(new HostCheck(
                    "setting net/" + setting.substring(0, equals),
                    setting.substring(equals + 1),
                    Sysctl.read(setting.substring(0, equals)).orElse(MISSING)));
        }
    }

    private HostCheck port(Attachment place, Optional<Link> bridge) {
        String isolated = place.isolated() ? "isolated, " : "not isolated, ";
        return new HostCheck(
                "port " + place.hostLink(),
                "up, " + isolated + "no hairpin, of bridge " + place.bridge(),
                BridgePort.of(route, place.hostLink())
                        .map(port -> (port.isUp() ? "up, " : "down, ")
                                + (port.isolated() ? "isolated, " : "not isolated, ")
                                + (port.hairpin() ? "hairpin, " : "no hairpin, ")
                                + (bridge.filter(link -> link.index() == port.bridge())
                                                .isPresent()
                                        ? "of bridge " + place.bridge()
                                        : "of no bridge, or another"))
                        .orElse(MISSING));
    }

    /// Compares the routes to a network's subnets: each leads to its bridge, and no part of it elsewhere.
    private void routes(NetworkInfo network, Optional<Link> bridge, List<HostCheck> checks) {
        List<Route> routes = RouteQueries.routes(route);
        for (NetworkSpec.Pool pool : network.pools()) {
            if (pool.gateway().isEmpty()) {
                continue;
            }
            Subnet subnet = pool.subnet();
            String found = routes.stream()
                    .filter(one -> one.table() == MAIN_TABLE && subnet.contains(one.subnet()))
                    .map(one -> (one.subnet().equals(subnet) ? "" : one.subnet() + " ") + "by " + name(one, bridge))
                    .sorted()
                    .collect(Collectors.joining(", "));
            checks.add(
                    new HostCheck("route to " + subnet, "by " + network.bridge(), found.isEmpty() ? MISSING : found));
        }
    }

    private String name(Route one, Optional<Link> bridge) {
        return bridge.filter(link -> link.index() == one.link())
                .or(() -> RouteQueries.links(route).stream()
                        .filter(link -> link.index() == one.link())
                        .findFirst())
                .map(Link::name)
                .orElse("no link");
    }

    /// Compares the chains with those that the kernel had when we made them.
    private void rules(List<HostCheck> checks) {
        Map<String, String> made = records.rules();
        Map<String, String> found = tables.fingerprints(filter);
        int before = checks.size();
        made.forEach((chain, hash) -> {
            String now = found.get(chain);
            if (now == null || !now.equals(hash)) {
                checks.add(new HostCheck(chain, AS_MADE, now == null ? MISSING : "changed by somebody else"));
            }
        });
        found.keySet().stream()
                .filter(chain -> !made.containsKey(chain))
                .forEach(chain -> checks.add(new HostCheck(chain, "not there", "made by somebody else")));
        if (checks.size() == before) {
            checks.add(new HostCheck("rules of packet filter " + tables.name(), AS_MADE, AS_MADE));
        }
    }
}
