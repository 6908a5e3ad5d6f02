package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.NetworkSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The counters that the host has of links, beside those that containers see.
@Tag("root")
class LinkCountersTest {
    private static final int ROUNDS = 20;

    @TempDir
    private Path directory;

    @Test
    void the_host_counts_what_a_container_counts_at_each_of_its_interfaces() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        try (var bed = new Bed(directory)) {
            bed.on(all -> all.create(NetworkSpec.of("one")));
            bed.on(all -> all.create(NetworkSpec.of("two")));
            Guest guest = bed.guest("one", "two");
            Guest other = bed.guest("one");
            guest.namespace()
                    .status("ping -n -c 3 -i 0.2 -s 1000 " + other.ip4().getHostAddress());

            List<InterfaceUse> host = bed.host.call(() -> LinkCounters.read(guest.id()));
            String inside = inside(guest);
            for (int i = 0; i < ROUNDS && !text(host).equals(inside); i++) { // a packet may come between the two looks
                host = bed.host.call(() -> LinkCounters.read(guest.id()));
                inside = inside(guest);
            }

            assertThat(text(host)).isEqualTo(inside);
            assertThat(host).extracting(InterfaceUse::name).containsExactly("eth0", "eth1");
            assertThat(host.getFirst().received().bytes()).isGreaterThan(3000);
            assertThat(host.getFirst().sent().packets())
                    .isGreaterThan(host.getLast().sent().packets());
            List<InterfaceUse> all = bed.host.call(() -> LinkCounters.read().of(other.id()));
            assertThat(all).hasSize(1);
            List<InterfaceUse> nobody = bed.host.call(() -> LinkCounters.read().of(ContainerId.random()));
            assertThat(nobody).isEmpty();
        }
    }

    private static String inside(Guest guest) {
        return guest.namespace()
                .sh("for i in eth0 eth1; do ip -s link show $i 2>/dev/null | awk '/^ *RX:|^ *TX:/ "
                        + "{getline; print $1, $2}'; done");
    }

    private static String text(List<InterfaceUse> uses) {
        var text = new StringBuilder();
        for (InterfaceUse use : uses) {
            for (InterfaceUse.Traffic way : List.of(use.received(), use.sent())) {
                text.append(way.bytes()).append(' ').append(way.packets()).append('\n');
            }
        }
        return text.toString();
    }
}
