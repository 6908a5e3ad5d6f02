package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.network.Attachment;
import dev.caisson.network.Attachment.Address;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.PortMapping;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A container's networks and ports in Docker's forms.
final class NetworkView {
    private static final Pattern PORTS =
            Pattern.compile("(?<first>[0-9]{1,5})(?:-(?<last>[0-9]{1,5}))?(?:/(?<transport>tcp|udp))?");

    private static final int MOST_PORT = 65_535;

    private NetworkView() {}

    /// Returns the object `NetworkSettings` of `inspect`.
    ///
    /// @param exposed ports that it serves, as `80/tcp`; one that is published nowhere leads to null on a network
    static Map<String, Object> settings(NetworkPlaces of, List<String> exposed) {
        var settings = new LinkedHashMap<String, Object>();
        Map<String, @Nullable Object> ports = new TreeMap<>(ports(of.ports()));
        if (!of.places().isEmpty()) {
            exposed.forEach(port -> ports.putIfAbsent(port, null));
        }
        settings.put("Ports", ports);
        Optional<Attachment> first = of.places().stream().findFirst();
        settings.putAll(addresses(first.flatMap(Attachment::ip4), first.flatMap(Attachment::ip6)));
        settings.put("MacAddress", first.map(place -> place.mac().toString()).orElse(""));
        var networks = new LinkedHashMap<String, Object>();
        of.places().forEach(place -> networks.put(place.network(), network(place)));
        settings.put("Networks", networks);
        settings.put("Egress", of.bounds().egress().text());
        settings.put("EgressDenied", of.denied());
        settings.put("Bandwidth", of.bounds().bandwidth().text());
        settings.put(
                "HostServices",
                of.bounds().hostPorts().stream().map(ContainerPort::toString).toList());
        return settings;
    }

    private static Map<String, Object> network(Attachment place) {
        var network = new LinkedHashMap<String, Object>();
        network.put("NetworkID", place.networkId());
        network.put("Aliases", place.aliases());
        network.put(
                "Links",
                place.links().stream()
                        .map(link -> link.name() + ":" + link.alias())
                        .toList());
        network.put("MacAddress", place.mac().toString());
        network.putAll(addresses(place.ip4(), place.ip6()));
        network.put("HostLink", place.hostLink());
        return network;
    }

    /// Returns the links of the first network in Docker's form, `/db:/web/database`.
    static List<String> links(NetworkPlaces of, String name) {
        return of.places().stream()
                .limit(1)
                .flatMap(place -> place.links().stream())
                .map(link -> "/" + link.name() + ":/" + name + "/" + link.alias())
                .toList();
    }

    private static Map<String, Object> addresses(Optional<Address> ip4, Optional<Address> ip6) {
        var addresses = new LinkedHashMap<String, Object>();
        addresses.put("Gateway", text(ip4, Address::gateway));
        addresses.put("IPAddress", text(ip4, Address::address));
        addresses.put("IPPrefixLen", prefix(ip4));
        addresses.put("IPv6Gateway", text(ip6, Address::gateway));
        addresses.put("GlobalIPv6Address", text(ip6, Address::address));
        addresses.put("GlobalIPv6PrefixLen", prefix(ip6));
        return addresses;
    }

    private static String text(Optional<Address> of, Function<Address, InetAddress> part) {
        return of.map(address -> AddressText.of(part.apply(address))).orElse("");
    }

    private static long prefix(Optional<Address> of) {
        return of.map(address -> (long) address.subnet().prefix()).orElse(0L);
    }

    /// Returns the places on the host of each port of the container.
    static Map<String, Object> ports(List<PortMapping> mappings) {
        var ports = new TreeMap<String, Object>();
        mappings.stream()
                .collect(Collectors.groupingBy(mapping -> mapping.inside().toString()))
                .forEach((port, places) -> ports.put(
                        port,
                        places.stream()
                                .map(place -> Map.<String, Object>of(
                                        "HostIp", host(place), "HostPort", Integer.toString(place.hostPort())))
                                .toList()));
        return ports;
    }

    private static String host(PortMapping mapping) {
        return mapping.address().map(AddressText::of).orElse("0.0.0.0");
    }

    /// Returns the column PORTS of `ps`.
    static String column(NetworkPlaces of) {
        return sorted(of).stream().map(PortMapping::toString).collect(Collectors.joining(", "));
    }

    /// Returns the column NETWORKS of `ps`.
    static String names(NetworkPlaces of) {
        if (of.ofHost()) {
            return of.mode();
        }
        return of.places().isEmpty()
                ? of.of().map(other -> "container:" + other.shortForm()).orElse("none")
                : of.places().stream().map(Attachment::network).collect(Collectors.joining(","));
    }

    /// Returns a condition for containers on a network, or in a network mode.
    ///
    /// @param wanted its name, or the beginning of an id
    static Predicate<ContainerStatus> isOn(String wanted) {
        EngineOptions options = Caller.current().directories();
        return container -> {
            NetworkPlaces of = NetworkPlaces.of(container.id(), options);
            return of.places().stream()
                            .anyMatch(place -> place.network().equals(wanted)
                                    || (!wanted.isEmpty() && place.networkId().startsWith(wanted)))
                    || (of.places().isEmpty() && names(of).equals(wanted));
        };
    }

    /// Returns a condition for containers that publish this port, or one in this range.
    ///
    /// @param text PORT[-PORT][/tcp|udp]
    /// @param side the number that is looked at
    static Predicate<ContainerStatus> hasPort(String option, String text, ToIntFunction<PortMapping> side) {
        Matcher parts = PORTS.matcher(text);
        int first = parts.matches() ? Integer.parseInt(parts.group("first")) : MOST_PORT + 1;
        int last = first > MOST_PORT || parts.group("last") == null ? first : Integer.parseInt(parts.group("last"));
        if (first > last || last > MOST_PORT) {
            throw CommandException.usage(
                    option + " takes PORT[-PORT][/tcp|udp], as 8080 or 53/udp, not '" + text + "'");
        }
        String transport = parts.group("transport") == null ? "tcp" : parts.group("transport");
        EngineOptions options = Caller.current().directories();
        return container -> NetworkPlaces.of(container.id(), options).ports().stream()
                .filter(port -> port.transport().name().equalsIgnoreCase(transport))
                .mapToInt(side)
                .anyMatch(port -> port >= first && port <= last);
    }

    /// Returns the ports by the container's port.
    static List<PortMapping> sorted(NetworkPlaces of) {
        var ports = new ArrayList<>(of.ports());
        ports.sort(Comparator.comparing(PortMapping::inside).thenComparingInt(PortMapping::hostPort));
        return ports;
    }

    /// Returns the host's side of a port, `0.0.0.0:8080`.
    static String hostSide(PortMapping mapping) {
        String text = mapping.toString();
        return text.substring(0, text.indexOf("->"));
    }
}
