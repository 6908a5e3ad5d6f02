package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.ThreadClock;
import dev.caisson.network.Bed.Guest;
import dev.caisson.network.filter.Tables;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Subnet;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Tables of the kernel that all containers share: what one of them may take, and what a large one costs.
@Tag("root")
class SharedTablesTest extends OnAHost {
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ALONE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    @Test
    void a_container_cannot_fill_the_table_of_connections() {
        Guest greedy = bed.guest("bridge");
        Guest modest = bed.guest("bridge");
        bed.listen(bed.neighbor, 80);
        assertThat(Bed.connects(greedy.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();

        greedy.namespace()
                .sh("/usr/bin/python3 -c 'import socket\n"
                        + "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
                        + "for port in range(1, 3 * " + Tables.MOST_CONNECTIONS + "):\n"
                        + "  try: s.sendto(b\"x\", (\"" + Bed.NEIGHBOR + "\", port))\n"
                        + "  except OSError: pass'");

        int count = Integer.parseInt(
                bed.host.sh("sysctl -n net.netfilter.nf_conntrack_count").strip());
        assertThat(count).isBetween(Tables.MOST_CONNECTIONS / 2, Tables.MOST_CONNECTIONS + 64);
        assertThat(Bed.isClosed(greedy.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
        assertThat(Bed.connects(modest.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
    }

    /// The kernel does not count those that are closed, but keeps them: 120 seconds by default.
    @Test
    void a_container_cannot_fill_the_table_of_connections_by_those_that_it_closes() {
        Guest greedy = bed.guest("bridge");
        Guest modest = bed.guest("bridge");
        bed.neighbor.sh("""
                timeout 60 python3 -c '
                import socket
                s = socket.socket(); s.bind(("", 80)); s.listen(4096)
                while True: s.accept()[0].close()' >/dev/null 2>&1 &""");
        bed.listen(bed.neighbor, 81);
        assertThat(Bed.connects(greedy.namespace(), Bed.ip(Bed.NEIGHBOR), 81)).isTrue();

        long begun = System.nanoTime();
        greedy.namespace().sh("""
                timeout 30 python3 -c '
                import socket, struct, time
                end = time.time() + 5; i = 0
                while time.time() < end:
                    i += 1
                    s = socket.socket()
                    s.settimeout(0.2)
                    if i %% 2: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    try: s.connect(("%s", 80 + i %% 2)); i %% 2 or (s.shutdown(1), s.recv(1))
                    except OSError: pass
                    s.close()'
                """.formatted(Bed.NEIGHBOR));
        int seconds = 1 + (int) TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);

        List<String> kept = bed.host
                .sh("awk '/ dport=8/ && / (CLOSE|TIME_WAIT) / {print $5}' /proc/net/nf_conntrack")
                .lines()
                .toList();
        assertThat(kept).hasSizeBetween(1000, Tables.MOST_CONNECTIONS + 1000 * seconds);
        assertThat(kept.stream().filter(left -> Integer.parseInt(left) > 10))
                .as("seconds that they are kept for")
                .isEmpty();
        assertThat(Bed.connects(modest.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
    }

    /// Each of them is as if the first: a rate of connections would bound them.
    @Test
    void datagrams_that_nobody_answers_have_no_rate() {
        Guest guest = bed.guest("bridge");
        bed.host.sh("nft 'add table ip seen; add chain ip seen out { type filter hook postrouting priority 300; };"
                + " add rule ip seen out oifname lan0 udp dport 514 counter'");

        guest.namespace().sh("""
                timeout 20 python3 -c '
                import socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                for i in range(9000): s.sendto(b"x", ("%s", 514))'
                """.formatted(Bed.NEIGHBOR));

        assertThat(bed.host.sh("nft list chain ip seen out")).containsPattern("counter packets (8999|9000) ");
    }

    /// Lists and connections of other containers, which a change must not pay for.
    @Test
    void a_change_of_a_list_reads_connections_of_its_container_alone() {
        Guest other = bed.guest("bridge");
        Guest changed = bed.guest("bridge");
        sendToPorts(other, 3000);
        sendToPorts(changed, 30);
        long answered = bed.on(all -> {
            all.limit(changed.id(), Egress.only("192.0.2.2:20/udp"));
            long before = all.kernel.answered();
            all.limit(changed.id(), Egress.none());
            return all.kernel.answered() - before;
        });

        assertThat(answered).isLessThan(100_000);
        assertThat(udpConnections(changed)).isZero();
        assertThat(udpConnections(other)).isGreaterThan(2900);
    }

    private static void sendToPorts(Guest from, int count) {
        from.namespace().sh("""
                timeout 30 python3 -c '
                import socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                for port in range(1, %d): s.sendto(b"x", ("%s", port))'
                """.formatted(count, Bed.NEIGHBOR));
    }

    private int udpConnections(Guest guest) {
        return Integer.parseInt(bed.host
                .sh("grep -c 'udp .* src=" + guest.ip4().getHostAddress() + " ' /proc/net/nf_conntrack || true")
                .strip());
    }

    @Test
    void a_container_cannot_fill_the_table_of_neighbors_through_the_host() {
        bed.host.sh("ip addr add 10.77.0.1/16 dev lan0");
        bed.neighbor.sh("ip addr add 10.77.255.1/16 dev lan0");
        Guest greedy = bed.guest("bridge");
        Guest modest = bed.guest("bridge");
        bed.listen(bed.neighbor, 80);

        int most = sendToMany(greedy, Subnet.parse("10.77.0.0/16"));

        assertThat(neighbors("-4", "to 10.77.0.0/16")).isBetween(100, most);
        assertThat(Bed.connects(modest.namespace(), Bed.ip("10.77.255.1"), 80)).isTrue();
        assertThat(Bed.connects(modest.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();

        String counted = greedy.ip4().getHostAddress() + " limit rate 20/second";
        assertThat(bed.host.sh("nft list ruleset")).contains(counted);
        bed.on(all -> {
            all.release(greedy.id());
            return 0;
        });
        assertThat(bed.host.sh("nft list ruleset")).doesNotContain(counted);
    }

    /// It needs `NET_RAW` or `NET_ADMIN` for that.
    @Test
    void a_container_cannot_fill_the_table_of_neighbors_by_what_the_host_routes_back_to_its_network() {
        bed.on(all -> all.create(new NetworkSpec("both", List.of(), false, true, true, 0, Map.of())));
        Guest greedy = bed.guest("both");
        Attachment place = greedy.attachments().getFirst();

        for (Attachment.Address own :
                List.of(place.ip4().orElseThrow(), place.ip6().orElseThrow())) {
            String family = own.subnet().isIpv6() ? "-6" : "-4";
            String gateway = AddressText.of(own.gateway());
            greedy.namespace()
                    .sh(("ip %1$s route add %2$s dev eth0 metric 1; ip %1$s route del %3$s dev eth0;"
                                    + " ip %1$s route add %3$s via %2$s dev eth0")
                            .formatted(family, gateway, own.subnet()));

            int most = sendToMany(greedy, own.subnet());

            assertThat(neighbors(family, "dev " + place.bridge())).isBetween(100, most);
        }
    }

    @Test
    void destinations_behind_a_tunnel_of_the_host_are_no_neighbors() {
        bed.host.sh("ip tuntap add dev tun0 mode tun; ip link set tun0 up; ip addr add 10.5.0.1/32 dev tun0;"
                + " ip route add 10.77.0.0/16 dev tun0;"
                + " nft 'add table ip seen; add chain ip seen out { type filter hook postrouting priority 300; };"
                + " add rule ip seen out oifname tun0 counter'");
        Guest guest = bed.guest("bridge");

        sendToMany(guest, Subnet.parse("10.77.0.0/16"));

        assertThat(bed.host.sh("nft list chain ip seen out")).contains("counter packets 800 ");
    }

    /// Sends to 800 addresses of a subnet, and returns how many of them the host may ask for meanwhile, about.
    private static int sendToMany(Guest from, Subnet subnet) {
        long begun = System.nanoTime();
        from.namespace().sh("""
                timeout 20 python3 -c '
                import ipaddress, socket
                net = ipaddress.ip_network("%s")
                s = socket.socket(socket.AF_INET if net.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
                for i in range(100, 900): s.sendto(b"x", (str(net[i]), 9))'
                """.formatted(subnet));
        return 150 + 20 * (int) TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
    }

    /// Counts entries but those of multicast (NOARP), which the kernel makes for each address that it asks for
    /// over IPv6 and gives up as soon as it wants room.
    private int neighbors(String family, String which) {
        return Integer.parseInt(bed.host
                .sh("ip " + family + " neigh show " + which + " nud all | grep -v NOARP | wc -l")
                .strip());
    }

    @Test
    void tables_with_rules_of_another_version_are_made_anew() {
        bed.guest("bridge");
        String table = bed.host
                .sh("nft list tables inet | grep -o 'caisson-[0-9a-f]*'")
                .strip();
        String rules = bed.host.sh("nft list chain inet " + table + " next");
        bed.host.sh("nft 'delete table inet " + table + "; add table inet " + table
                + " { comment \"networks of Caisson, rules 7\"; }'");

        bed.guest("bridge");

        assertThat(bed.host.sh("nft list chain inet " + table + " next")).isEqualTo(rules);
        assertThat(bed.host.sh("nft list table inet " + table + " | grep -m 1 comment"))
                .containsPattern("rules [0-9a-f]{16}\"");
    }

    /// Measures one behind 900 others and one that is alone on a host of its own in turn, and compares the tenth of
    /// each that took least: what else the machine does slows down both, and what grows with the others is in each.
    @Test
    void the_thousandth_container_with_a_port_costs_what_the_first_ones_cost() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"), OWNER_ALONE);
        try (Bed empty = new Bed(other)) {
            for (int port = 20_000; port < 20_900; port++) {
                publish(bed, ContainerId.random(), port);
            }
            assertThat(bed.host.sh("nft list ruleset")).contains(". 20899 :");
            var behindOthers = new long[100];
            var alone = new long[100];
            for (int i = 0; i < 100; i++) {
                behindOthers[i] = publishAndRelease(bed, 20_900 + i);
                alone[i] = publishAndRelease(empty, 20_900 + i);
            }

            assertThat(leastTenth(behindOthers)).isLessThan(5 * leastTenth(alone));
        }
    }

    /// Counts the bytes that the kernel answers with, which no load of the machine changes: reading a set for a
    /// change has it answer with the elements of all others.
    @Test
    void a_change_reads_nothing_of_other_containers() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"), OWNER_ALONE);
        try (Bed empty = new Bed(other)) {
            for (int port = 20_000; port < 20_300; port++) {
                publish(bed, ContainerId.random(), port);
            }
            publish(empty, ContainerId.random(), 20_000);

            List<Long> behindOthers = answersToALife(bed, 20_900);

            assertThat(behindOthers).isEqualTo(answersToALife(empty, 20_900));
        }
    }

    /// Returns how many bytes the kernel answers with when a container gets a place, a port, a bandwidth and
    /// another name, and when it goes, in either way.
    private static List<Long> answersToALife(Bed where, int port) {
        var id = ContainerId.random();
        var ended = ContainerId.random();
        var mapping = new PortMapping(Optional.empty(), port, 80, Transport.TCP);
        List<NetworkEndpoint> bridge = List.of(NetworkEndpoint.on("bridge"));
        return where.on(all -> Stream.<Runnable>of(
                        () -> all.attach(id, "one", bridge),
                        () -> Bed.publish(all, id, List.of(mapping)),
                        () -> all.memberships().bound(id, Bandwidth.parse("1mbit")),
                        () -> all.rename(id, "one", "other"),
                        () -> all.release(id),
                        () -> all.attach(ended, "two", bridge),
                        () -> all.detach(ended))
                .map(change -> {
                    long before = all.kernel.answered();
                    change.run();
                    return all.kernel.answered() - before;
                })
                .toList());
    }

    private static long publishAndRelease(Bed where, int port) {
        var id = ContainerId.random();
        long nanos = publish(where, id, port);
        where.on(all -> {
            all.release(id);
            return 0;
        });
        return nanos;
    }

    /// Returns what it took of the processor's time.
    private static long publish(Bed where, ContainerId id, int port) {
        var mapping = new PortMapping(Optional.empty(), port, 80, Transport.TCP);
        return where.on(all -> {
            long start = ThreadClock.cpuNanos();
            all.attach(id, "", List.of(NetworkEndpoint.on("bridge")));
            Bed.publish(all, id, List.of(mapping));
            return ThreadClock.cpuNanos() - start;
        });
    }

    private static long leastTenth(long[] all) {
        long[] sorted = all.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 10];
    }
}
