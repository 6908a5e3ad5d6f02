package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.net.InetAddress;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// A network to be made, on which containers reach each other as machines do on one switch.
///
/// @param pools at most one of each family; a family without one gets a free subnet
/// @param internal true for one without a way out
/// @param ipv6 true for addresses of both families
/// @param betweenContainers false lets its containers reach each other by links alone, Docker's `icc`
/// @param mtu largest packet in bytes; 0 for 1500
public record NetworkSpec(
        String name,
        List<Pool> pools,
        boolean internal,
        boolean ipv6,
        boolean betweenContainers,
        int mtu,
        Map<String, String> labels) {
    /// The addresses of one family.
    ///
    /// @param range where addresses of containers are chosen from; empty for the whole subnet
    /// @param gateway the host's address on the network; empty for the first
    public record Pool(Subnet subnet, Optional<Subnet> range, Optional<InetAddress> gateway) {
        private static final int SMALLEST_4 = 30;
        private static final int SMALLEST_6 = 126;

        public Pool {
            present(subnet, "subnet");
            int smallest = subnet.isIpv6() ? SMALLEST_6 : SMALLEST_4;
            if (subnet.prefix() > smallest) {
                throw ArgumentException.invalid(
                        "subnet " + subnet + " has no room for containers: use a prefix of at most /" + smallest);
            }
            if (present(range, "range").isPresent() && !subnet.contains(range.get())) {
                throw ArgumentException.invalid(
                        "address range " + range.get() + " is not within subnet " + subnet + ": choose one that is");
            }
            if (present(gateway, "gateway").isPresent() && !isUsable(subnet, gateway.get())) {
                throw ArgumentException.invalid("gateway " + AddressText.of(gateway.get())
                        + " is not an address for a machine in subnet " + subnet + ": choose one that is");
            }
        }

        /// True for an address that a machine in the subnet may have: neither the first nor, with IPv4, the last.
        public static boolean isUsable(Subnet subnet, InetAddress address) {
            return subnet.contains(address)
                    && !address.equals(subnet.base())
                    && (subnet.isIpv6() || !address.equals(subnet.last()));
        }
    }

    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");
    private static final int STANDARD_MTU = 1500;
    private static final int SMALLEST_MTU = 68;
    private static final int SMALLEST_MTU_6 = 1280;
    private static final int LARGEST_MTU = 65535;

    public NetworkSpec {
        if (!NAME.matcher(present(name, "name")).matches()) {
            throw ArgumentException.invalid("network name " + Quoted.of(name)
                    + " is not valid: begin with a letter or digit, then use letters, digits, _ . and -, at most 128");
        }
        if (name.endsWith(".") || name.contains("..")) {
            throw ArgumentException.invalid("network name \"" + name
                    + "\" cannot stand behind the name of a container: use single dots, and none at the end");
        }
        pools = More.copy(pools, "pools");
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(present(labels, "labels")));
        requireOneOfEach(pools, ipv6);
        mtu = mtu == 0 ? STANDARD_MTU : mtu;
        int smallest = ipv6 ? SMALLEST_MTU_6 : SMALLEST_MTU;
        if (mtu < smallest || mtu > LARGEST_MTU) {
            throw ArgumentException.invalid("mtu " + mtu + " is not between " + smallest + " and " + LARGEST_MTU);
        }
    }

    /// A network of this name with defaults: IPv4, a way out, containers reach each other.
    public static NetworkSpec of(String name) {
        return new NetworkSpec(name, List.of(), false, false, true, 0, Map.of());
    }

    private static void requireOneOfEach(List<Pool> pools, boolean ipv6) {
        long six = pools.stream().filter(pool -> pool.subnet().isIpv6()).count();
        if (six > 1 || pools.size() - six > 1) {
            throw ArgumentException.invalid("a network has one subnet of each family: name at most one of each");
        }
        if (six == 1 && !ipv6) {
            throw ArgumentException.invalid("an IPv6 subnet needs a network with IPv6: add --ipv6");
        }
    }

    /// Returns the pool of a family, if it was named.
    public Optional<Pool> pool(boolean six) {
        return pools.stream().filter(pool -> pool.subnet().isIpv6() == six).findFirst();
    }
}
