package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Networks and their subnets, ranges and gateways.
class NetworkSpecTest {
    private static NetworkSpec.Pool pool(String subnet, @Nullable String range, @Nullable String gateway) {
        return new NetworkSpec.Pool(
                Subnet.parse(subnet),
                Optional.ofNullable(range).map(Subnet::parse),
                Optional.ofNullable(gateway).map(InetAddress::ofLiteral));
    }

    private static NetworkSpec network(boolean ipv6, int mtu, NetworkSpec.Pool... pools) {
        return new NetworkSpec("net", List.of(pools), false, ipv6, true, mtu, Map.of());
    }

    /// Containers are found by their names with that of the network behind them.
    @ParameterizedTest
    @ValueSource(strings = {"x..y", "net.", "x.."})
    void a_name_that_cannot_stand_behind_others_is_refused(String name) {
        assertThatThrownBy(() -> NetworkSpec.of(name))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining("\"" + name + "\" cannot stand behind the name of a container: use");
    }

    @ParameterizedTest
    @CsvSource({
        "10.9.0.0/30, , ",
        "10.9.0.0/24, 10.9.0.0/24, 10.9.0.1",
        "10.9.0.0/24, 10.9.0.128/25, 10.9.0.254",
        "fd00::/126, , ",
        "fd00::/64, fd00::/96, fd00::ffff:ffff:ffff:ffff",
    })
    void a_range_and_a_gateway_are_of_the_subnet(String subnet, String range, String gateway) {
        assertThat(pool(subnet, range, gateway).subnet()).hasToString(subnet);
    }

    @ParameterizedTest
    @CsvSource({
        "10.9.0.0/31, , , no room",
        "10.9.0.0/32, , , no room",
        "fd00::/127, , , no room",
        "10.9.0.0/24, 10.9.0.0/23, , not within",
        "10.9.0.0/24, 10.9.1.0/25, , not within",
        "10.9.0.0/24, fd00::/96, , not within",
        "10.9.0.0/24, , 10.9.0.0, not an address for a machine",
        "10.9.0.0/24, , 10.9.0.255, not an address for a machine",
        "10.9.0.0/24, , 10.9.1.1, not an address for a machine",
        "fd00::/64, , fd00::, not an address for a machine",
        "10.9.0.0/24, , fd00::1, not an address for a machine",
    })
    void what_is_not_of_the_subnet_is_refused(String subnet, String range, String gateway, String part) {
        assertThatThrownBy(() -> pool(subnet, range, gateway))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining(part);
    }

    @Test
    void a_network_has_one_subnet_of_each_family() {
        NetworkSpec.Pool four = pool("10.9.0.0/24", null, null);
        NetworkSpec.Pool six = pool("fd00::/64", null, null);
        NetworkSpec both = network(true, 0, six, four);
        assertThat(both.pool(true)).contains(six);
        assertThat(both.pool(false)).contains(four);
        assertThat(network(false, 0).pool(false)).isEmpty();
        assertThatThrownBy(() -> network(false, 0, four, pool("10.8.0.0/24", null, null)))
                .hasMessageContaining("one subnet of each family");
        assertThatThrownBy(() -> network(true, 0, six, pool("fd01::/64", null, null)))
                .hasMessageContaining("one subnet of each family");
        assertThatThrownBy(() -> network(false, 0, six)).hasMessageContaining("add --ipv6");
    }

    @Test
    void a_packet_is_as_large_as_its_family_needs() {
        assertThat(network(false, 0).mtu()).isEqualTo(1500);
        assertThat(network(false, 68).mtu()).isEqualTo(68);
        assertThat(network(true, 1280).mtu()).isEqualTo(1280);
        assertThat(network(true, 65535).mtu()).isEqualTo(65535);
        for (int mtu : new int[] {67, 65536, -1}) {
            assertThatThrownBy(() -> network(false, mtu)).hasMessageContaining("is not between 68 and 65535");
        }
        assertThatThrownBy(() -> network(true, 1279)).hasMessageContaining("is not between 1280 and 65535");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-a", ".a", "_a", "a b", "a/b", "a:b", "\u00e4"})
    void what_is_no_name_is_refused(String name) {
        assertThatThrownBy(() -> NetworkSpec.of(name)).hasMessageContaining("is not valid");
        assertThat(NetworkSpec.of("a".repeat(128)).name()).hasSize(128);
        assertThatThrownBy(() -> NetworkSpec.of("a".repeat(129))).hasMessageContaining("is not valid");
    }
}
