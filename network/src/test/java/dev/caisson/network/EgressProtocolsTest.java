package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What containers send that is neither TCP nor UDP as ordinary programs send it: every protocol number of IP, with
/// bytes that would be ports, and headers of IPv6 between the first one and the ports.
@Tag("root")
class EgressProtocolsTest extends OnAHost {
    /// Writes the number of the protocol of each packet that comes to this host, and `x` and a port for UDP behind
    /// headers of IPv6. Ends with a packet of UDP to port 9.
    private static final String HEARS = """
            import socket
            s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            print("ready", flush=True)
            while True:
                packet, where = s.recvfrom(2000)
                if where[2] == socket.PACKET_OUTGOING or len(packet) < 28: continue
                if packet[0] >> 4 == 4:
                    kind, rest = packet[9], packet[20:]
                elif packet[0] >> 4 == 6:
                    kind, rest, extended = packet[6], packet[40:], False
                    while kind in (0, 43, 44, 60) and len(rest) > 8:
                        extended = True
                        kind, rest = rest[0], rest[8 if kind == 44 else 8 + 8 * rest[1]:]
                    if kind == 17 and extended: print("x%d" % (rest[2] << 8 | rest[3]), flush=True)
                else: continue
                if kind == 17 and rest[2:4] == b"\\0\\x09": break
                print(kind, flush=True)
            print("end", flush=True)
            """;

    /// Sends one packet of each protocol to each address, to port 80 where a port would be. Those of SCTP and UDP-Lite
    /// are right, since the kernel takes no others for the first of a connection.
    private static final String SENDS = """
            import socket, struct, sys
            body = bytes([0x20, 0, 0, 80]) + bytes(28)
            def crc32c(data):
                crc = 0xffffffff
                for one in data:
                    crc ^= one
                    for _ in range(8): crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
                return crc ^ 0xffffffff
            def sctp():
                init = struct.pack(">BBHIIHHI", 1, 0, 20, 7, 65536, 1, 1, 7)
                head = struct.pack(">HHI", 8192, 80, 0)
                return head + struct.pack("<I", crc32c(head + bytes(4) + init)) + init
            def udp_lite(family, to):
                s = socket.socket(family, socket.SOCK_DGRAM); s.connect((to, 9))
                ends = [socket.inet_pton(family, one) for one in (s.getsockname()[0], to)]
                data = struct.pack(">HHHH", 8192, 80, 8, 0)
                total = sum(struct.unpack(">%dH" % (len(ends[0]) + 4), ends[0] + ends[1] + data)) + 136 + 8 + 28
                while total >> 16: total = (total & 0xffff) + (total >> 16)
                return data[:6] + struct.pack(">H", ~total & 0xffff) + bytes(28)
            for to in sys.argv[1:]:
                family = socket.AF_INET6 if ":" in to else socket.AF_INET
                for protocol in range(1, 255):
                    if protocol in (1, 6, 17, 58): continue
                    s = socket.socket(family, socket.SOCK_RAW, protocol)
                    what = sctp() if protocol == 132 else udp_lite(family, to) if protocol == 136 else body
                    try: s.sendto(what, (to, 0))
                    except PermissionError: pass
            """;

    /// Sends UDP behind headers of IPv6: options of two kinds, three kinds of routes, a fragment that is the only one.
    private static final String SENDS_BEHIND_HEADERS = """
            import socket, struct, sys
            me, to, port = socket.inet_pton(socket.AF_INET6, sys.argv[1]), sys.argv[2], int(sys.argv[3])
            there = socket.inet_pton(socket.AF_INET6, to)
            udp = struct.pack(">HHHH", 8192, port, 12, 0) + b"data"
            def sum16(data): return sum(struct.unpack(">%dH" % (len(data) // 2), data))
            total = sum16(me + there + struct.pack(">II", len(udp), 17) + udp)
            while total >> 16: total = (total & 0xffff) + (total >> 16)
            udp = udp[:6] + struct.pack(">H", ~total & 0xffff) + udp[8:]
            pad = bytes([1, 4, 0, 0, 0, 0])
            headers = {0: pad, 60: pad, 44: bytes(6)}
            s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
            def send(kind, body):
                inner = bytes([17, 0]) + body + udp
                s.sendto(struct.pack(">IHBB", 6 << 28, len(inner), kind, 64) + me + there + inner, (to, 0))
            for kind, body in headers.items(): send(kind, body)
            for route in (0, 2, 3, 4): send(43, bytes([route, 0, 0, 0, 0, 0]))
            """;

    private Optional<Process> ear = Optional.empty();

    @BeforeEach
    void makeANetwork() {
        bed.neighbor.sh("ip addr add 192.0.2.9/32 dev lan0; ip addr add 2001:db8::9/128 dev lan0 nodad");
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
    }

    @AfterEach
    void end() {
        ear.ifPresent(Process::destroyForcibly);
    }

    private void listen(Namespace where) throws IOException {
        Process process = where.call(() -> new ProcessBuilder("python3", "-I", "-c", HEARS)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
        ear = Optional.of(process);
        assertThat(process.inputReader().readLine()).isEqualTo("ready");
    }

    /// Returns what somebody has heard by the time that a packet of the host comes there.
    private Set<String> heard(String address) {
        bed.host.sh("for i in 1 2 3; do echo > /dev/udp/" + address + "/9; sleep 0.2; done");
        return ear.orElseThrow()
                .inputReader()
                .lines()
                .takeWhile(line -> !line.equals("end"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private Guest limited(String... destinations) {
        var id = ContainerId.random();
        return bed.started(
                id,
                bed.on(all ->
                        all.attach(id, "", List.of(NetworkEndpoint.on("net")), Egress.only(destinations), List.of())));
    }

    private static void send(Guest from, String script, String... arguments) {
        from.namespace().sh("python3 -I - " + String.join(" ", arguments) + " <<'END'\n" + script + "\nEND");
    }

    private static final String[] ALL = {Bed.NEIGHBOR, "192.0.2.9", "2001:db8::2", "2001:db8::9"};

    @Test
    void no_other_protocol_goes_to_an_address_that_is_on_the_list() throws Exception {
        Guest guest = limited(
                Bed.NEIGHBOR + ":*",
                Bed.NEIGHBOR + ":*/udp",
                Bed.NEIGHBOR + ":80",
                Bed.NEIGHBOR + ":80/udp",
                "[2001:db8::2]:*",
                "[2001:db8::2]:*/udp",
                "[2001:db8::2]:80");
        bed.listen(bed.neighbor, 80);
        assertThat(Bed.connects(guest.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
        assertThat(Bed.connects(guest.namespace(), Bed.ip("2001:db8::2"), 80)).isTrue();
        listen(bed.neighbor);

        send(guest, SENDS, ALL);

        assertThat(heard(Bed.NEIGHBOR)).isSubsetOf("1", "6", "58");
    }

    /// One without ports would be the host's own, HostPortsTest.
    @Test
    void only_what_has_ports_goes_where_there_is_no_list() throws Exception {
        Guest free = bed.guest("net");
        listen(bed.neighbor);

        send(free, SENDS, ALL);

        assertThat(heard(Bed.NEIGHBOR)).contains("132").isSubsetOf("1", "6", "17", "58", "132");
    }

    @Test
    void none_of_them_comes_to_the_host_or_to_another_network() throws Exception {
        bed.on(all -> all.create(new NetworkSpec("far", List.of(), false, true, true, 0, Map.of())));
        Guest guest = bed.guest("net");
        Guest far = bed.guest("far");
        bed.host.sh("nft 'add table inet seen; add chain inet seen in { type filter hook input priority 300; };"
                + " add rule inet seen in iifname \"cn*\" meta l4proto != { icmp, icmpv6 } counter'");
        listen(far.namespace());

        send(
                guest,
                SENDS,
                guest.gateway().getHostAddress(),
                guest.attachments().getFirst().ip6().orElseThrow().gateway().getHostAddress(),
                Bed.HOST,
                "2001:db8::1",
                far.ip4().getHostAddress(),
                far.ip6().getHostAddress());

        assertThat(bed.host.sh("nft list chain inet seen in")).contains("counter packets 0 ");
        assertThat(heard(far.ip4().getHostAddress())).isSubsetOf("1", "58");
    }

    @Test
    void headers_of_ipv6_hide_no_port() throws Exception {
        Guest guest = limited("[2001:db8::2]:53/udp");
        String own = guest.ip6().getHostAddress();
        listen(bed.neighbor);

        send(guest, SENDS_BEHIND_HEADERS, own, "2001:db8::2", "54");
        send(guest, SENDS_BEHIND_HEADERS, own, "2001:db8::9", "53");
        send(guest, SENDS_BEHIND_HEADERS, own, "2001:db8::2", "53");

        Set<String> seen = heard(Bed.NEIGHBOR);
        assertThat(seen).doesNotContain("x54");
        assertThat(seen).contains("x53");
    }
}
