package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.SetElement;
import dev.caisson.network.nft.TableQueries;
import dev.caisson.network.route.BridgePort;
import dev.caisson.network.route.RouteQueries;
import dev.caisson.network.route.RouteQueries.Link;
import dev.caisson.text.AddressText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Reads what the host has for a container's networks back from the kernel: bridges with their settings, ports, and
/// the elements of the packet filter's sets that keep the container in and let others to it.
final class HostSide {
    private static final String MISSING = "missing";
    private static final String AS_RECORDED = "as recorded";
    private static final int IN_A_SENTENCE = 3;

    private final NetlinkSocket route;
    private final NetlinkSocket filter;
    private final Tables tables;

    HostSide(NetlinkSocket route, NetlinkSocket filter, Tables tables) {
        this.route = route;
        this.filter = filter;
        this.tables = tables;
    }

    /// @param networks by their ids
    List<HostCheck> of(ContainerNetworks container, Map<String, NetworkInfo> networks) {
        var checks = new ArrayList<HostCheck>();
        var elements = new Elements().container(container).leads(container);
        for (Attachment place : container.attachments()) {
            NetworkInfo network = networks.get(place.networkId());
            if (network != null) {
                elements.network(network);
                Optional<Link> bridge = RouteQueries.link(route, network.bridge());
                checks.add(bridge(network, bridge));
                settings(network, checks);
                checks.add(port(place, bridge));
            }
        }
        boolean there = tables.areThere(filter);
        checks.add(new HostCheck(
                "packet filter " + tables.name(), "of this version", there ? "of this version" : MISSING));
        if (there) {
            elements.all().forEach((place, wanted) -> checks.add(elements(place, wanted)));
            checks.addAll(others(container, elements.all()));
        }
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
        var wanted = new ArrayList<>(List.of(four + "arp_ignore=1", four + "rp_filter=1", four + "send_redirects=0"));
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

    private HostCheck elements(Sets.Place place, List<SetElement> wanted) {
        Map<SetElement, byte[]> found = found(place);
        List<String> missing = wanted.stream()
                .filter(one -> !found.containsKey(one) || !one.leadsTo(found.get(one)))
                .map(one -> place.form().text(one.key()))
                .toList();
        return new HostCheck(
                "set " + place.form().name(),
                AS_RECORDED,
                missing.isEmpty() ? AS_RECORDED : "without " + some(missing));
    }

    private Map<SetElement, byte[]> found(Sets.Place place) {
        var found = new HashMap<SetElement, byte[]>();
        for (TableQueries.Element one : tables.elements(filter, place)) {
            found.put(
                    one.end().length == 0 ? SetElement.of(one.key()) : SetElement.range(one.key(), one.end()),
                    one.value());
        }
        return found;
    }

    /// Returns what is there for the container and nobody recorded: a further address, link, destination or port.
    private List<HostCheck> others(ContainerNetworks container, Map<Sets.Place, List<SetElement>> wanted) {
        var checks = new ArrayList<HostCheck>();
        List<byte[]> ports = container.attachments().stream()
                .map(one -> one.hostLink().getBytes(StandardCharsets.US_ASCII))
                .toList();
        List<byte[]> addresses = Stream.concat(container.addresses(false), container.addresses(true))
                .map(address -> address.getAddress())
                .toList();
        for (Sets.Place place : List.of(Sets.MEMBERS, Sets.MEMBERS6, Sets.RATE_IN, Sets.RATE_OUT)) {
            further(place, wanted, one -> begins(one.key(), ports)).ifPresent(checks::add);
        }
        for (Sets.Place place : List.of(
                Sets.GATED,
                Sets.HOSTED,
                Sets.HOSTED6,
                Sets.LINKED,
                Sets.LINKED6,
                Sets.REACHED,
                Sets.REACHED6,
                Sets.REACHED_RANGES,
                Sets.REACHED_RANGES6)) {
            // what a name leads to has the name as its comment
            further(place, wanted, one -> one.comment().isEmpty() && begins(one.key(), addresses))
                    .ifPresent(checks::add);
        }
        for (Sets.Place place : List.of(Sets.PUBLISHED, Sets.PUBLISHED6, Sets.PUBLISHED_ANY, Sets.PUBLISHED_ANY6)) {
            further(place, wanted, one -> begins(one.value(), addresses)).ifPresent(checks::add);
        }
        return checks;
    }

    private Optional<HostCheck> further(
            Sets.Place place, Map<Sets.Place, List<SetElement>> wanted, Predicate<TableQueries.Element> concerns) {
        List<SetElement> known = wanted.getOrDefault(place, List.of());
        List<String> further = tables.elements(filter, place).stream()
                .filter(concerns)
                .filter(one -> known.stream().noneMatch(other -> Arrays.equals(other.key(), one.key())))
                .map(one -> place.form().text(one.key()))
                .toList();
        return further.isEmpty()
                ? Optional.empty()
                : Optional.of(new HostCheck(
                        "set " + place.form().name() + ", of nobody else",
                        AS_RECORDED,
                        "with " + some(further) + " too"));
    }

    private static boolean begins(byte[] key, List<byte[]> with) {
        return with.stream()
                .anyMatch(one -> key.length >= one.length && Arrays.equals(key, 0, one.length, one, 0, one.length));
    }

    private static String some(List<String> keys) {
        String first = String.join(", ", keys.subList(0, Math.min(IN_A_SENTENCE, keys.size())));
        return keys.size() <= IN_A_SENTENCE ? first : first + " and " + (keys.size() - IN_A_SENTENCE) + " more";
    }
}
