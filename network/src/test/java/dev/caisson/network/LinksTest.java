package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.Transport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Links between containers of networks where containers do not reach each other, tried with packets.
@Tag("root")
class LinksTest {
    private static final List<ContainerPort> EXPOSED =
            List.of(new ContainerPort(80, Transport.TCP), new ContainerPort(53, Transport.UDP));

    @TempDir
    private Path directory;

    private Bed bed;

    @BeforeEach
    void makeAHost() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        create("apart", false);
        create("inside", true);
    }

    @AfterEach
    void leave() {
        bed.close();
    }

    private void create(String name, boolean internal) {
        bed.on(all -> all.create(new NetworkSpec(name, List.of(), internal, true, false, 0, Map.of())));
    }

    private Guest guest(String name, NetworkEndpoint... endpoints) {
        var id = ContainerId.random();
        Guest guest = bed.started(id, bed.on(all -> all.attach(id, name, List.of(endpoints), Egress.all(), EXPOSED)));
        bed.listen(guest.namespace(), 80);
        bed.listen(guest.namespace(), 81);
        return guest;
    }

    private static NetworkEndpoint linked(String network, String... links) {
        NetworkEndpoint endpoint = NetworkEndpoint.on(network);
        for (String link : links) {
            endpoint = endpoint.link(ContainerLink.parse(link));
        }
        return endpoint;
    }

    @Test
    void a_linked_container_is_reached_by_the_one_that_is_linked_to_it_and_by_nobody_else() {
        Guest db = guest("db", NetworkEndpoint.on("apart"));
        Guest web = guest("web", linked("apart", "db:database", db.id().value() + ":again"));
        Guest other = guest("other", NetworkEndpoint.on("apart"));

        assertReachedByWebAlone(db, web, other);
        bed.host.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0");
        assertReachedByWebAlone(db, web, other);
        assertThat(Bed.pings(web.namespace(), db.ip4())).isFalse();
        assertThat(Bed.pings(other.namespace(), db.ip4())).isFalse();
    }

    @Test
    void a_link_opens_the_ports_that_the_other_one_exposes_over_ipv4_alone() {
        Guest db = guest("db", NetworkEndpoint.on("apart"));
        Guest web = guest("web", linked("apart", "db"));

        assertThat(Bed.connects(web.namespace(), db.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(web.namespace(), db.ip4(), 81)).isTrue();
        assertThat(Bed.isClosed(web.namespace(), db.ip6(), 80)).isTrue();
        assertThat(web.attachments().getFirst().links().getFirst().ip6()).isEmpty();
        assertThat(bed.host.sh("nft list set inet " + table() + " linked"))
                .contains(web.ip4().getHostAddress() + " . " + db.ip4().getHostAddress() + " . tcp . 80")
                .contains(web.ip4().getHostAddress() + " . " + db.ip4().getHostAddress() + " . udp . 53")
                .doesNotContain(" . 81");
    }

    @Test
    void a_link_to_a_container_that_exposes_nothing_opens_nothing() {
        var id = ContainerId.random();
        Guest db = bed.started(id, bed.on(all -> all.attach(id, "db", List.of(NetworkEndpoint.on("apart")))));
        bed.listen(db.namespace(), 80);
        Guest web = guest("web", linked("apart", "db"));

        assertThat(Bed.isClosed(web.namespace(), db.ip4(), 80)).isTrue();
        assertThat(Bed.pings(web.namespace(), web.gateway())).isTrue();
    }

    private static void assertReachedByWebAlone(Guest db, Guest web, Guest other) {
        assertThat(Bed.connects(web.namespace(), db.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(db.namespace(), web.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(db.namespace(), web.ip6(), 80)).isTrue();
        assertThat(Bed.isClosed(other.namespace(), db.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(web.namespace(), other.ip4(), 80)).isTrue();
    }

    @Test
    void a_link_of_an_internal_network_leads_nowhere_else() {
        Guest db = guest("db", NetworkEndpoint.on("inside"));
        Guest web = guest("web", linked("inside", "db"));
        bed.listen(bed.neighbor, 80);

        assertThat(Bed.connects(web.namespace(), db.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(web.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
    }

    @Test
    void a_link_ends_with_its_container_and_is_not_the_next_ones_at_that_address() {
        Guest db = guest("db", NetworkEndpoint.on("apart"));
        Guest web = guest("web", linked("apart", "db"));
        assertThat(Bed.connects(web.namespace(), db.ip4(), 80)).isTrue();

        bed.on(all -> {
            all.release(db.id());
            return null;
        });
        Guest next = guest("next", NetworkEndpoint.on("apart"));

        assertThat(next.ip4()).isEqualTo(db.ip4());
        assertThat(Bed.isClosed(web.namespace(), next.ip4(), 80)).isTrue();
        bed.host.sh("nft flush ruleset");
        bed.on(all -> all.attach(web.id(), "", List.of()));
        assertThat(Bed.isClosed(web.namespace(), next.ip4(), 80)).isTrue();
    }

    @Test
    void a_link_ends_when_its_container_leaves_the_network_and_comes_back_after_a_flush_while_it_is_there() {
        Guest db = guest("db", NetworkEndpoint.on("apart"), NetworkEndpoint.on("inside"));
        Guest web = guest("web", linked("apart", "db"), linked("inside", "db:inner"));

        bed.host.sh("nft flush ruleset");
        bed.on(all -> all.attach(web.id(), "", List.of()));
        assertThat(Bed.connects(web.namespace(), db.ip4(), 80)).isTrue();
        bed.on(all -> all.memberships().leave(db.id(), "db", "apart"));
        bed.on(all -> {
            all.memberships().remove(db.id());
            return null;
        });

        List<Attachment> places = bed.on(all -> all.attachments(web.id()));
        List<String> left = places.stream()
                .flatMap(place -> place.links().stream())
                .map(Attachment.Linked::alias)
                .toList();
        assertThat(left).containsExactly("inner");
        assertThat(bed.host.sh("nft list set inet " + table() + " linked"))
                .doesNotContain(db.ip4().getHostAddress());
    }

    private String table() {
        return bed.host.sh("nft list tables inet").strip().split(" ", -1)[2];
    }

    @Test
    void what_is_no_neighbor_cannot_be_linked() {
        guest("db", NetworkEndpoint.on("apart"));

        assertThatThrownBy(() -> guest("web", linked("inside", "db")))
                .isInstanceOf(NetworkException.class)
                .hasMessageContaining("container db is not on network inside, but on apart: put both on one network");
        assertThatThrownBy(() -> guest("web", linked("apart", "nobody")))
                .isInstanceOf(NetworkException.class)
                .hasMessageContaining("container nobody is on no network, or is not there");
        List<Attachment> there = bed.on(all -> all.attachedTo("apart"));
        assertThat(there).hasSize(1);
    }
}
