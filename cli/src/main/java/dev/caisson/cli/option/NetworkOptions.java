package dev.caisson.cli.option;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.engine.Snapshots;
import dev.caisson.error.ArgumentException;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.image.SnapshotName;
import dev.caisson.network.Networks;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.Egress;
import dev.caisson.spec.ExtraHost;
import dev.caisson.spec.HostServices;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.PortText;
import dev.caisson.spec.PublishedPorts;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The options that say what networks a container is on, with Docker's names.
final class NetworkOptions {
    private static final String NONE = "none";
    private static final String OF_HOST = "host";
    private static final String BANDWIDTH_LABEL = "RATE|in=RATE,out=RATE|all";
    private static final String HOST = "host-gateway";
    private static final String OF_CONTAINER = "container:";
    /// Names the network of containers that are told none, in place of [Networks#DEFAULT].
    private static final String VARIABLE = "CAISSON_NETWORK";

    private List<String> networks = List.of();
    private @Nullable String ip;
    private @Nullable String ip6;
    private @Nullable String mac;
    private List<String> aliases = List.of();
    private List<String> links = List.of();
    private List<String> published = List.of();
    private boolean publishedAll;
    private List<String> exposed = List.of();
    private List<String> servers = List.of();
    private List<String> search = List.of();
    private List<String> lookupOptions = List.of();
    private List<String> hosts = List.of();
    private @Nullable String egress;
    private boolean egressSni;
    private @Nullable String bandwidth;
    private List<String> allowed = List.of();

    NetworkOptions(OptionList options) {
        options.texts(
                        "--network, --net",
                        "NETWORK[:ip=…,alias=…]",
                        "Join a network, several if given several times; keys ip, ip6, mac, alias and link. none: loopback alone; container:NAME: the network of another container; host: the host's own, with --allow host-network (default: bridge; none for host).",
                        value -> networks = value)
                .text(
                        "--ip",
                        "ADDRESS",
                        "IPv4 address on the first network (default: a free one).",
                        value -> ip = value)
                .text(
                        "--ip6",
                        "ADDRESS",
                        "IPv6 address on the first network (default: a free one).",
                        value -> ip6 = value)
                .text("--mac-address", "MAC", "Hardware address on the first network.", value -> mac = value)
                .texts(
                        "--network-alias, --net-alias",
                        "NAME",
                        "A further name on the first network.",
                        value -> aliases = value)
                .texts(
                        "--link",
                        "CONTAINER[:ALIAS]",
                        "Reach a container of the first network by a name of its own here, also where icc=false.",
                        value -> links = value)
                .texts(
                        "-p, --publish",
                        "[[ADDRESS:]PORT:]PORT[/udp]",
                        "Have a port of the host lead to one of the container; ranges as 8000-8010:8000-8010.",
                        value -> published = value)
                .flag(
                        "-P, --publish-all",
                        "Publish each exposed port at a free port of the host.",
                        value -> publishedAll = value)
                .texts("--expose", "PORT[/udp]", "A port that --publish-all publishes, too.", value -> exposed = value)
                .texts("--dns", "ADDRESS", "A DNS server in place of those of the host.", value -> servers = value)
                .texts(
                        "--dns-search",
                        "DOMAIN",
                        "A search domain in place of those of the host; . for none.",
                        value -> search = value)
                .texts(
                        "--dns-option, --dns-opt",
                        "OPTION",
                        "An option of resolv.conf in place of those of the host: ndots:2.",
                        value -> lookupOptions = value)
                .texts(
                        "--add-host",
                        "NAME:ADDRESS",
                        "A further line of /etc/hosts; host-gateway is the host, with --allow host-services.",
                        value -> hosts = value)
                .text(
                        "--egress",
                        EgressText.LABEL,
                        "What it may send to outside of its networks: names, *.NAME, addresses and subnets, each with a port; a file has one a line (default: all).",
                        value -> egress = value)
                .flag("--egress-sni", EgressText.SNI_HELP, value -> egressSni = value)
                .text(
                        "--network-bandwidth",
                        BANDWIDTH_LABEL,
                        "How much it may receive and send on each network, in bits per second: 10mbit, or each alone (default: all).",
                        value -> bandwidth = value);
    }

    /// Returns the networks of a container of an image. One of the host's own files has loopback alone by default.
    /// @throws CommandException OPTION_REFUSED
    ///
    /// @param services ports of the host that it is to reach
    Network network(Image image, List<String> services) {
        allowed = services;
        List<String> wanted = networks.isEmpty() ? standard(image) : networks;
        if (wanted.equals(List.of(NONE))) {
            requireUnused("the container has loopback alone: add --network bridge, or another network");
            return Network.none();
        }
        if (wanted.equals(List.of(OF_HOST))) {
            requireUnused("the container is in the host's network, where it does nothing: leave it out", true);
            if (hosts.stream().anyMatch(NetworkOptions::isHost)) {
                throw CommandException.refused("--add-host", "the host is at 127.0.0.1 in its own network: write that");
            }
            return parsed("--network host", "", _ -> new Network.Host(names()));
        }
        if (wanted.getFirst().startsWith(OF_CONTAINER) && wanted.size() == 1) {
            String other = wanted.getFirst().substring(OF_CONTAINER.length());
            Network shared = parsed("--network " + wanted.getFirst(), other, Network::ofContainer);
            requireUnused("the container shares the network of " + other + ": give it to that one");
            return shared;
        }
        wanted.stream()
                .filter(text -> text.startsWith(OF_CONTAINER)
                        || ((text.equals(NONE) || text.equals(OF_HOST)) && wanted.size() > 1))
                .findFirst()
                .ifPresent(text -> {
                    throw CommandException.refused(
                            "--network " + text, "it is a whole network stack, no network to join: name it alone");
                });
        List<NetworkEndpoint> endpoints = wanted.stream()
                .map(text -> parsed("--network " + text, text, NetworkEndpoint::parse))
                .toList();
        var places = new ArrayList<>(endpoints);
        places.set(0, settled(endpoints.getFirst()));
        return parsed(
                "--network",
                "",
                _ -> new Network.Joined(places, ports(), names(), egress())
                        .hostServices(services())
                        .bandwidth(bandwidth()));
    }

    private static List<String> standard(Image image) {
        return switch (image) {
            case Image.Host _ -> List.of(NONE);
            case Image.Snapshot(SnapshotName name) ->
                below(name).map(NetworkOptions::standard).orElse(List.of(NONE));
            case Image.Directory _, Image.OciLayout _, Image.DockerArchive _, Image.Named _ ->
                List.of(Caller.current()
                        .variable(VARIABLE)
                        .filter(name -> !name.isEmpty())
                        .orElse(Networks.DEFAULT));
        };
    }

    /// Returns the image that a snapshot is above; empty if it cannot be had, which whoever starts it is
    /// told.
    private static Optional<Image> below(SnapshotName name) {
        try {
            Snapshots all = Snapshots.of(Caller.current().directories());
            return Optional.of(Image.parse(all.get(name.value()).image()));
        } catch (CaissonException e) {
            return Optional.empty();
        }
    }

    /// Nothing that was asked for is left out silently.
    private void requireUnused(String why) {
        requireUnused(why, false);
    }

    /// @param lookup true if names may be looked up otherwise
    private void requireUnused(String why, boolean lookup) {
        var given = new LinkedHashMap<String, Boolean>();
        given.put("--publish", !published.isEmpty());
        given.put("--publish-all", publishedAll);
        given.put("--expose", !exposed.isEmpty());
        given.put("--ip", ip != null);
        given.put("--ip6", ip6 != null);
        given.put("--mac-address", mac != null);
        given.put("--network-alias", !aliases.isEmpty());
        given.put("--link", !links.isEmpty());
        given.put("--dns", !lookup && !servers.isEmpty());
        given.put("--dns-search", !lookup && !search.isEmpty());
        given.put("--dns-option", !lookup && !lookupOptions.isEmpty());
        given.put("--add-host", !lookup && !hosts.isEmpty());
        given.put("--egress", egress != null);
        given.put("--egress-sni", egressSni);
        given.put("--network-bandwidth", bandwidth != null);
        given.put("--allow host-services", !allowed.isEmpty());
        for (Map.Entry<String, Boolean> option : given.entrySet()) {
            if (option.getValue()) {
                throw CommandException.refused(option.getKey(), why);
            }
        }
    }

    /// Docker has these apply to the first network.
    private NetworkEndpoint settled(NetworkEndpoint first) {
        NetworkEndpoint place = first;
        if (ip != null) {
            requireOnce("--ip", first.ip4());
            place = parsed("--ip", ip, place::ip);
        }
        if (ip6 != null) {
            requireOnce("--ip6", first.ip6());
            place = parsed("--ip6", ip6, place::ip6);
        }
        if (mac != null) {
            requireOnce("--mac-address", first.mac());
            place = place.mac(parsed("--mac-address", mac, MacAddress::parse));
        }
        for (String alias : aliases) {
            place = parsed("--network-alias", alias, place::alias);
        }
        for (String link : links) {
            NetworkEndpoint linking = place;
            place = parsed("--link", link, text -> linking.link(ContainerLink.parse(text)));
        }
        return place;
    }

    private static void requireOnce(String option, Optional<?> value) {
        if (value.isPresent()) {
            throw CommandException.refused(option, "--network says it too: give it in one place");
        }
    }

    /// Returns services of the host, with the names that `--add-host NAME:host-gateway` gives it.
    private HostServices services() {
        HostServices services =
                parsed("--allow host-services", "", _ -> HostServices.of(allowed.toArray(new String[0])));
        return parsed(
                "--add-host",
                "",
                _ -> services.named(hosts.stream()
                        .filter(NetworkOptions::isHost)
                        .map(text -> text.substring(0, text.length() - HOST.length() - 1))
                        .toList()));
    }

    private static boolean isHost(String text) {
        return text.endsWith(":" + HOST) || text.endsWith("=" + HOST);
    }

    private PublishedPorts ports() {
        var mappings = new ArrayList<PortMapping>();
        published.forEach(text -> mappings.addAll(parsed("--publish", text, PortText::mappings)));
        var ports = new ArrayList<ContainerPort>();
        exposed.forEach(text -> ports.addAll(parsed("--expose", text, PortText::ports)));
        return parsed("--publish", "", _ -> new PublishedPorts(mappings, ports, publishedAll));
    }

    /// Each part is checked by itself, so that a refusal names its option.
    private NameLookup names() {
        List<InetAddress> addresses = servers.stream()
                .map(text -> parsed(
                        "--dns",
                        text,
                        address -> AddressText.parse(address)
                                .orElseThrow(() -> ArgumentException.invalid(
                                        "\"" + address + "\" is not an IP address: write one as 192.0.2.53"))))
                .toList();
        List<ExtraHost> further = hosts.stream()
                .filter(text -> !isHost(text))
                .map(text -> parsed("--add-host", text, ExtraHost::parse))
                .toList();
        NameLookup _ = parsed("--dns", "", _ -> new NameLookup(addresses, List.of(), List.of(), List.of()));
        NameLookup _ = parsed("--dns-search", "", _ -> new NameLookup(addresses, search, List.of(), List.of()));
        NameLookup _ = parsed("--dns-option", "", _ -> new NameLookup(addresses, search, lookupOptions, List.of()));
        return parsed("--add-host", "", _ -> new NameLookup(addresses, search, lookupOptions, further));
    }

    private Egress egress() {
        String text = egress;
        if (text == null && egressSni) {
            throw EgressText.withoutList();
        }
        return text == null ? Egress.all() : EgressText.parse(text, egressSni);
    }

    private Bandwidth bandwidth() {
        String text = bandwidth;
        return text == null ? Bandwidth.ALL : parsed("--network-bandwidth", text, Bandwidth::parse);
    }

    private static <T> T parsed(String option, String text, Function<String, T> parse) {
        try {
            return parse.apply(text);
        } catch (ArgumentException e) {
            throw CommandException.refused(option, e.sentence());
        }
    }
}
