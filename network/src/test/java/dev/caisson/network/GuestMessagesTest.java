package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.Subnet;
import dev.caisson.text.AddressText;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The messages that a container's first process sends, sent to a kernel and read back by ip(8) and nft(8).
@Tag("root")
class GuestMessagesTest {
    private Namespace namespace;

    @BeforeEach
    void makeANamespaceWithTheLinksThatAZygoteMakes() {
        namespace = new Namespace();
        namespace.sh("ip link add eth0 index 100 mtu 1400 type veth peer name p0; ip link set p0 up;"
                + "ip link add eth1 index 101 type veth peer name p1; ip link set p1 up");
    }

    @AfterEach
    void leave() {
        namespace.close();
    }

    @Test
    void links_have_addresses_of_both_families_and_one_default_route_of_each() {
        send(
                NetlinkSocket.ROUTE,
                GuestMessages.links(List.of(attachment(0, false, false), attachment(1, false, false))));

        assertThat(namespace.sh("ip -br -4 addr show eth0")).contains("UP").contains("10.9.0.2/24");
        assertThat(namespace.sh("ip -6 addr show eth0 scope global"))
                .contains("fd00:9::2/64")
                .contains("nodad")
                .doesNotContain("tentative");
        assertThat(namespace.sh("ip route").lines().map(String::strip))
                .containsExactlyInAnyOrder(
                        "default via 10.9.0.1 dev eth0",
                        "10.9.0.0/24 dev eth0 proto kernel scope link src 10.9.0.2",
                        "10.9.1.0/24 dev eth1 proto kernel scope link src 10.9.1.2");
        assertThat(namespace.sh("ip -6 route show default")).contains("via fd00:9::1 dev eth0");
    }

    @Test
    void an_isolated_port_reaches_the_gateway_alone_on_its_link() {
        send(NetlinkSocket.ROUTE, GuestMessages.links(List.of(attachment(0, true, true))));

        assertThat(namespace.sh("ip -br addr show eth0"))
                .contains("10.9.0.2/32")
                .contains("fd00:9::2/128");
        assertThat(namespace.sh("ip route").lines().map(String::strip))
                .containsExactlyInAnyOrder("10.9.0.1 dev eth0 scope link", "10.9.0.0/24 via 10.9.0.1 dev eth0");
        assertThat(namespace.sh("ip -6 route show fd00:9::/64")).contains("via fd00:9::1");
    }

    @Test
    void queries_to_the_resolver_reach_other_ports_and_answers_come_back_from_the_first() {
        commit(GuestMessages.resolver(40053, 40054, false));

        assertThat(namespace.sh("""
                timeout 10 python3 -c '
                import socket
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.11", 40053))
                own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); own.bind(("0.0.0.0", 53))
                c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.settimeout(5)
                c.sendto(b"query", ("127.0.0.11", 53))
                query, who = u.recvfrom(99); u.sendto(b"answer", who)
                print(query, c.recvfrom(99))'
                """)).contains("b'query' (b'answer', ('127.0.0.11', 53))");
        assertThat(namespace.sh("""
                timeout 10 python3 -c '
                import socket
                t = socket.create_server(("127.0.0.11", 40054))
                c = socket.create_connection(("127.0.0.11", 53), 5)
                c.sendall(b"q" * 100000); s, who = t.accept(); got = 0
                while got < 100000: got += len(s.recv(99999))
                s.sendall(b"answer"); print(got, c.recv(9), c.getpeername()[1])'
                """)).contains("100000 b'answer' 53");
    }

    @Test
    void the_kernel_keeps_entries_of_questions_alone_and_of_so_many() {
        commit(GuestMessages.resolver(40053, 40054, false));

        assertThat(namespace.sh("""
                timeout 20 python3 -c '
                import socket
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.11", 40053))
                other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); other.bind(("127.0.0.1", 7000))
                for i in range(100):
                    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    c.sendto(b"x", ("127.0.0.1", 7000)); c.sendto(b"x", ("127.0.0.11", 7000))
                dropped = 0
                for i in range(9000):
                    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.bind(("127.0.1.%d" % (i % 250 + 1), 20000 + i // 250))
                    try: c.sendto(b"x", ("127.0.0.11", 53))
                    except PermissionError: dropped += 1
                print(dropped)'
                """).strip()).isEqualTo(Integer.toString(9000 - 8192));
        assertThat(namespace.sh("sysctl -n net.netfilter.nf_conntrack_count").strip())
                .isEqualTo("8192");
    }

    /// A kernel may refuse there what it takes from root of the host, as to write into packets.
    @Test
    void a_user_namespace_may_have_these_rules() throws IOException {
        for (boolean tracks : new boolean[] {false, true}) {
            Path batch = Files.write(Files.createTempFile("batch", ""), GuestMessages.resolver(40053, 40054, tracks));

            assertThat(namespace.sh("""
                    timeout 10 unshare -Urn python3 -c '
                    import socket, struct, sys
                    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12); s.settimeout(5)
                    s.send(open("FILE", "rb").read())
                    print(struct.unpack_from("=i", s.recv(9999), 16)[0])'
                    """.replace("FILE", batch.toString())).strip())
                    .isEqualTo("0");
            Files.delete(batch);
        }
    }

    @Test
    void a_container_that_lets_in_nothing_but_answers_gets_those_of_the_resolver() {
        commit(GuestMessages.resolver(40053, 40054, true));
        namespace.sh(
                "nft 'add table inet own; add chain inet own in { type filter hook input priority 0; policy drop; };"
                        + " add rule inet own in ct state established accept;"
                        + " add rule inet own in ip daddr 127.0.0.11 th dport { 40053, 40054 } accept'");

        assertThat(namespace.sh("""
                timeout 10 python3 -c '
                import socket
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.11", 40053)); u.settimeout(3)
                c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.settimeout(3)
                c.sendto(b"query", ("127.0.0.11", 53))
                query, who = u.recvfrom(99); u.sendto(b"answer", who)
                t = socket.create_server(("127.0.0.11", 40054))
                print(c.recv(9), socket.create_connection(("127.0.0.11", 53), 3).getpeername()[1])'
                """)).contains("b'answer' 53");
    }

    @Test
    void the_table_of_neighbors_that_all_share_has_room_for_others() {
        commit(GuestMessages.neighbors());
        namespace.sh("ip addr add 10.9.0.2/16 dev eth0; ip addr add fd00:9::2/64 dev eth0 nodad; ip link set eth0 up;"
                + "ip addr add 10.9.255.2/16 dev p0;" // the peer answers for one
                + "ip tuntap add dev tun0 mode tun; ip link set tun0 up; ip route add 10.8.0.0/16 dev tun0");

        String sent = namespace.sh("""
                timeout 20 python3 -c '
                import socket
                for family, address in (socket.AF_INET, "10.9.%d.%d"), (socket.AF_INET6, "fd00:9::%x:%x"):
                    sent = 0
                    for i in range(1, 600):
                        with socket.socket(family, socket.SOCK_DGRAM) as s:
                            s.setblocking(False)
                            try: sent += s.sendto(b"x", (address % (i // 200 + 1, i % 200 + 1), 9))
                            except OSError: pass
                    print(sent)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    for link in "127.0.%d.%d", "10.8.%d.%d": # the loopback, and a tunnel
                        print(sum(s.sendto(b"x", (link % (i // 200, i % 200 + 1), 9)) for i in range(600)))
                '""");

        assertThat(sent.lines()).containsExactly("256", "256", "600", "600");
        for (String family : List.of("-4", "-6")) {
            assertThat(Integer.parseInt(namespace
                            .sh("ip " + family + " neigh show dev eth0 nud all | grep -cv NOARP")
                            .strip()))
                    .isBetween(200, 256);
        }
        assertThat(namespace.sh("nft list ruleset"))
                .contains("ip6 daddr ff00::/8 accept")
                .contains("update @neighbors { rt ip nexthop timeout 5s } accept")
                .contains("update @neighbors6 { rt ip6 nexthop timeout 5s } accept");
    }

    @Test
    void what_the_kernel_refuses_is_named_with_its_number_and_the_kernels_words() {
        var attachment = attachment(7, false, false); // there is no eth7

        assertThatExceptionOfType(NetlinkException.class)
                .isThrownBy(() -> send(NetlinkSocket.ROUTE, GuestMessages.links(List.of(attachment))))
                .satisfies(refused -> {
                    assertThat(refused.message()).isEqualTo(1);
                    assertThat(refused.errno()).isEqualTo(Errno.ENODEV);
                    assertThat(refused.words()).isEqualTo("ipv4: Device not found");
                });
    }

    private void send(int protocol, byte[] messages) {
        namespace.call(() -> {
            try (NetlinkSocket socket = NetlinkSocket.open(protocol)) {
                socket.request("links of a container", raw(messages));
            }
            return null;
        });
    }

    private void commit(byte[] messages) {
        namespace.call(() -> {
            try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER)) {
                socket.commit("rules of a container", raw(messages));
            }
            return null;
        });
    }

    private static NetlinkWriter raw(byte[] messages) {
        return NetlinkWriter.of(messages);
    }

    static Attachment attachment(int number, boolean isolated, boolean internal) {
        return new Attachment(
                new ContainerId("ab".repeat(32)),
                "net" + number,
                "cd".repeat(32),
                "cs0123456789ab" + number,
                "cs-0123456789ab",
                isolated,
                "eth" + number,
                100 + number,
                MacAddress.parse("02:c5:0a:09:00:02"),
                1400,
                Optional.of(new Attachment.Address(
                        ip("10.9." + number + ".2"),
                        Subnet.parse("10.9." + number + ".0/24"),
                        ip("10.9." + number + ".1"))),
                number > 0
                        ? Optional.empty()
                        : Optional.of(
                                new Attachment.Address(ip("fd00:9::2"), Subnet.parse("fd00:9::/64"), ip("fd00:9::1"))),
                internal,
                List.of());
    }

    private static InetAddress ip(String text) {
        return AddressText.parse(text).orElseThrow();
    }
}
