package dev.caisson.launch;

import dev.caisson.network.Attachment;
import dev.caisson.network.GuestMessages;
import dev.caisson.spec.Capability;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.ExtraHost;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.text.AddressText;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The networks of a container, settled: its places on them, and what its files say about names.
///
/// @param attachments its place on each network; none for loopback alone
/// @param host the host's resolv.conf(5)
/// @param ipv6 true if the kernel has IPv6
/// @param names true if somebody answers its questions for names, over sockets at [GuestMessages#RESOLVER]
/// @param certificates files of the host with what the container trusts, mounted where programs look for them
/// @param other the container whose network it is in, in place of places of its own
/// @param ofHost true if it is in the host's network, in place of one of its own
public record GuestNetwork(
        List<Attachment> attachments,
        ResolverFile host,
        boolean ipv6,
        boolean names,
        List<Mount.Bind> certificates,
        Optional<OtherNetwork> other,
        boolean ofHost) {
    /// Loopback alone.
    public static final GuestNetwork NONE = new GuestNetwork(List.of(), ResolverFile.EMPTY, false, false);

    /// Of UDP and of TCP, where no port is given out by itself: ip_local_port_range of ip(7) ends below.
    private static final int RESOLVER_PORT = 61053;

    /// The same for every container.
    private static final Step NEIGHBORS =
            new Step.Netlink(NetlinkProtocol.NETFILTER, new NetlinkRequests(GuestMessages.neighbors()));

    private static final Step REDIRECTION = redirection(false);

    /// Where the container may have a packet filter of its own.
    private static final Step TRACKING_REDIRECTION = redirection(true);

    private static final String LOCAL_HOSTS = """
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            """;

    private static Step redirection(boolean tracks) {
        return new Step.Netlink(
                NetlinkProtocol.NETFILTER,
                new NetlinkRequests(GuestMessages.resolver(RESOLVER_PORT, RESOLVER_PORT, tracks)));
    }

    private static boolean tracks(ContainerSpec spec) {
        return spec.privileged() || spec.addedCapabilities().contains(Capability.NET_ADMIN);
    }

    public GuestNetwork {
        attachments = List.copyOf(attachments);
        certificates = List.copyOf(certificates);
    }

    /// The same with the image's own certificates alone.
    public GuestNetwork(List<Attachment> attachments, ResolverFile host, boolean ipv6, boolean names) {
        this(attachments, host, ipv6, names, List.of(), Optional.empty(), false);
    }

    /// The network of another container.
    public static GuestNetwork of(OtherNetwork other) {
        return new GuestNetwork(List.of(), ResolverFile.EMPTY, false, false, List.of(), Optional.of(other), false);
    }

    /// The network of the host, whose servers answer for names.
    public static GuestNetwork ofHost(ResolverFile host) {
        return new GuestNetwork(List.of(), host, false, false, List.of(), Optional.empty(), true);
    }

    /// Replaces the certificates.
    public GuestNetwork certificates(List<Mount.Bind> value) {
        return new GuestNetwork(attachments, host, ipv6, names, value, other, ofHost);
    }

    /// Refuses a spec that joins other networks than these.
    /// @throws RefusedException NETWORK_REFUSED
    void requireAll(ContainerSpec spec) {
        int joined = switch (spec.network()) {
            case Network.None _, Network.OfContainer _, Network.Host _ -> 0;
            case Network.Joined of -> of.endpoints().size();
        };
        if (other.isPresent() != (spec.network() instanceof Network.OfContainer)) {
            throw new RefusedException(
                    "NETWORK_REFUSED",
                    "the network of another container is given to who asks for it alone: name it in the spec");
        }
        if (ofHost != (spec.network() instanceof Network.Host)) {
            throw new RefusedException(
                    "NETWORK_REFUSED",
                    "the network of the host is given to who asks for it alone: name it in the spec");
        }
        if (joined != attachments.size()) {
            throw new RefusedException(
                    "NETWORK_REFUSED",
                    "the container joins " + joined + " networks, and has a place on " + attachments.size()
                            + ": use a network that the engine has made");
        }
    }

    /// Returns the host name that was asked for, else that of the container whose network it shares.
    Optional<String> hostName(ContainerSpec spec) {
        return spec.hostName().or(() -> other.map(OtherNetwork::hostName));
    }

    /// Returns settings with which ping and low ports work without privileges, unless they are another's to set.
    Map<String, String> settings() {
        var all = new LinkedHashMap<String, String>();
        if (hasOwnStack()) {
            all.put("net.ipv4.ping_group_range", "0 " + (IdRange.WIDTH - 1));
            all.put("net.ipv4.ip_unprivileged_port_start", "0");
        }
        return all;
    }

    /// True if its network namespace is made for it.
    boolean hasOwnStack() {
        return other.isEmpty() && !ofHost;
    }

    List<Link> links() {
        return attachments.stream().map(Link::of).toList();
    }

    /// Returns the text of `/etc/hosts`: further hosts first, which win, then links, then the container itself.
    String hosts(ContainerSpec spec, String hostName) {
        Optional<String> known = other.flatMap(OtherNetwork::hosts);
        if (known.isPresent()) {
            return known.get();
        }
        var lines = new StringBuilder(LOCAL_HOSTS);
        for (ExtraHost extra : names(spec).hosts()) {
            lines.append(line(AddressText.of(extra.address()), List.of(extra.name())));
        }
        if (spec.network() instanceof Network.Joined joined) {
            lines.append(host(joined.hostServices().allNames()));
        }
        for (Attachment place : attachments) {
            place.links().forEach(link -> lines.append(lines(link)));
        }
        if (attachments.isEmpty()) {
            lines.append(line("127.0.0.1", List.of(hostName)));
        }
        for (Attachment place : attachments) {
            List<String> names = Stream.concat(Stream.of(hostName), place.aliases().stream())
                    .distinct()
                    .toList();
            Stream.of(place.ip4(), place.ip6())
                    .flatMap(address -> address.stream())
                    .forEach(address -> lines.append(line(AddressText.of(address.address()), names)));
        }
        return lines.toString();
    }

    /// Returns the lines of the host, by the gateway of the first network that leads out, else of the first.
    private String host(List<String> names) {
        return names.isEmpty()
                ? ""
                : attachments.stream()
                        .min(Comparator.comparing(Attachment::internal))
                        .map(place -> Stream.of(place.ip4(), place.ip6())
                                .flatMap(Optional::stream)
                                .map(address -> line(AddressText.of(address.gateway()), names))
                                .collect(Collectors.joining()))
                        .orElse("");
    }

    private static String lines(Attachment.Linked link) {
        List<String> names = Stream.of(link.alias(), link.container().shortForm(), link.name())
                .distinct()
                .toList();
        return Stream.of(link.ip4(), link.ip6())
                .flatMap(Optional::stream)
                .map(address -> line(AddressText.of(address), names))
                .collect(Collectors.joining());
    }

    private static String line(String address, List<String> names) {
        return address + "\t" + String.join(" ", names) + "\n";
    }

    /// Returns the text of `/etc/resolv.conf`; empty if the image's own is right.
    Optional<String> resolvers(ContainerSpec spec) {
        return attachments.isEmpty() && !ofHost ? other.flatMap(OtherNetwork::resolver) : Optional.of(resolver(spec));
    }

    /// Returns the text of `/etc/resolv.conf` of one that has places, or is in the host's network, where servers on
    /// loopback answer it, too.
    String resolver(ContainerSpec spec) {
        ResolverFile file = host.with(names(spec));
        return (names ? new ResolverFile(List.of(GuestMessages.RESOLVER), file.search(), file.options()) : file).text();
    }

    private static NameLookup names(ContainerSpec spec) {
        return switch (spec.network()) {
            case Network.None _, Network.OfContainer _ -> NameLookup.STANDARD;
            case Network.Host it -> it.names();
            case Network.Joined joined -> joined.names();
        };
    }

    /// Returns what waits for the links and sets them.
    List<Step> settledLinks(ContainerSpec spec) {
        var steps = new ArrayList<Step>();
        attachments.forEach(one -> steps.add(new Step.AwaitLink(one.guestIndex())));
        var settings = new LinkedHashMap<String, String>();
        if (ipv6) {
            attachments.forEach(place -> settings.putAll(sysctls(place)));
        }
        if (hasResolver() && !tracks(spec)) {
            settings.putAll(new TreeMap<>(GuestMessages.resolverTimes()));
        }
        settings.forEach((name, value) -> steps.add(new Step.SetSysctl(InRootPath.of(name), value)));
        return steps;
    }

    private boolean hasResolver() {
        return names && !attachments.isEmpty();
    }

    /// Returns settings of a link inside, by their paths below /proc/sys, if the kernel has IPv6. One without an IPv6
    /// address has none that it gave itself either, and none takes a router's word.
    public static Map<String, String> sysctls(Attachment place) {
        String of = "net/ipv6/conf/" + place.guestName() + "/";
        var all = new LinkedHashMap<String, String>();
        if (place.ip6().isEmpty()) {
            all.put(of + "disable_ipv6", "1");
        } else {
            all.put(of + "accept_ra", "0");
            all.put(of + "autoconf", "0");
            all.put(of + "accept_dad", "0"); // nobody else may have its addresses, and it waits for none
        }
        return all;
    }

    /// Returns the requests of rtnetlink(7) that set the links up from within, and the sockets of names.
    List<Step> requests(ContainerSpec spec) {
        if (attachments.isEmpty()) {
            return List.of();
        }
        var steps = new ArrayList<Step>();
        steps.add(NEIGHBORS);
        steps.add(new Step.Netlink(NetlinkProtocol.ROUTE, new NetlinkRequests(GuestMessages.links(attachments))));
        attachments.forEach(one -> steps.addAll(gateways(one)));
        if (hasResolver()) {
            steps.add(tracks(spec) ? TRACKING_REDIRECTION : REDIRECTION);
            steps.add(new Step.Resolver(RESOLVER_PORT, RESOLVER_PORT));
        }
        return steps;
    }

    /// Returns what makes sure that a link that was set up is of use.
    public static List<Step.AskGateway> gateways(Attachment place) {
        return Stream.of(place.ip4(), place.ip6())
                .flatMap(Optional::stream)
                .map(address -> new Step.AskGateway(place.guestIndex(), address.gateway()))
                .toList();
    }
}
