package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.NetworkSpec;
import java.net.Socket;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A container with `NET_RAW` says of connections that are not its own that their packets were too big.
@Tag("root")
class ForgedErrorsTest extends OnAHost {
    /// Says to `me` that a packet of TCP from `me` to `to` was too big; by the ports of the connection.
    private static final String SENDS = """
            import socket, struct, sys
            me, to, source, target = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
            six = ":" in me
            family = socket.AF_INET6 if six else socket.AF_INET
            ends = socket.inet_pton(family, me) + socket.inet_pton(family, to)
            def total(data):
                sum = 0
                for i in range(0, len(data), 2): sum += data[i] << 8 | data[i + 1]
                while sum >> 16: sum = (sum & 0xffff) + (sum >> 16)
                return ~sum & 0xffff
            tcp = struct.pack(">HHIIBBHHH", source, target, 0, 0, 80, 16, 100, 0, 0)
            s = socket.socket(family, socket.SOCK_RAW, 58 if six else 1)
            if six:
                inner = struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + ends + tcp
                packet = struct.pack(">BBHI", 2, 0, 0, 1280) + inner
            else:
                head = struct.pack(">BBHHHBBH", 69, 0, 1400, 7, 0x4000, 64, 6, 0) + ends
                inner = head[:10] + struct.pack(">H", total(head)) + head[12:] + tcp
                packet = struct.pack(">BBHHH", 3, 4, 0, 0, 600) + inner
                packet = packet[:2] + struct.pack(">H", total(packet)) + packet[4:]
            for i in range(3): s.sendto(packet, (me, 0))
            """;

    /// Counts what the packet filter lets through to the host and on, without a judgement.
    private static final String COUNTS = "nft 'add table inet seen;"
            + " add chain inet seen in { type filter hook input priority 300; };"
            + " add rule inet seen in icmp type destination-unreachable counter;"
            + " add rule inet seen in icmpv6 type packet-too-big counter;"
            + " add chain inet seen on { type filter hook forward priority 300; };"
            + " add rule inet seen on icmp type destination-unreachable counter;"
            + " add rule inet seen on icmpv6 type packet-too-big counter'";

    private Guest attacker;

    @BeforeEach
    void makeNetworks() {
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        bed.on(all -> all.create(new NetworkSpec("other", List.of(), false, true, true, 0, Map.of())));
        attacker = bed.guest("net");
        bed.listen(bed.neighbor, 80);
        Bed.pings(attacker.namespace(), attacker.gateway());
        bed.host.sh(COUNTS);
    }

    private void say(String me, String to, int source, int target) {
        attacker.namespace()
                .sh("python3 -I - " + me + " " + to + " " + source + " " + target + " <<'END'\n" + SENDS + "\nEND");
    }

    private List<String> passed() {
        return bed.host
                .sh("nft list table inet seen")
                .lines()
                .filter(line -> line.contains("counter packets"))
                .map(line -> line.replaceAll(".*counter packets (\\d+).*", "$1"))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"192.0.2.1, 192.0.2.2", "2001:db8::1, 2001:db8::2"})
    void connections_of_the_host_and_of_other_networks_are_not_told_a_size(String host, String neighbor)
            throws Exception {
        Guest victim = bed.guest("other");
        assertThat(Bed.connects(victim.namespace(), Bed.ip(neighbor), 80)).isTrue();
        try (Socket ofHost = bed.host.call(() -> new Socket(Bed.ip(neighbor), 80));
                Socket ofVictim = victim.namespace().call(() -> new Socket(Bed.ip(neighbor), 80))) {
            say(host, neighbor, ofHost.getLocalPort(), 80);
            say(host, neighbor, ofVictim.getLocalPort(), 80);

            assertThat(passed()).containsOnly("0");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.2", "2001:db8::2"})
    void what_a_container_says_of_its_own_connections_is_heard(String neighbor) throws Exception {
        bed.listen(attacker.namespace(), 80);
        boolean six = neighbor.contains(":");
        String own = (six ? attacker.ip6() : attacker.ip4()).getHostAddress();
        assertThat(Bed.connects(attacker.namespace(), Bed.ip(neighbor), 80)).isTrue();
        try (Socket out = attacker.namespace().call(() -> new Socket(Bed.ip(neighbor), 80));
                Socket in = bed.host.call(() -> new Socket(Bed.ip(own), 80))) {
            say(neighbor, own, 80, out.getLocalPort());
            say(in.getLocalAddress().getHostAddress(), own, in.getLocalPort(), 80);

            assertThat(passed()).containsExactlyInAnyOrder("3", "3", "0", "0");
        }
    }
}
