package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a denied packet says of itself, which its sender has chosen byte by byte.
class PacketHeadTest {
    private static final String ADDRESSES = "0ad00002" + "c0000281";
    private static final String PORTS = "9c40" + "01bb" + "00000000";

    private static Optional<PacketHead> read(String hex) {
        return PacketHead.read(HexFormat.of().parseHex(hex));
    }

    /// @param first version and length of the header in words
    private static String four(String first, String fragment, String protocol) {
        return first + "00" + "0030" + "0000" + fragment + "40" + protocol + "0000" + ADDRESSES;
    }

    @ParameterizedTest
    @CsvSource({"06, tcp, 443", "11, udp, 443", "01, icmp, 0", "3a, icmpv6, 0", "2f, 47, 0", "ff, 255, 0"})
    void a_packet_of_ipv4_has_its_target_and_where_there_is_one_its_port(String protocol, String name, int port) {
        assertThat(read(four("45", "0000", protocol) + PORTS))
                .contains(new PacketHead(
                        InetAddress.ofLiteral("10.208.0.2"), InetAddress.ofLiteral("192.0.2.129"), port, name));
    }

    @Test
    void the_port_stands_behind_options_of_the_header() {
        assertThat(read(four("46", "4000", "06") + "11223344" + PORTS)
                        .orElseThrow()
                        .port())
                .isEqualTo(443);
        assertThat(read(four("4f", "0000", "06") + "11223344".repeat(10) + PORTS)
                        .orElseThrow()
                        .port())
                .isEqualTo(443);
    }

    /// But for the first, whose offset is 0; the flags beside it do not count.
    @ParameterizedTest
    @CsvSource({"0001, 0", "1000, 0", "1fff, 0", "2001, 0", "2000, 443", "4000, 443", "8000, 443"})
    void a_fragment_has_no_port(String fragment, int port) {
        assertThat(read(four("45", fragment, "06") + PORTS).orElseThrow().port())
                .isEqualTo(port);
    }

    @ParameterizedTest
    @CsvSource({"06, tcp, 443", "11, udp, 443", "3a, icmpv6, 0", "00, 0, 0", "2c, 44, 0"})
    void a_packet_of_ipv6_has_its_port_if_nothing_stands_before_it(String protocol, String name, int port) {
        String head = "60000000" + "0008" + protocol + "40" + "fd00" + "0".repeat(26) + "02" + "20010db8"
                + "0".repeat(22) + "99";
        assertThat(read(head + PORTS))
                .contains(new PacketHead(
                        InetAddress.ofLiteral("fd00::2"), InetAddress.ofLiteral("2001:db8::99"), port, name));
    }

    @Test
    void what_was_cut_behind_its_addresses_has_no_port_and_before_that_is_none() {
        byte[] four = HexFormat.of().parseHex(four("45", "0000", "06") + "9c4001bb");
        assertThat(PacketHead.read(four).orElseThrow().port()).isEqualTo(443);
        assertThat(PacketHead.read(Arrays.copyOf(four, 23)).orElseThrow().port())
                .isZero();
        assertThat(PacketHead.read(Arrays.copyOf(four, 20)).orElseThrow().port())
                .isZero();
        for (int length = 0; length < 20; length++) {
            assertThat(PacketHead.read(Arrays.copyOf(four, length))).isEmpty();
        }
        byte[] six = new byte[40];
        six[0] = 0x6f;
        assertThat(PacketHead.read(six)).isPresent();
        assertThat(PacketHead.read(Arrays.copyOf(six, 39))).isEmpty();
        for (int version : new int[] {0, 5, 7, 12, 14, 15}) {
            six[0] = (byte) (version << 4);
            assertThat(PacketHead.read(six)).isEmpty();
        }
    }
}
