package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.filter.Sets;
import dev.caisson.network.nft.SetElement;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.Subnet;
import java.net.InetAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What the packet filter is given for a list of destinations: all that is on it, each port once, and no more.
class EgressElementsTest {
    private static final String SOURCE = "0ad00002";
    private static final String SOURCE_6 = "fd000001000000000000000000000002";

    private static Map<Sets.Place, List<SetElement>> elements(Egress egress) {
        ContainerId id = ContainerId.random();
        var place = new Attachment(
                id,
                "net",
                "0123456789abcdef".repeat(4),
                "cv0",
                "cn0",
                false,
                "eth0",
                2,
                MacAddress.parse("02:00:00:00:00:09"),
                1500,
                Optional.of(new Attachment.Address(
                        InetAddress.ofLiteral("10.208.0.2"),
                        Subnet.parse("10.208.0.0/22"),
                        InetAddress.ofLiteral("10.208.0.1"))),
                Optional.of(new Attachment.Address(
                        InetAddress.ofLiteral("fd00:1::2"),
                        Subnet.parse("fd00:1::/64"),
                        InetAddress.ofLiteral("fd00:1::1"))),
                false,
                List.of());
        return EgressElements.of(new ContainerNetworks(id, List.of(place), List.of(), egress));
    }

    private static byte[] key(String source, String target, int protocol, int port) {
        return HexFormat.of().parseHex("%s%s%02x000000%04x0000".formatted(source, target, protocol, port));
    }

    private static SetElement tcp(String first, String last, int firstPort, int lastPort) {
        return SetElement.range(key(SOURCE, first, 6, firstPort), key(SOURCE, last, 6, lastPort));
    }

    @Test
    void a_container_without_a_list_has_no_elements() {
        assertThat(elements(Egress.all())).isEmpty();
    }

    @Test
    void a_container_with_an_empty_list_is_limited_in_both_families() {
        Map<Sets.Place, List<SetElement>> none = elements(Egress.none());
        SetElement four = SetElement.of(HexFormat.of().parseHex(SOURCE));
        SetElement six = SetElement.of(HexFormat.of().parseHex(SOURCE_6));
        assertThat(none)
                .isEqualTo(Map.of(
                        Sets.LIMITED, List.of(four),
                        Sets.DENIED, List.of(four),
                        Sets.LIMITED6, List.of(six),
                        Sets.DENIED6, List.of(six)));
    }

    @Test
    void one_port_of_one_address_is_an_element_and_all_else_a_range() {
        Map<Sets.Place, List<SetElement>> all = elements(Egress.only(
                "192.0.2.129:443",
                "192.0.2.130:53/udp",
                "192.0.2.0/24:80",
                "192.0.2.131:1-2",
                "[2001:db8::9]:443",
                "[2001:db8::/127]:*/udp",
                "example.com:443"));
        assertThat(all.get(Sets.REACHED))
                .containsExactlyInAnyOrder(
                        SetElement.of(key(SOURCE, "c0000281", 6, 443)), SetElement.of(key(SOURCE, "c0000282", 17, 53)));
        assertThat(all.get(Sets.REACHED_RANGES))
                .containsExactlyInAnyOrder(tcp("c0000200", "c00002ff", 80, 80), tcp("c0000283", "c0000283", 1, 2));
        assertThat(all.get(Sets.REACHED6))
                .containsExactly(SetElement.of(key(SOURCE_6, "20010db8000000000000000000000009", 6, 443)));
        assertThat(all.get(Sets.REACHED_RANGES6))
                .containsExactly(SetElement.range(
                        key(SOURCE_6, "20010db8000000000000000000000000", 17, 1),
                        key(SOURCE_6, "20010db8000000000000000000000001", 17, 65535)));
    }

    /// The kernel refuses a set in which ranges overlap.
    @Test
    void ports_of_one_subnet_that_overlap_or_touch_are_one_range() {
        assertThat(elements(Egress.only(
                                "192.0.2.0/24:90-100",
                                "192.0.2.0/24:80-95",
                                "192.0.2.0/24:101-102",
                                "192.0.2.0/24:85",
                                "192.0.2.0/24:104"))
                        .get(Sets.REACHED_RANGES))
                .containsExactlyInAnyOrder(tcp("c0000200", "c00002ff", 80, 102), tcp("c0000200", "c00002ff", 104, 104));
    }

    @Test
    void a_subnet_has_the_ports_that_no_wider_one_around_it_has() {
        assertThat(elements(Egress.only(
                                "192.0.2.130:150-400",
                                "192.0.2.129:90-96",
                                "192.0.2.128/25:95-300",
                                "192.0.2.0/24:80-101",
                                "192.0.2.0/24:200",
                                "198.51.100.0/24:95-300"))
                        .get(Sets.REACHED_RANGES))
                .containsExactlyInAnyOrder(
                        tcp("c0000200", "c00002ff", 80, 101),
                        tcp("c0000200", "c00002ff", 200, 200),
                        tcp("c0000280", "c00002ff", 102, 199),
                        tcp("c0000280", "c00002ff", 201, 300),
                        tcp("c0000282", "c0000282", 301, 400),
                        tcp("c6336400", "c63364ff", 95, 300));
    }

    @Test
    void ports_are_left_out_to_the_last_one() {
        assertThat(elements(Egress.only("192.0.2.0/24:100-200", "192.0.2.0/25:99-201"))
                        .get(Sets.REACHED_RANGES))
                .containsExactlyInAnyOrder(
                        tcp("c0000200", "c00002ff", 100, 200),
                        tcp("c0000200", "c000027f", 99, 99),
                        tcp("c0000200", "c000027f", 201, 201));
        assertThat(elements(Egress.only("192.0.2.0/24:100-200", "192.0.2.0/25:90-100"))
                        .get(Sets.REACHED_RANGES))
                .containsExactlyInAnyOrder(tcp("c0000200", "c00002ff", 100, 200), tcp("c0000200", "c000027f", 90, 99));
        assertThat(elements(Egress.only("192.0.2.0/24:100-200", "192.0.2.0/25:100-200", "192.0.2.0/26:200-201"))
                        .get(Sets.REACHED_RANGES))
                .containsExactlyInAnyOrder(
                        tcp("c0000200", "c00002ff", 100, 200), tcp("c0000200", "c000023f", 201, 201));
    }

    @Test
    void ports_of_one_protocol_take_none_of_the_other_s() {
        assertThat(elements(Egress.only("192.0.2.0/24:53", "192.0.2.0/25:53/udp"))
                        .get(Sets.REACHED_RANGES))
                .containsExactlyInAnyOrder(
                        tcp("c0000200", "c00002ff", 53, 53),
                        SetElement.range(key(SOURCE, "c0000200", 17, 53), key(SOURCE, "c000027f", 17, 53)));
    }
}
