package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A container's place on a network: what is empty is chosen.
///
/// @param network name of the network, or the beginning of its id
/// @param aliases further names by which containers of the network find it
/// @param links containers of the network that it reaches by names of its own, also where containers do not reach each
///     other
public record NetworkEndpoint(
        String network,
        Optional<Inet4Address> ip4,
        Optional<Inet6Address> ip6,
        Optional<MacAddress> mac,
        List<String> aliases,
        List<ContainerLink> links) {
    private static final int MOST_ALIASES = 64;
    private static final int MOST_LINKS = 64;

    public NetworkEndpoint {
        present(network, "network");
        present(ip4, "ip4");
        present(ip6, "ip6");
        present(mac, "mac");
        aliases = More.copy(aliases, "aliases");
        for (String alias : aliases) {
            if (!HostNames.canBeAskedFor(alias)) {
                throw ArgumentException.invalid("network alias " + Quoted.of(alias)
                        + " is not a host name: use letters, digits, hyphens and underscores, with single dots"
                        + " between parts of at most 63, and at most 253 in all");
            }
        }
        if (aliases.size() > MOST_ALIASES) {
            throw ArgumentException.invalid(
                    aliases.size() + " network aliases are too many: use at most " + MOST_ALIASES);
        }
        links = More.copy(links, "links");
        if (links.size() > MOST_LINKS) {
            throw ArgumentException.invalid(links.size() + " links are too many: use at most " + MOST_LINKS);
        }
        var seen = new HashSet<String>();
        for (ContainerLink link : links) {
            if (!seen.add(link.alias().toLowerCase(Locale.ROOT))) {
                throw ArgumentException.invalid(
                        "link alias " + link.alias() + " is given twice: give each container an alias of its own");
            }
        }
    }

    /// A place without links.
    public NetworkEndpoint(
            String network,
            Optional<Inet4Address> ip4,
            Optional<Inet6Address> ip6,
            Optional<MacAddress> mac,
            List<String> aliases) {
        this(network, ip4, ip6, mac, aliases, List.of());
    }

    /// A place where all is chosen.
    public static NetworkEndpoint on(String network) {
        return new NetworkEndpoint(network, Optional.empty(), Optional.empty(), Optional.empty(), List.of());
    }

    /// Reads `NETWORK`, `NETWORK:ip=…,alias=…` or Docker's `name=NETWORK,ip=…,alias=…`. The keys are `ip`, `ip6`, `mac`
    /// (or `mac-address`), `alias` and `link`; the last two may stand several times.
    public static NetworkEndpoint parse(String text) {
        int colon = present(text, "text").indexOf(':');
        int equals = text.indexOf('=');
        boolean named = equals >= 0 && (colon < 0 || equals < colon);
        String network = named || colon < 0 ? text : text.substring(0, colon);
        String options = named ? text : colon < 0 ? "" : text.substring(colon + 1);
        var place = on(named ? "" : network);
        for (String option : options.isEmpty() ? List.<String>of() : List.of(options.split(",", -1))) {
            int end = option.indexOf('=');
            if (end <= 0) {
                throw ArgumentException.invalid(
                        Quoted.of(option) + " of network " + text + " is not an option: write it as ip=172.20.0.7");
            }
            place = place.with(option.substring(0, end), option.substring(end + 1), text);
        }
        if (place.network().isEmpty()) {
            throw ArgumentException.invalid(Quoted.of(text) + " names no network: write NETWORK[:ip=…,alias=…]");
        }
        return place;
    }

    private NetworkEndpoint with(String key, String value, String text) {
        return switch (key) {
            case "name" -> network(value);
            case "ip" -> ip(value);
            case "ip6" -> ip6(value);
            case "mac", "mac-address" -> mac(MacAddress.parse(value));
            case "alias" -> alias(value);
            case "link" -> link(ContainerLink.parse(value));
            default ->
                throw ArgumentException.invalid(Quoted.of(key) + " is not an option of a network, in " + text
                        + ": use ip, ip6, mac, alias and link");
        };
    }

    /// The same place on another network.
    public NetworkEndpoint network(String name) {
        return new NetworkEndpoint(name, ip4, ip6, mac, aliases, links);
    }

    /// Asks for an IPv4 address.
    public NetworkEndpoint ip(String address) {
        if (AddressText.parse(present(address, "address")).orElse(null) instanceof Inet4Address four) {
            return new NetworkEndpoint(network, Optional.of(four), ip6, mac, aliases, links);
        }
        throw ArgumentException.invalid(Quoted.of(address) + " is not an IPv4 address: write one as 172.20.0.7");
    }

    /// Asks for an IPv6 address.
    public NetworkEndpoint ip6(String address) {
        if (AddressText.parse(present(address, "address")).orElse(null) instanceof Inet6Address six) {
            return new NetworkEndpoint(network, ip4, Optional.of(six), mac, aliases, links);
        }
        throw ArgumentException.invalid(Quoted.of(address) + " is not an IPv6 address: write one as fd00:20::7");
    }

    /// Reaches these containers by names of its own, and no others.
    public NetworkEndpoint links(List<ContainerLink> value) {
        return new NetworkEndpoint(network, ip4, ip6, mac, aliases, value);
    }

    public NetworkEndpoint mac(MacAddress address) {
        return new NetworkEndpoint(network, ip4, ip6, Optional.of(present(address, "address")), aliases, links);
    }

    /// Adds a name by which containers of the network find it.
    public NetworkEndpoint alias(String name) {
        return new NetworkEndpoint(network, ip4, ip6, mac, More.plus(aliases, name), links);
    }

    /// Adds a container of the network that it reaches by a name of its own.
    public NetworkEndpoint link(ContainerLink link) {
        return new NetworkEndpoint(network, ip4, ip6, mac, aliases, More.plus(links, link));
    }
}
