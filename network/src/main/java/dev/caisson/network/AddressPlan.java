package dev.caisson.network;

import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.Subnet;
import dev.caisson.text.AddressText;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Chooses subnets of networks and addresses of containers.
final class AddressPlan {
    /// Where subnets are chosen from. A network has as many addresses as its bridge has ports, about.
    private static final List<Subnet> POOLS =
            List.of(Subnet.parse("172.28.0.0/15"), Subnet.parse("172.30.0.0/16"), Subnet.parse("10.208.0.0/12"));

    /// Addresses that no machine on a network has: unspecified, loopback, link-local, multicast and reserved ones (RFC
    /// 6890).
    private static final List<Subnet> OF_NO_MACHINE = List.of(
            Subnet.parse("0.0.0.0/8"),
            Subnet.parse("127.0.0.0/8"),
            Subnet.parse("169.254.0.0/16"),
            Subnet.parse("224.0.0.0/3"),
            Subnet.parse("::/96"),
            Subnet.parse("fe80::/10"),
            Subnet.parse("ff00::/8"));

    private static final int CHOSEN_PREFIX = 22;
    private static final int CHOSEN_PREFIX_6 = 64;
    /// Digits of a network's id that its IPv6 subnet has: 40 bits as RFC 4193 says, and 16 for the subnet.
    private static final int DIGITS_6 = 14;
    /// Addresses of IPv6 that are tried.
    private static final int MOST_TRIED = 1 << 20;

    private AddressPlan() {}

    /// Returns a free subnet of IPv4.
    /// @param taken those of networks and of the host
    static Subnet freeSubnet(List<Subnet> taken) {
        BigInteger size = BigInteger.ONE.shiftLeft(32 - CHOSEN_PREFIX);
        for (Subnet pool : POOLS) {
            int count = 1 << (CHOSEN_PREFIX - pool.prefix());
            for (int i = 0; i < count; i++) {
                var candidate = new Subnet(pool.address(size.multiply(BigInteger.valueOf(i))), CHOSEN_PREFIX);
                if (taken.stream().noneMatch(candidate::overlaps)) {
                    return candidate;
                }
            }
        }
        throw new NetworkException(
                Code.NO_SUBNET_LEFT, "no free subnet is left: remove a network, or name one with --subnet");
    }

    /// Refuses a subnet with addresses that no container can have.
    static void requireOfMachines(Subnet subnet) {
        OF_NO_MACHINE.stream().filter(subnet::overlaps).findFirst().ifPresent(range -> {
            throw new NetworkException(
                    Code.NETWORK_REFUSED,
                    "subnet " + subnet + " overlaps " + range + ", whose addresses no machine has: choose another, as "
                            + (subnet.isIpv6() ? "fd00:9::/64" : "10.9.0.0/24"));
        });
    }

    /// Returns the unique local subnet of a network, RFC 4193: the id is random.
    static Subnet subnet6(String networkId) {
        var text = new StringBuilder();
        String digits = "fd" + networkId.substring(0, DIGITS_6);
        for (int i = 0; i < digits.length(); i += 4) {
            text.append(digits, i, i + 4).append(':');
        }
        return Subnet.parse(text + ":/" + CHOSEN_PREFIX_6);
    }

    /// Returns the first address of a subnet that a machine may have.
    static InetAddress firstOf(Subnet subnet) {
        return subnet.address(BigInteger.ONE);
    }

    /// Chooses an address for a container, or checks the one that was asked for.
    ///
    /// @param used those of other containers of the network
    static InetAddress address(NetworkInfo network, boolean six, Optional<InetAddress> wanted, Set<InetAddress> used) {
        NetworkSpec.Pool pool = network.pool(six).orElseThrow();
        return wanted.map(address -> checked(network, pool, address, used)).orElseGet(() -> free(network, pool, used));
    }

    private static InetAddress checked(
            NetworkInfo network, NetworkSpec.Pool pool, InetAddress address, Set<InetAddress> used) {
        if (!NetworkSpec.Pool.isUsable(pool.subnet(), address)) {
            throw new NetworkException(
                    Code.ADDRESS_REFUSED,
                    "address " + AddressText.of(address) + " is not one for a container in subnet " + pool.subnet()
                            + " of network " + network.name() + ": choose one that is");
        }
        if (used.contains(address) || pool.gateway().filter(address::equals).isPresent()) {
            throw new NetworkException(
                    Code.ADDRESS_TAKEN,
                    "address " + AddressText.of(address) + " of network " + network.name()
                            + " is in use: choose another, or none");
        }
        return address;
    }

    private static InetAddress free(NetworkInfo network, NetworkSpec.Pool pool, Set<InetAddress> used) {
        Subnet range = pool.range().orElse(pool.subnet());
        int most = range.size().min(BigInteger.valueOf(MOST_TRIED)).intValueExact();
        InetAddress candidate = range.base();
        for (int i = 0; i < most; i++) {
            if (!used.contains(candidate)
                    && NetworkSpec.Pool.isUsable(pool.subnet(), candidate)
                    && pool.gateway().filter(candidate::equals).isEmpty()) {
                return candidate;
            }
            candidate = next(candidate);
        }
        throw new NetworkException(
                Code.NO_ADDRESS_LEFT,
                "network " + network.name() + " has no free address in " + range
                        + ": remove a container, or make a network with a larger subnet");
    }

    private static InetAddress next(InetAddress address) {
        byte[] bytes = address.getAddress();
        for (int i = bytes.length - 1; i >= 0 && ++bytes[i] == 0; i--) {
            // carried to the byte before
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an address", e);
        }
    }
}
