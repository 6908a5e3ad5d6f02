package dev.caisson.network;

import dev.caisson.spec.MacAddress;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.Subnet;
import java.net.InetAddress;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A network as it is recorded.
///
/// @param id 64 hexadecimal digits
/// @param pools the addresses of each family that it has, with their gateways
/// @param internal true if no route leads out
/// @param betweenContainers false if its containers cannot reach each other, Docker's `icc`
public record NetworkInfo(
        String id,
        String name,
        Instant created,
        List<NetworkSpec.Pool> pools,
        boolean internal,
        boolean ipv6,
        boolean betweenContainers,
        int mtu,
        Map<String, String> labels) {
    private static final int SHORT = 12;
    private static final int ID_IN_BRIDGE = 10;
    private static final int PREFIX_OF_OUR_CARDS = 0x02;

    public NetworkInfo {
        pools = List.copyOf(pools);
    }

    public String shortId() {
        return id.substring(0, SHORT);
    }

    /// Returns the name of its bridge on the host.
    public String bridge() {
        return "cn" + id.substring(0, ID_IN_BRIDGE);
    }

    /// Returns the hardware address of its bridge, the same whenever the bridge is made again.
    MacAddress bridgeMac() {
        byte[] mac = HexFormat.of().parseHex("00" + id.substring(0, ID_IN_BRIDGE));
        mac[0] = PREFIX_OF_OUR_CARDS;
        return MacAddress.of(mac);
    }

    /// Returns the addresses of a family, if it has that.
    public Optional<NetworkSpec.Pool> pool(boolean six) {
        return pools.stream().filter(pool -> pool.subnet().isIpv6() == six).findFirst();
    }

    Optional<Subnet> subnet(boolean six) {
        return pool(six).map(NetworkSpec.Pool::subnet);
    }

    /// Returns the host's address on the network.
    public Optional<InetAddress> gateway(boolean six) {
        return pool(six).flatMap(NetworkSpec.Pool::gateway);
    }
}
