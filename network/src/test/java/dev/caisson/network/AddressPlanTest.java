package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.Subnet;
import java.math.BigInteger;
import java.net.InetAddress;
import java.time.Instant;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Subnets and addresses that nobody has yet, or none.
class AddressPlanTest {
    private static final String ID = "0123456789abcdef".repeat(4);

    private static NetworkInfo network(String subnet, Optional<String> range, Optional<String> gateway) {
        var pool = new NetworkSpec.Pool(
                Subnet.parse(subnet), range.map(Subnet::parse), gateway.map(InetAddress::ofLiteral));
        return new NetworkInfo(
                ID, "net", Instant.EPOCH, List.of(pool), false, subnet.contains(":"), true, 1500, Map.of());
    }

    private static InetAddress address(String text) {
        return InetAddress.ofLiteral(text);
    }

    private static String chosen(NetworkInfo network, Set<InetAddress> used) {
        return AddressPlan.address(network, network.ipv6(), Optional.empty(), used)
                .getHostAddress();
    }

    private static void assertRefused(Code code, NetworkInfo network, Optional<String> wanted, Set<InetAddress> used) {
        var refused = catchThrowableOfType(
                NetworkException.class,
                () -> AddressPlan.address(network, network.ipv6(), wanted.map(InetAddress::ofLiteral), used));
        assertThat(refused).isNotNull();
        assertThat(refused.code()).isEqualTo(code.name());
        assertThat(refused.sentence()).contains("network net");
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0/1, 0.0.0.0/8",
        "127.3.0.0/24, 127.0.0.0/8",
        "169.254.0.0/16, 169.254.0.0/16",
        "224.0.0.0/24, 224.0.0.0/3",
        "240.0.0.0/8, 224.0.0.0/3",
        "::/64, ::/96",
        "fe80::/64, fe80::/10",
        "ff05::/64, ff00::/8",
    })
    void a_network_of_addresses_that_no_machine_has_is_refused(String subnet, String range) {
        var refused =
                catchThrowableOfType(NetworkException.class, () -> AddressPlan.requireOfMachines(Subnet.parse(subnet)));

        assertThat(refused.code()).isEqualTo("NETWORK_REFUSED");
        assertThat(refused.sentence()).contains("overlaps " + range);
    }

    @ParameterizedTest
    @CsvSource({"10.9.0.0/24", "192.168.0.0/16", "100.64.0.0/10", "8.8.8.0/24", "fd00:9::/64", "2001:db8::/64"})
    void all_others_are_taken(String subnet) {
        AddressPlan.requireOfMachines(Subnet.parse(subnet));
    }

    private static Set<InetAddress> allBut(InetAddress free) {
        return new AbstractSet<>() {
            @Override
            public boolean contains(Object address) {
                return !free.equals(address);
            }

            @Override
            public Iterator<InetAddress> iterator() {
                throw new UnsupportedOperationException();
            }

            @Override
            public int size() {
                return Integer.MAX_VALUE;
            }
        };
    }

    @Test
    void the_first_subnet_is_chosen_that_overlaps_no_other() {
        assertThat(AddressPlan.freeSubnet(List.of())).hasToString("172.28.0.0/22");
        assertThat(AddressPlan.freeSubnet(List.of(Subnet.parse("172.28.0.0/24"))))
                .hasToString("172.28.4.0/22");
        assertThat(AddressPlan.freeSubnet(List.of(Subnet.parse("172.28.3.255/32"), Subnet.parse("172.28.4.0/32"))))
                .hasToString("172.28.8.0/22");
        assertThat(AddressPlan.freeSubnet(List.of(Subnet.parse("172.28.0.0/16"))))
                .hasToString("172.29.0.0/22");
        assertThat(AddressPlan.freeSubnet(List.of(Subnet.parse("172.28.0.0/15"))))
                .hasToString("172.30.0.0/22");
        assertThat(AddressPlan.freeSubnet(List.of(Subnet.parse("172.16.0.0/12"))))
                .hasToString("10.208.0.0/22");
    }

    @Test
    void all_subnets_are_used_before_none_is_left() {
        var taken = new ArrayList<>(List.of(Subnet.parse("172.16.0.0/12"), Subnet.parse("10.208.0.0/13")));
        taken.add(Subnet.parse("10.216.0.0/14"));
        taken.add(Subnet.parse("10.220.0.0/15"));
        taken.add(Subnet.parse("10.222.0.0/16"));
        taken.add(Subnet.parse("10.223.0.0/17"));
        for (int i = 128; i < 252; i += 4) {
            taken.add(Subnet.parse("10.223." + i + ".0/22"));
        }
        assertThat(AddressPlan.freeSubnet(taken)).hasToString("10.223.252.0/22");
        taken.add(Subnet.parse("10.223.252.0/22"));
        var refused = catchThrowableOfType(NetworkException.class, () -> AddressPlan.freeSubnet(taken));
        assertThat(refused.code()).isEqualTo("NO_SUBNET_LEFT");
    }

    @Test
    void a_subnet_of_ipv6_has_56_bits_of_the_network_s_id() {
        assertThat(AddressPlan.subnet6(ID)).hasToString("fd01:2345:6789:abcd::/64");
        assertThat(AddressPlan.firstOf(AddressPlan.subnet6(ID))).isEqualTo(address("fd01:2345:6789:abcd::1"));
    }

    @ParameterizedTest
    @CsvSource({
        "10.9.0.0/24, 10.9.0.1, 10.9.0.2",
        "10.9.0.0/24, 10.9.0.254, 10.9.0.1",
        "10.9.0.0/24, , 10.9.0.1",
        "fd00:1::/64, fd00:1::1, fd00:1:0:0:0:0:0:2",
        "fd00:1::/64, , fd00:1:0:0:0:0:0:1",
    })
    void the_first_address_is_chosen_that_is_no_network_s_and_no_gateway_s(
            String subnet, String gateway, String expected) {
        NetworkInfo network = network(subnet, Optional.empty(), Optional.ofNullable(gateway));
        assertThat(chosen(network, Set.of())).isEqualTo(expected);
        assertThat(chosen(network, Set.of(address(expected)))).isNotEqualTo(expected);
    }

    @Test
    void each_address_of_a_network_is_given_once_and_then_none() {
        NetworkInfo network = network("10.9.0.0/28", Optional.empty(), Optional.of("10.9.0.1"));
        var used = new HashSet<InetAddress>();
        for (int i = 2; i <= 14; i++) {
            String next = chosen(network, used);
            assertThat(next).isEqualTo("10.9.0." + i);
            used.add(address(next));
        }
        assertRefused(Code.NO_ADDRESS_LEFT, network, Optional.empty(), used);
    }

    @Test
    void addresses_are_chosen_from_the_range_alone() {
        NetworkInfo network = network("10.9.0.0/24", Optional.of("10.9.0.128/30"), Optional.of("10.9.0.129"));
        assertThat(chosen(network, Set.of())).isEqualTo("10.9.0.128");
        assertThat(chosen(network, Set.of(address("10.9.0.128")))).isEqualTo("10.9.0.130");
        assertThat(chosen(network, Set.of(address("10.9.0.128"), address("10.9.0.130"))))
                .isEqualTo("10.9.0.131");
        assertRefused(
                Code.NO_ADDRESS_LEFT,
                network,
                Optional.empty(),
                Set.of(address("10.9.0.128"), address("10.9.0.130"), address("10.9.0.131")));
    }

    @Test
    void an_address_that_was_asked_for_is_given_if_nobody_has_it() {
        NetworkInfo network = network("10.9.0.0/24", Optional.of("10.9.0.128/30"), Optional.of("10.9.0.1"));
        Optional<InetAddress> wanted = Optional.of(address("10.9.0.7"));
        assertThat(AddressPlan.address(network, false, wanted, Set.of(address("10.9.0.8"))))
                .isEqualTo(address("10.9.0.7"));
        assertRefused(Code.ADDRESS_TAKEN, network, Optional.of("10.9.0.7"), Set.of(address("10.9.0.7")));
        assertRefused(Code.ADDRESS_TAKEN, network, Optional.of("10.9.0.1"), Set.of());
        for (String none : new String[] {"10.9.0.0", "10.9.0.255", "10.9.1.1", "10.8.255.255"}) {
            assertRefused(Code.ADDRESS_REFUSED, network, Optional.of(none), Set.of());
        }
    }

    /// Beyond a million addresses nobody looks for one that is free.
    @Test
    void the_search_for_an_address_is_bounded() {
        NetworkInfo network = network("fd00:1::/64", Optional.empty(), Optional.empty());
        Subnet subnet = Subnet.parse("fd00:1::/64");
        InetAddress last = subnet.address(BigInteger.valueOf((1 << 20) - 1));
        assertThat(AddressPlan.address(network, true, Optional.empty(), allBut(last)))
                .isEqualTo(last);
        InetAddress next = subnet.address(BigInteger.valueOf(1 << 20));
        assertRefused(Code.NO_ADDRESS_LEFT, network, Optional.empty(), allBut(next));
    }
}
