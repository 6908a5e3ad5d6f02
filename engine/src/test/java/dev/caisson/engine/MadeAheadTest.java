package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.Image;
import dev.caisson.network.Attachment;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// An engine that has launched twice has the next first process made ahead: one for containers on networks, and one
/// for those without.
@Tag("root")
@Tag("netns")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class MadeAheadTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("made-ahead"), OwnDirectories.data("made-ahead"));

    private static final ContainerSpec ALONE = ContainerSpec.of(Image.host(), "ls", "/sys/class/net");

    private final ConcurrentLinkedQueue<Moment> moments = new ConcurrentLinkedQueue<>();
    private NetworkBed bed;
    private Engine engine;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        engine = new Engine(OPTIONS, new Probe() {
            @Override
            public void reached(Moment moment) {
                moments.add(moment);
            }

            @Override
            public OptionalInt pauseBefore() {
                return OptionalInt.empty();
            }
        });
    }

    @AfterEach
    void close() {
        try {
            engine.close();
            assertThat(NetworkBed.links()).isEmpty();
        } finally {
            bed.close();
        }
    }

    /// @return true if it had what was made ahead, and took no range of ids itself
    private boolean takesWhatWaits(ContainerSpec spec, String links) throws InterruptedException {
        Thread.sleep(20); // a place is given ahead where launches have pauses
        moments.clear();
        assertThat(engine.run(spec).stdout().lines()).containsExactlyInAnyOrder(links.split(" "));
        return !moments.contains(Moment.RANGE_TAKEN);
    }

    @Test
    void a_container_on_a_network_takes_what_was_made_ahead_for_such() throws Exception {
        ContainerSpec onWeb = ALONE.network(Network.on("web"));

        assertThat(takesWhatWaits(onWeb, "lo eth0")).isFalse();
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isFalse();
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isTrue();

        assertThat(takesWhatWaits(ALONE, "lo")).isFalse();
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isTrue();
        assertThat(takesWhatWaits(ALONE, "lo")).isFalse();
        assertThat(takesWhatWaits(ALONE, "lo")).isTrue();
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isTrue();
    }

    @Test
    void one_that_gets_no_place_removes_what_it_took() throws Exception {
        ContainerSpec onWeb = ALONE.network(Network.on("web"));
        ContainerSpec elsewhere = ALONE.network(Network.on("nowhere"));
        takesWhatWaits(onWeb, "lo eth0");
        takesWhatWaits(onWeb, "lo eth0");

        moments.clear();
        assertThatThrownBy(() -> engine.run(elsewhere)).hasMessageContaining("nowhere");

        assertThat(moments).contains(Moment.RECORD_REMOVED, Moment.RANGE_GIVEN_BACK, Moment.NEXT_ASKED);
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isTrue();
    }

    /// Waits until the next one's link is there, which another thread makes.
    private static String nextLink() throws InterruptedException {
        for (int looks = 0; looks < 1000; looks++) {
            List<String> links = NetworkBed.links();
            if (links.size() == 1) {
                return links.getFirst();
            }
            Thread.sleep(10); // also while those of ended containers go
        }
        throw new AssertionError("no link is made ahead, or others stay: " + NetworkBed.links());
    }

    @Test
    void after_two_on_a_network_the_next_has_its_place_there_already() throws Exception {
        ContainerSpec onWeb = ALONE.network(Network.on("web"));
        takesWhatWaits(onWeb, "lo eth0");
        takesWhatWaits(onWeb, "lo eth0");

        String link = nextLink();
        assertThat(bed.<List<Attachment>>networks(all -> all.attachedTo("web"))).isEmpty();
        try (Session _ =
                engine.session(ContainerSpec.onHost().network(Network.on("web")).name("third"))) {
            assertThat(NetworkBed.links()).contains(link);
            List<Attachment> attached = bed.networks(all -> all.attachedTo("web"));
            assertThat(attached).singleElement().satisfies(place -> {
                assertThat(place.hostLink()).isEqualTo(link);
                assertThat(place.aliases()).containsExactly("third");
            });
        }
    }

    @Test
    void another_network_is_joined_by_who_finds_a_place_elsewhere() throws Exception {
        bed.networks(all -> all.create(NetworkSpec.of("other")));
        ContainerSpec onWeb = ALONE.network(Network.on("web"));
        ContainerSpec onOther = ALONE.network(Network.on("other"));
        takesWhatWaits(onWeb, "lo eth0");
        takesWhatWaits(onWeb, "lo eth0");
        nextLink();

        assertThat(takesWhatWaits(onOther, "lo eth0")).isFalse();
        assertThat(takesWhatWaits(onOther.network(Network.on("other").and(NetworkEndpoint.on("web"))), "lo eth0 eth1"))
                .isTrue();
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isTrue();
    }

    @Test
    void a_place_whose_link_or_network_somebody_has_removed_is_made_anew() throws Exception {
        ContainerSpec onWeb = ALONE.network(Network.on("web"));
        takesWhatWaits(onWeb, "lo eth0");
        takesWhatWaits(onWeb, "lo eth0");

        NetworkBed.sh("ip link del " + nextLink());
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isFalse();

        nextLink();
        bed.networks(all -> {
            all.remove("web");
            return all.create(NetworkSpec.of("web"));
        });
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isFalse();
        assertThat(takesWhatWaits(onWeb, "lo eth0")).isTrue();
    }
}
