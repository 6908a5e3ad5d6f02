package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// A container's place on a network: what is empty is chosen.
///
/// @param network name of the network, or the beginning of its id
/// @param aliases further names by which containers of the network find it
public record NetworkEndpoint(
        String network,
        Optional<Inet4Address> ip4,
        Optional<Inet6Address> ip6,
        Optional<MacAddress> mac,
        List<String> aliases) {
    private static final Pattern HOST_NAME = Pattern.compile("(?i)[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?");
    private static final int MOST_ALIASES = 64;

    public NetworkEndpoint {
        present(network, "network");
        present(ip4, "ip4");
        present(ip6, "ip6");
        present(mac, "mac");
        aliases = More.copy(aliases, "aliases");
        for (String alias : aliases) {
            if (!HOST_NAME.matcher(alias).matches()) {
                throw ArgumentException.invalid("network alias \"" + alias
                        + "\" is not a host name: use letters, digits, dots, hyphens and underscores");
            }
        }
        if (aliases.size() > MOST_ALIASES) {
            throw ArgumentException.invalid(
                    aliases.size() + " network aliases are too many: use at most " + MOST_ALIASES);
        }
    }

    /// A place where all is chosen.
    public static NetworkEndpoint on(String network) {
        return new NetworkEndpoint(network, Optional.empty(), Optional.empty(), Optional.empty(), List.of());
    }
}
