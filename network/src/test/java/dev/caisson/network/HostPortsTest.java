package dev.caisson.network;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The ports of the host that packets of containers leave by. A container that chooses one gets what the other machine
/// sends to that port of the host, CVE-2021-3773.
@Tag("root")
class HostPortsTest extends OnAHost {
    private static final int TIME = 123;

    private InetAddress neighbor = Bed.ip(Bed.NEIGHBOR);
    private InetAddress host = Bed.ip(Bed.HOST);

    private Guest guest(String family) {
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        if (family.equals("6")) {
            neighbor = Bed.ip("2001:db8::2");
            host = Bed.ip("2001:db8::1");
        }
        return bed.guest("net");
    }

    private static DatagramSocket socket(Namespace where, int port) {
        return where.call(() -> {
            var socket = new DatagramSocket(port);
            socket.setSoTimeout(700);
            return socket;
        });
    }

    /// Sends until it is heard: a link that is new may lose the first.
    private static Optional<DatagramPacket> heard(
            DatagramSocket from, InetAddress to, int port, String text, DatagramSocket by) throws Exception {
        for (int i = 0; i < 4; i++) {
            from.send(new DatagramPacket(text.getBytes(UTF_8), text.length(), new InetSocketAddress(to, port)));
            var packet = new DatagramPacket(new byte[64], 64);
            try {
                by.receive(packet);
                return Optional.of(packet);
            } catch (SocketTimeoutException e) {
                // once more
            }
        }
        return Optional.empty();
    }

    private static String text(Optional<DatagramPacket> packet) {
        return packet.map(one -> new String(one.getData(), 0, one.getLength(), UTF_8))
                .orElse("");
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "6"})
    void a_container_does_not_get_what_is_sent_to_a_server_of_the_host(String family) throws Exception {
        Guest guest = guest(family);
        try (DatagramSocket server = socket(bed.host, TIME);
                DatagramSocket client = socket(bed.neighbor, TIME);
                DatagramSocket attacker = socket(guest.namespace(), TIME)) {
            Optional<DatagramPacket> begun = heard(attacker, neighbor, TIME, "mine", client);
            assertThat(text(begun)).isEqualTo("mine");

            assertThat(text(heard(client, host, TIME, "to the host", server))).isEqualTo("to the host");
            int port = begun.orElseThrow().getPort();
            assertThat(port).isBetween(32_768, 60_999);
            assertThat(text(heard(client, host, port, "answer", attacker))).isEqualTo("answer");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "6"})
    void a_container_does_not_get_what_is_sent_to_a_port_of_another_one(String family) throws Exception {
        Guest guest = guest(family);
        Guest victim = bed.guest("net");
        publish(victim, 5060, 60);
        try (DatagramSocket server = socket(victim.namespace(), 60);
                DatagramSocket client = socket(bed.neighbor, 5060);
                DatagramSocket attacker = socket(guest.namespace(), 5060)) {
            assertThat(text(heard(attacker, neighbor, 5060, "mine", client))).isEqualTo("mine");

            assertThat(text(heard(client, host, 5060, "to the other", server))).isEqualTo("to the other");
        }
    }

    /// A tunnel of the host's has no ports: all that its peer sends would be the answer to what a container has sent
    /// there.
    @ParameterizedTest
    @CsvSource({"4,4", "4,41", "4,47", "4,50", "4,112", "6,41", "6,47", "6,50"})
    void a_container_does_not_get_what_is_sent_to_a_tunnel_of_the_host(String family, int protocol) throws Exception {
        Guest guest = guest(family);
        Process server = hears(bed.host, family, protocol);
        Process attacker = hears(guest.namespace(), family, protocol);
        try {
            sendsRaw(guest.namespace(), family, protocol, neighbor);
            sendsRaw(bed.neighbor, family, protocol, host);

            assertThat(server.inputReader().readLine()).isEqualTo("heard");
            assertThat(attacker.inputReader().ready())
                    .as("heard by the container")
                    .isFalse();
        } finally {
            server.destroyForcibly();
            attacker.destroyForcibly();
        }
    }

    private static Process hears(Namespace where, String family, int protocol) throws Exception {
        Process process = where.call(() -> new ProcessBuilder("timeout", "10", "python3", "-I", "-c", """
                import socket
                s = socket.socket(socket.%s, socket.SOCK_RAW, %d)
                print("ready", flush=True)
                while b"a tunnel's" not in s.recv(200): pass
                print("heard", flush=True)
                """.formatted(
                                family.equals("4") ? "AF_INET" : "AF_INET6", protocol))
                .start());
        assertThat(process.inputReader().readLine()).isEqualTo("ready");
        return process;
    }

    private static void sendsRaw(Namespace from, String family, int protocol, InetAddress to) {
        from.sh("""
                python3 -I -c '
                import socket, time
                s = socket.socket(socket.%s, socket.SOCK_RAW, %d)
                for _ in range(3):
                    s.sendto(bytes(8) + b"a tunnel" + bytes([39]) + b"s", ("%s", 0)); time.sleep(0.1)'
                """.formatted(family.equals("4") ? "AF_INET" : "AF_INET6", protocol, to.getHostAddress()));
    }

    /// Machines outside know it by the address and the published port, whoever sends first.
    @ParameterizedTest
    @ValueSource(strings = {"4", "6"})
    void what_leaves_a_published_port_comes_from_that_port_of_the_host(String family) throws Exception {
        Guest guest = guest(family);
        publish(guest, 6060, 5060);
        try (DatagramSocket peer = socket(bed.neighbor, 7000);
                DatagramSocket server = socket(guest.namespace(), 5060)) {
            Optional<DatagramPacket> begun = heard(server, neighbor, 7000, "hello", peer);

            assertThat(text(begun)).isEqualTo("hello");
            assertThat(begun.orElseThrow().getPort()).isEqualTo(6060);
            assertThat(text(heard(peer, host, 6060, "answer", server))).isEqualTo("answer");
        }
        bed.on(all -> {
            all.release(guest.id());
            return 0;
        });
        assertThat(bed.host.sh("nft list ruleset")).doesNotContain("udp . 5060");
    }

    @Test
    void who_asks_for_any_port_is_told_that_none_is_free_and_of_which() throws Exception {
        bed.host.sh("sysctl -qw net.ipv4.ip_local_port_range='40000 40003' net.ipv4.ip_local_reserved_ports=40002");
        Guest guest = bed.guest("bridge");
        try (DatagramSocket _ = socket(bed.host, 40_003)) {
            List<Integer> chosen = List.of(
                    publish(guest, 0, 80).getFirst().hostPort(),
                    publish(guest, 0, 80).getFirst().hostPort());

            assertThat(chosen).containsExactlyInAnyOrder(40_000, 40_001);
            assertThatThrownBy(() -> publish(guest, 0, 80))
                    .isInstanceOf(NetworkException.class)
                    .hasMessage("no port of the host is free for 80/udp: name one, or widen the host's"
                            + " net.ipv4.ip_local_port_range")
                    .extracting(failure -> ((NetworkException) failure).code())
                    .hasToString("PORT_TAKEN");
        }
        assertThat(publish(guest, 40_002, 80).getFirst().hostPort())
                .as("one that is named may be reserved")
                .isEqualTo(40_002);
        assertThat(publish(guest, 0, 80).getFirst().hostPort()).isEqualTo(40_003);
    }

    /// After an engine was killed the packet filter still leads the port to its container.
    @Test
    void a_published_port_that_no_process_holds_is_given_to_nobody_else() {
        Guest first = bed.guest("bridge");
        int taken = publish(first, 0, 80).getFirst().hostPort();
        bed.reopen();
        Guest second = bed.guest("bridge");

        bed.host.sh("sysctl -qw net.ipv4.ip_local_port_range='" + taken + " " + taken + "'");
        assertThatThrownBy(() -> publish(second, 0, 80))
                .isInstanceOf(NetworkException.class)
                .extracting(failure -> ((NetworkException) failure).code())
                .hasToString("PORT_TAKEN");

        bed.host.sh("sysctl -qw net.ipv4.ip_local_port_range='" + taken + " " + (taken + 1) + "'");
        assertThat(publish(second, 0, 80).getFirst().hostPort()).isEqualTo(taken + 1);
    }

    /// Servers set SO_REUSEADDR, with which they get a port that another socket has and does not listen at.
    @ParameterizedTest
    @ValueSource(strings = {"", "192.0.2.1", "127.0.0.1", "2001:db8::1"})
    void nobody_else_listens_at_a_port_that_is_published(String text) {
        Guest guest = guest("4");
        Optional<InetAddress> address = text.isEmpty() ? Optional.empty() : Optional.of(InetAddress.ofLiteral(text));
        bed.on(all -> Bed.publish(all, guest.id(), List.of(new PortMapping(address, 7070, 80, Transport.TCP))));

        for (String own : text.isEmpty() ? List.of("0.0.0.0", "::", "192.0.2.1", "::1") : List.of(text)) {
            for (String option : List.of("SO_REUSEADDR", "SO_REUSEPORT")) {
                assertThat(bed.host.status("""
                        timeout 10 python3 -c '
                        import socket, sys
                        s = socket.socket(socket.AF_INET6 if ":" in "%1$s" else socket.AF_INET)
                        s.setsockopt(socket.SOL_SOCKET, socket.%2$s, 1)
                        if ":" in "%1$s": s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                        try: s.bind(("%1$s", 7070)); s.listen()
                        except OSError as e: sys.exit(e.errno)'
                        """.formatted(own, option)))
                        .as("EADDRINUSE at %s with %s", own, option)
                        .isEqualTo(98);
            }
        }
    }

    private List<PortMapping> publish(Guest guest, int hostPort, int port) {
        return bed.on(all -> Bed.publish(
                all, guest.id(), List.of(new PortMapping(Optional.empty(), hostPort, port, Transport.UDP))));
    }
}
