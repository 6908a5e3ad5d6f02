package dev.caisson.network;

import dev.caisson.spec.Subnet;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;

/// Addresses that no name may open: a server of somebody else's that answers with one of them would have the container
/// knock at doors of the host or its neighbors. RFC 6890 and its registries, but for the ranges of documentation.
final class SpecialAddresses {
    private static final List<Subnet> RANGES = List.of(
            subnet("0.0.0.0/8"),
            subnet("10.0.0.0/8"),
            subnet("100.64.0.0/10"),
            subnet("127.0.0.0/8"),
            subnet("169.254.0.0/16"),
            subnet("172.16.0.0/12"),
            subnet("192.0.0.0/24"),
            subnet("192.168.0.0/16"),
            subnet("198.18.0.0/15"),
            subnet("224.0.0.0/3"),
            subnet("100::/63"),
            subnet("2001::/23"),
            subnet("5f00::/16"),
            subnet("fc00::/7"),
            subnet("fe80::/9"),
            subnet("ff00::/8"));
    /// IPv6 addresses that stand for an IPv4 address. They are the only ones of [#RESERVED] that lead anywhere outside.
    private static final Subnet TRANSLATED = subnet("64:ff9b::/96");

    private static final Subnet RESERVED = subnet("::/8");
    private static final Subnet TUNNELED = subnet("2002::/16");

    private SpecialAddresses() {}

    private static Subnet subnet(String text) {
        return Subnet.parse(text);
    }

    static boolean contain(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (TRANSLATED.contains(address)) {
            return contain(inner(bytes, 12));
        }
        if (RESERVED.contains(address) || RANGES.stream().anyMatch(range -> range.contains(address))) {
            return true;
        }
        return TUNNELED.contains(address) && contain(inner(bytes, 2));
    }

    private static InetAddress inner(byte[] bytes, int from) {
        try {
            return InetAddress.getByAddress(Arrays.copyOfRange(bytes, from, from + 4));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an address", e);
        }
    }
}
