package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.network.filter.Tables;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tables of the kernel that all containers share: what one of them may take, and what a large one costs.
@Tag("root")
class SharedTablesTest {
    @TempDir
    private Path directory;

    private Bed bed;

    @BeforeEach
    void makeAHost() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
    }

    @AfterEach
    void leave() {
        bed.close();
    }

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

    @Test
    void a_container_cannot_fill_the_table_of_neighbors_through_the_host() {
        bed.host.sh("ip addr add 10.77.0.1/16 dev lan0");
        bed.neighbor.sh("ip addr add 10.77.255.1/16 dev lan0");
        Guest greedy = bed.guest("bridge");
        Guest modest = bed.guest("bridge");
        bed.listen(bed.neighbor, 80);

        greedy.namespace().sh("""
                timeout 20 python3 -c '
                import socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                for i in range(800): s.sendto(b"x", ("10.77.%d.%d" % (i // 200, i % 200 + 2), 9))'
                """);

        int count = Integer.parseInt(
                bed.host.sh("ip -4 neigh show to 10.77.0.0/16 nud all | wc -l").strip());
        assertThat(count).isBetween(100, 200);
        assertThat(Bed.connects(modest.namespace(), Bed.ip("10.77.255.1"), 80)).isTrue();
        assertThat(Bed.connects(modest.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
    }

    /// Medians of a hundred, early and late, so that a busy machine is in both; what grows with the number of elements
    /// or records grows eightfold.
    @Test
    void the_thousandth_container_with_a_port_costs_what_the_first_ones_cost() {
        int count = 1000;
        long[] nanos = new long[count];
        for (int i = 0; i < count; i++) {
            var id = ContainerId.random();
            var port = new PortMapping(Optional.empty(), 20_000 + i, 80, Transport.TCP);
            long start = System.nanoTime();
            bed.on(all -> {
                all.attach(id, "", List.of(NetworkEndpoint.on("bridge")));
                return all.publish(id, List.of(port));
            });
            nanos[i] = System.nanoTime() - start;
        }

        assertThat(bed.host.sh("nft list ruleset")).contains(". 20999 :");
        assertThat(median(nanos, 900, 1000)).isLessThan(4 * median(nanos, 100, 200));
    }

    private static long median(long[] all, int from, int to) {
        long[] part = Arrays.copyOfRange(all, from, to);
        Arrays.sort(part);
        return part[part.length / 2];
    }
}
