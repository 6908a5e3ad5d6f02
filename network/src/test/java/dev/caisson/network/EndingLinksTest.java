package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Links of containers that are gone, in namespaces that are still there.
@Tag("root")
class EndingLinksTest extends OnAHost {
    private static final Duration SHORTLY = Duration.ofSeconds(1);

    @Test
    void a_container_that_is_detached_reaches_nobody_and_nobody_reaches_it_at_once() {
        Guest gone = bed.guest("bridge");
        Guest other = bed.guest("bridge");
        bed.listen(gone.namespace(), 80);
        bed.listen(other.namespace(), 80);
        assertThat(Bed.connects(gone.namespace(), other.ip4(), 80)).isTrue();
        assertThat(Bed.connects(other.namespace(), gone.ip4(), 80)).isTrue();

        detach(gone);

        assertThat(link(gone)).contains("state disabled");
        assertThat(bed.host.sh(
                        "bridge fdb show dev " + gone.attachments().getFirst().hostLink()))
                .doesNotContain(gone.attachments().getFirst().mac().toString());
        assertThat(Bed.isClosed(gone.namespace(), other.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(other.namespace(), gone.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(bed.host, gone.ip4(), 80)).isTrue();
        assertThat(Bed.pings(gone.namespace(), gone.gateway())).isFalse();
        assertThat(bed.host.sh("nft list ruleset"))
                .doesNotContain(gone.attachments().getFirst().hostLink());
    }

    @Test
    void the_next_container_with_the_address_is_reached_while_the_former_link_is_still_there() {
        Guest gone = bed.guest("bridge");
        Guest other = bed.guest("bridge");
        bed.listen(gone.namespace(), 80);
        assertThat(Bed.connects(other.namespace(), gone.ip4(), 80)).isTrue(); // its neighbor is known

        detach(gone);
        Guest next = bed.guest("bridge");
        bed.listen(next.namespace(), 81);

        assertThat(next.ip4()).isEqualTo(gone.ip4());
        assertThat(link(gone)).isNotEmpty();
        assertThat(next.attachments().getFirst().mac())
                .isEqualTo(gone.attachments().getFirst().mac());
        assertThat(Bed.isClosed(other.namespace(), next.ip4(), 80)).isTrue();
        assertThat(Bed.connects(other.namespace(), next.ip4(), 81)).isTrue();
    }

    @Test
    void a_link_that_somebody_keeps_is_removed_after_a_while() throws Exception {
        Guest gone = bed.guest("bridge");

        detach(gone);

        long begun = System.nanoTime();
        while (!link(gone).isEmpty()) {
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(20));
            Thread.sleep(50);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThan(SHORTLY);
    }

    @Test
    void links_are_gone_when_the_networks_are_closed() {
        Guest gone = bed.guest("bridge");
        Guest stays = bed.guest("bridge");
        detach(gone);

        bed.reopen();

        assertThat(link(gone)).isEmpty();
        assertThat(link(stays)).isNotEmpty();
    }

    @Test
    void the_link_of_a_process_that_was_killed_is_removed_by_the_next() {
        Guest gone = bed.guest("bridge");
        Guest stays = bed.guest("bridge");
        Networks killed = bed.host.call(() -> Networks.open(directory));
        bed.host.call(() -> {
            killed.detach(gone.id());
            return null;
        });
        assertThat(link(gone)).isNotEmpty();

        bed.<Void>on(all -> {
            all.recover(_ -> true);
            return null;
        });

        assertThat(link(gone)).isEmpty();
        killed.close();
        assertThat(link(stays)).isNotEmpty();
    }

    @Test
    void a_network_is_removed_at_once_behind_its_last_container() {
        bed.on(all -> all.create(NetworkSpec.of("web")));
        Guest gone = bed.guest("web");
        detach(gone);

        bed.<Void>on(all -> {
            all.remove("web");
            return null;
        });

        bed.reopen();
        assertThat(link(gone)).isEmpty();
        assertThat(bed.host.sh("nft list ruleset")).isEmpty();
    }

    @Test
    void what_is_no_port_of_a_bridge_any_more_is_removed_at_once() {
        Guest gone = bed.guest("bridge");
        bed.host.sh("ip link set " + gone.attachments().getFirst().hostLink() + " nomaster");

        detach(gone);

        assertThat(link(gone)).isEmpty();
    }

    @Test
    void one_that_begins_again_under_its_id_keeps_its_new_link() throws Exception {
        Guest gone = bed.guest("bridge");
        detach(gone);
        bed.host.sh("ip link del " + gone.attachments().getFirst().hostLink());
        ContainerId id = gone.id();
        Guest again = bed.started(id, bed.on(all -> all.attach(id, "", List.of(NetworkEndpoint.on("bridge")))));

        Thread.sleep(2_500);

        assertThat(link(again)).isNotEmpty();
    }

    private void detach(Guest guest) {
        bed.<Void>on(all -> {
            all.detach(guest.id());
            return null;
        });
    }

    /// Returns what the host has of the link; nothing if it is not there.
    private String link(Guest guest) {
        return bed.host.sh(
                "bridge -d link show dev " + guest.attachments().getFirst().hostLink()
                        + " 2>/dev/null || ip -o link show "
                        + guest.attachments().getFirst().hostLink()
                        + " 2>/dev/null || true");
    }
}
