package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PublishedPorts;
import dev.caisson.spec.Subnet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Places that no container has yet are in nobody's way.
@Tag("root")
class VacantPlacesTest {
    private static final Network.Joined ON_WEB = Network.on("web");

    @TempDir
    private Path directory;

    private Bed bed;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        var pool = new NetworkSpec.Pool(Subnet.parse("10.9.0.0/29"), Optional.empty(), Optional.empty());
        bed.on(all -> all.create(new NetworkSpec("web", List.of(pool), false, false, true, 0, Map.of())));
    }

    @AfterEach
    void close() {
        bed.close();
    }

    private Bed.Guest given(ContainerId next) {
        return bed.started(next, bed.on(all -> all.vacant().give(next, "web")));
    }

    private Optional<List<Attachment>> taken(ContainerId next, Network.Joined wish) {
        return bed.on(all -> all.vacant().take(next, "box", wish, ExposedPorts.NONE));
    }

    @Test
    void a_container_takes_the_place_with_its_name_and_its_wish() {
        var next = ContainerId.random();
        Bed.Guest guest = given(next);
        assertThat(bed.<List<Attachment>>on(all -> all.attachedTo("web"))).isEmpty();

        var wish =
                new Network.Joined(ON_WEB.endpoints(), PublishedPorts.NONE, NameLookup.STANDARD, Egress.parse("none"));
        List<Attachment> places = taken(next, wish).orElseThrow();

        assertThat(places.getFirst().ip4().orElseThrow().address()).isEqualTo(guest.ip4());
        assertThat(places.getFirst().aliases()).containsExactly("box");
        assertThat(bed.<List<Attachment>>on(all -> all.attachedTo("web"))).isEqualTo(places);
        assertThat(bed.<ContainerBounds>on(all -> all.bounds(next)))
                .isEqualTo(new ContainerBounds(Egress.parse("none"), List.of(), Bandwidth.ALL));
        assertThat(bed.<List<HostCheck>>on(all -> all.verify(next)))
                .isNotEmpty()
                .allMatch(HostCheck::asPlanned);
        assertThat(taken(next, wish)).as("taken twice").isEmpty();
    }

    @Test
    void who_asks_for_its_address_gets_that() {
        var next = ContainerId.random();
        Bed.Guest guest = given(next);
        NetworkEndpoint same = NetworkEndpoint.on("web").ip(guest.ip4().getHostAddress());

        assertThat(bed.<List<Attachment>>on(all -> all.preview(ContainerId.random(), "", List.of(same))))
                .hasSize(1);
        assertThat(bed.guest(List.of(same)).ip4()).isEqualTo(guest.ip4());

        assertThat(taken(next, ON_WEB)).isEmpty();
        assertThat(bed.host.sh("ip -br link show type veth"))
                .doesNotContain(guest.attachments().getFirst().hostLink());
    }

    @Test
    void the_last_address_is_for_a_container_that_is_there() {
        var next = ContainerId.random();
        given(next);
        for (int i = 0; i < 5; i++) { // a subnet of 29 bits has six for machines, one of them the gateway's
            bed.guest("web");
        }
        assertThatThrownBy(() -> bed.guest("web")).hasMessageContaining("no free address");
        assertThat(taken(next, ON_WEB)).isEmpty();
    }

    @Test
    void it_keeps_no_network_from_being_removed() {
        var next = ContainerId.random();
        given(next);
        bed.on(all -> {
            all.remove("web");
            return null;
        });
        assertThat(taken(next, ON_WEB)).isEmpty();
        assertThat(bed.host.sh("ip -br link")).doesNotContain("cv").doesNotContain("cn");
        assertThat(bed.host.sh("nft list tables")).doesNotContain("caisson");
    }

    @Test
    void one_whose_link_or_bridge_is_gone_is_not_taken() {
        var without = ContainerId.random();
        Bed.Guest guest = given(without);
        bed.host.sh("ip link del " + guest.attachments().getFirst().hostLink());
        assertThat(taken(without, ON_WEB)).as("without its link").isEmpty();
        bed.on(all -> {
            all.release(without);
            return null;
        });

        var moved = ContainerId.random();
        guest = given(moved);
        bed.host.sh("ip link del " + guest.attachments().getFirst().bridge());
        assertThat(taken(moved, ON_WEB)).as("its bridge was made anew").isEmpty();
    }

    @Test
    void another_process_leaves_it_as_long_as_its_owner_is_there() {
        var next = ContainerId.random();
        Bed.Guest guest = given(next);
        bed.reopen();
        bed.on(all -> {
            all.recover(next::equals);
            return null;
        });
        assertThat(bed.<List<Attachment>>on(all -> all.attachedTo("web"))).isEmpty();
        assertThat(bed.host.sh("ip -br link"))
                .contains(guest.attachments().getFirst().hostLink());

        bed.on(all -> {
            all.recover(_ -> false);
            return null;
        });
        assertThat(bed.host.sh("ip -br link"))
                .doesNotContain(guest.attachments().getFirst().hostLink());
    }

    @Test
    void no_other_wish_takes_it() {
        NetworkEndpoint web = NetworkEndpoint.on("web");
        assertThat(VacantPlaces.networkOf(ON_WEB)).contains("web");
        assertThat(VacantPlaces.networkOf(ON_WEB.and(NetworkEndpoint.on("other"))))
                .isEmpty();
        assertThat(VacantPlaces.networkOf(on(web.ip("10.9.0.4")))).isEmpty();
        assertThat(VacantPlaces.networkOf(on(web.mac(MacAddress.parse("02:00:00:00:00:07")))))
                .isEmpty();
    }

    private static Network.Joined on(NetworkEndpoint endpoint) {
        return new Network.Joined(List.of(endpoint), PublishedPorts.NONE, NameLookup.STANDARD);
    }
}
