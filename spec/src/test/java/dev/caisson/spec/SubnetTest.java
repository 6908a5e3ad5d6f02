package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Subnets and the ports of addresses that are allowed or published.
class SubnetTest {
    private static InetAddress address(String text) {
        return InetAddress.ofLiteral(text);
    }

    @ParameterizedTest
    @CsvSource({
        "10.9.0.0/16, 10.9.0.0/16, true, true",
        "10.9.0.0/16, 10.9.128.0/17, true, true",
        "10.9.0.0/16, 10.0.0.0/8, false, true",
        "10.9.0.0/16, 10.8.0.0/16, false, false",
        "0.0.0.0/0, 10.9.0.0/16, true, true",
        "0.0.0.0/0, fd00::/8, false, false",
        "fd00::/8, fdff::/16, true, true",
        "fd00::/64, fd00::/63, false, true",
    })
    void a_subnet_has_those_that_are_no_wider(String one, String other, boolean contains, boolean overlaps) {
        assertThat(Subnet.parse(one).contains(Subnet.parse(other))).isEqualTo(contains);
        assertThat(Subnet.parse(one).overlaps(Subnet.parse(other))).isEqualTo(overlaps);
        assertThat(Subnet.parse(other).overlaps(Subnet.parse(one))).isEqualTo(overlaps);
    }

    @Test
    void its_addresses_are_counted_from_the_first() {
        Subnet subnet = Subnet.parse("10.9.0.128/25");
        assertThat(subnet.size()).isEqualTo(128);
        assertThat(subnet.address(BigInteger.ZERO)).isEqualTo(address("10.9.0.128"));
        assertThat(subnet.last()).isEqualTo(address("10.9.0.255"));
        assertThat(subnet.index(address("10.9.0.130"))).isEqualTo(2);
        assertThat(subnet.contains(address("10.9.0.127"))).isFalse();
        assertThat(subnet.contains(address("10.9.0.255"))).isTrue();
        assertThat(subnet.contains(address("10.9.1.0"))).isFalse();
        for (int none : new int[] {-1, 128}) {
            assertThatThrownBy(() -> subnet.address(BigInteger.valueOf(none))).isInstanceOf(ArgumentException.class);
        }
        assertThatThrownBy(() -> subnet.index(address("10.9.0.1"))).isInstanceOf(ArgumentException.class);
        assertThat(Subnet.around(address("10.9.77.3"), 20)).hasToString("10.9.64.0/20");
        assertThat(Subnet.parse("fd00::/64").last()).isEqualTo(address("fd00::ffff:ffff:ffff:ffff"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10.9.0.0",
                "10.9.0.0/",
                "10.9.0.0/33",
                "10.9.0.1/24",
                "fd00::/129",
                "fd00::1/64",
                "10.9.0.0/024",
                "a/8"
            })
    void what_is_no_subnet_is_refused(String text) {
        assertThatThrownBy(() -> Subnet.parse(text)).isInstanceOf(ArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.7, 80, TCP, true",
        "192.0.2.7, 90, TCP, true",
        "192.0.2.7, 79, TCP, false",
        "192.0.2.7, 91, TCP, false",
        "192.0.2.7, 80, UDP, false",
        "192.0.3.7, 80, TCP, false",
        "192.0.2.9, 53, UDP, true",
        "192.0.2.9, 53, TCP, false",
        "2001:db8::1, 80, TCP, false",
    })
    void a_list_allows_its_ports_of_its_addresses_and_no_others(
            String address, int port, Transport transport, boolean allowed) {
        Egress.Listed listed = Egress.only("192.0.2.0/24:80-90", "192.0.2.9:53/udp", "example.com:80");
        assertThat(listed.allows(address(address), port, transport)).isEqualTo(allowed);
        assertThat(listed.hasAddress(address("192.0.2.7"))).isTrue();
        assertThat(listed.hasAddress(address("192.0.3.7"))).isFalse();
    }

    @Test
    void a_published_port_is_one_of_65535() {
        var mapping = new PortMapping(Optional.empty(), 65535, 65535, Transport.TCP);
        assertThat(mapping).hasToString("0.0.0.0:65535->65535/tcp");
        assertThat(new PortMapping(Optional.empty(), 0, 1, Transport.UDP).inside())
                .isEqualTo(new ContainerPort(1, Transport.UDP));
        for (int host : new int[] {-1, 65536}) {
            assertThatThrownBy(() -> new PortMapping(Optional.empty(), host, 80, Transport.TCP))
                    .hasMessageContaining("host port " + host);
        }
        for (int inside : new int[] {0, -1, 65536}) {
            assertThatThrownBy(() -> new PortMapping(Optional.empty(), 80, inside, Transport.TCP))
                    .hasMessageContaining("container port " + inside);
        }
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, true", "127.9.9.9, true", "::1, true", "0.0.0.0, false", "::, false", "10.9.0.1, false"})
    void only_a_port_of_loopback_is_one_that_nobody_else_reaches(String address, boolean isLoopback) {
        assertThat(new PortMapping(Optional.of(address(address)), 80, 80, Transport.TCP).isLoopback())
                .isEqualTo(isLoopback);
        assertThat(new PortMapping(Optional.empty(), 80, 80, Transport.TCP).isLoopback())
                .isFalse();
    }
}
