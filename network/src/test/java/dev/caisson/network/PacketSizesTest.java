package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Packets of other sizes than the links on their way, and packets in parts.
@Tag("root")
class PacketSizesTest extends OnAHost {
    private static final String FAR = "198.51.100.2";
    private static final String FAR_6 = "2001:db8:1::2";

    /// Answers by TCP and UDP, of both families, with what it is sent.
    private static final String ECHOES = """
            import socket, threading
            tcp = socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True)
            udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0); udp.bind(("::", 7000))
            def datagrams():
                while True:
                    try: udp.sendto(*udp.recvfrom(65536))
                    except OSError: pass
            def one(s):
                try:
                    while (data := s.recv(65536)): s.sendall(data)
                    s.close()
                except OSError: pass
            threading.Thread(target=datagrams, daemon=True).start()
            print("ready", flush=True)
            while True: threading.Thread(target=one, args=(tcp.accept()[0],), daemon=True).start()
            """;

    /// Sends 2 MB by TCP and datagrams of several sizes, a few times each because the first ones find out what passes.
    private static final String ASKS = """
            import os, socket, sys, threading
            to, port = sys.argv[1], int(sys.argv[2])
            family = socket.AF_INET6 if ":" in to else socket.AF_INET
            data = os.urandom(2_000_000)
            s = socket.create_connection((to, port), 5)
            s.settimeout(15)
            threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)), daemon=True).start()
            back = b""
            while (part := s.recv(65536)): back += part
            assert back == data, "%d bytes of TCP" % len(back)
            u = socket.socket(family, socket.SOCK_DGRAM); u.settimeout(0.5); u.connect((to, port))
            for size in 1200, 1252, 1300, 1452, 1472, 1473, 4000, 8952, 30000:
                one = os.urandom(size)
                for attempt in range(6):
                    try:
                        u.send(one)
                        if u.recv(65536) == one: break
                    except OSError: pass
                else: sys.exit("a datagram of %d bytes" % size)
            print("all")
            """;

    private final List<AutoCloseable> open = new ArrayList<>();

    @BeforeEach
    void makeNetworks() {
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        bed.on(all -> all.create(new NetworkSpec("jumbo", List.of(), false, true, true, 9000, Map.of())));
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    private void echo(Namespace where) {
        Process process = where.call(() -> {
            Process started = new ProcessBuilder("python3", "-I", "-c", ECHOES)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            assertThat(started.inputReader().readLine()).isEqualTo("ready");
            return started;
        });
        open.add(process::destroyForcibly);
    }

    private static String asks(Namespace from, String address, int port) {
        return from.sh("timeout 60 python3 -I - " + address + " " + port + " <<'END' 2>&1 || true\n" + ASKS + "\nEND")
                .strip();
    }

    private static void link(Namespace where, String mtu) {
        where.sh("ip link set lan0 mtu " + mtu);
    }

    @ParameterizedTest
    @CsvSource({"1280, net", "1400, net", "9000, net", "1280, jumbo", "9000, jumbo"})
    void all_sizes_pass_whatever_the_host_s_link_takes(String mtu, String network) {
        link(bed.host, mtu);
        link(bed.neighbor, mtu);
        Guest guest = bed.guest(network);
        bed.on(all -> Bed.publish(
                all,
                guest.id(),
                List.of(
                        new PortMapping(Optional.empty(), 8080, 7000, Transport.TCP),
                        new PortMapping(Optional.empty(), 8080, 7000, Transport.UDP))));
        echo(bed.neighbor);
        echo(guest.namespace());
        Guest other = bed.guest("net");

        assertThat(asks(guest.namespace(), Bed.NEIGHBOR, 7000)).isEqualTo("all");
        assertThat(asks(guest.namespace(), "2001:db8::2", 7000)).isEqualTo("all");
        assertThat(asks(bed.neighbor, Bed.HOST, 8080)).isEqualTo("all");
        assertThat(asks(bed.neighbor, "2001:db8::1", 8080)).isEqualTo("all");
        assertThat(asks(other.namespace(), Bed.HOST, 8080)).isEqualTo("all");
    }

    /// What a router far away says about sizes reaches the container under whose address nobody sends.
    @Test
    void a_narrow_link_behind_the_neighbor_is_found() {
        try (var far = new Namespace()) {
            bed.neighbor.sh("ip link add far0 mtu 1300 type veth peer name far0 mtu 1300 netns " + Bed.thread(far)
                    + "; ip addr add 198.51.100.1/24 dev far0; ip addr add 2001:db8:1::1/64 dev far0 nodad;"
                    + " ip link set far0 up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
            far.sh("ip addr add " + FAR + "/24 dev far0; ip addr add " + FAR_6 + "/64 dev far0 nodad;"
                    + " ip link set far0 up; ip route add default via 198.51.100.1;"
                    + " ip route add default via 2001:db8:1::1");
            bed.host.sh("ip route add 198.51.100.0/24 via " + Bed.NEIGHBOR
                    + "; ip route add 2001:db8:1::/64 via 2001:db8::2");
            // a bridge that asks ip6tables puts parts together and forgets how large they were
            bed.host.sh("[ ! -e /proc/sys/net/bridge ] || sysctl -qw net.bridge.bridge-nf-call-ip6tables=0");
            Guest guest = bed.guest("net");
            bed.on(all -> Bed.publish(
                    all,
                    guest.id(),
                    List.of(
                            new PortMapping(Optional.empty(), 8080, 7000, Transport.TCP),
                            new PortMapping(Optional.empty(), 8080, 7000, Transport.UDP))));
            echo(far);
            echo(guest.namespace());

            assertThat(asks(guest.namespace(), FAR, 7000)).isEqualTo("all");
            assertThat(asks(guest.namespace(), FAR_6, 7000)).isEqualTo("all");
            assertThat(asks(far, Bed.HOST, 8080)).isEqualTo("all");
            assertThat(asks(far, "2001:db8::1", 8080)).isEqualTo("all");
        }
    }

    /// It needs `NET_ADMIN` for that.
    @Test
    void a_container_that_raises_its_size_of_packets_harms_itself_alone() {
        Guest raised = bed.guest("net");
        Guest other = bed.guest("net");
        Guest third = bed.guest("net");
        echo(other.namespace());
        raised.namespace().sh("ip link set eth0 mtu 9000");
        String address = other.ip4().getHostAddress();

        assertThat(raised.namespace().status("ping -n -c 2 -i 0.3 -W 1 -M do -s 1400 " + address))
                .isZero();
        assertThat(raised.namespace().status("ping -n -c 2 -i 0.3 -W 1 -M do -s 4000 " + address))
                .isNotZero();
        assertThat(asks(third.namespace(), address, 7000)).isEqualTo("all");
        assertThat(bed.host.sh("ip link show " + other.attachments().getFirst().bridge()))
                .contains(" mtu 1500 ");
    }

    /// Sends datagrams in parts: the first with the header alone, and one that says another port over the first.
    private static final String SENDS_PARTS = """
            import socket, struct, sys
            me, to, port, over = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
            six = ":" in to
            family = socket.AF_INET6 if six else socket.AF_INET
            ends = socket.inet_pton(family, me) + socket.inet_pton(family, to)
            s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            def udp(port):
                data = struct.pack(">HHHH", 8192, port, 32, 0) + b"port %05d" % port + bytes(14)
                total = sum(struct.unpack(">%dH" % ((len(ends) + 32) // 2), ends + data)) + 17 + 32
                while total >> 16: total = (total & 0xffff) + (total >> 16)
                return data[:6] + struct.pack(">H", ~total & 0xffff) + data[8:]
            number = 100
            def part(at, more, data):
                if six:
                    inner = struct.pack(">BBHI", 17, 0, at | more, number) + data
                    packet = struct.pack(">IHBB", 6 << 28, len(inner), 44, 64) + ends + inner
                else:
                    packet = struct.pack(">BBHHHBBH", 69, 0, 20 + len(data), number, more << 13 | at >> 3, 64, 17, 0) + ends + data
                s.sendto(packet, (to, 0))
            good = udp(port)
            part(0, 1, good[:8]); part(8, 1, good[8:16]); part(16, 0, good[16:])
            number += 1
            part(16, 0, good[16:]); part(8, 1, good[8:16]); part(0, 1, good[:8])
            if over:
                other = udp(over)
                for order in (good, other), (other, good):
                    number += 1
                    part(0, 1, order[0][:16]); part(0, 1, order[1][:16]); part(16, 0, other[16:])
                    number += 1
                    part(16, 0, other[16:]); part(8, 1, other[8:16]); part(0, 1, order[0][:16]); part(0, 1, order[1][:8])
            """;

    private static final String HEARS_PARTS = """
            import select, socket
            all = []
            for family in socket.AF_INET, socket.AF_INET6:
                for port in 53, 54:
                    s = socket.socket(family, socket.SOCK_DGRAM)
                    if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    s.bind(("", port)); all.append(s)
            print("ready", flush=True)
            while (ready := select.select(all, [], [], 4)[0]):
                for s in ready: print(s.getsockname()[1], s.recv(99)[:10].decode(), flush=True)
            """;

    @ParameterizedTest
    @CsvSource({"192.0.2.2, 192.0.2.2:53/udp", "2001:db8::2, [2001:db8::2]:53/udp"})
    void parts_of_packets_reach_no_port_that_is_not_on_the_list(String address, String destination) throws Exception {
        var id = ContainerId.random();
        Guest guest = bed.started(
                id,
                bed.on(all ->
                        all.attach(id, "", List.of(NetworkEndpoint.on("net")), Egress.only(destination), List.of())));
        String own = address.contains(":")
                ? guest.ip6().getHostAddress()
                : guest.ip4().getHostAddress();
        Bed.pings(guest.namespace(), guest.gateway());
        Process ear = bed.neighbor.call(() -> new ProcessBuilder("python3", "-I", "-c", HEARS_PARTS)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
        open.add(ear::destroyForcibly);
        assertThat(ear.inputReader().readLine()).isEqualTo("ready");

        for (String ports : List.of("53 54", "54 53", "54 0", "53 0")) {
            guest.namespace()
                    .sh("python3 -I - " + own + " " + address + " " + ports + " <<'END'\n" + SENDS_PARTS + "\nEND");
        }

        List<String> heard = ear.inputReader().lines().toList();
        assertThat(heard).contains("53 port 00053").allMatch(line -> line.equals("53 port 00053"), "to port 53 alone");
    }
}
