package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
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
}
