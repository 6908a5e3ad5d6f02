package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.HostCheck;
import dev.caisson.spec.NetworkSpec;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;

/// The same with a container on a network that publishes a port: no link, rule, element, address or socket is left, and
/// one that is started again has all of them.
@Tag("netns")
class NetworkedFailpointTest extends DetachedFailpointTest {
    private NetworkBed bed;
    private NetworkKeeper keeper;

    @BeforeEach
    @Override
    void look() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of(FailpointActor.NETWORK)));
        try (Engine _ = Engine.open(OPTIONS)) {
            keeper = NetworkKeeper.open(OPTIONS).orElseThrow();
        }
        super.look();
    }

    @AfterEach
    @Override
    void end() throws Exception {
        try {
            super.end();
        } finally {
            keeper.close();
            bed.close();
        }
    }

    @Override
    int lines() {
        return Integer.getInteger("caisson.test.failpoints", 1);
    }

    @Override
    FailpointActor.Has has() {
        return FailpointActor.Has.NETWORK;
    }

    @Override
    List<String> networks() {
        return List.of(
                String.join("\n", NetworkBed.everything()),
                NetworkBed.sh("ss -Hlnt sport = :" + FailpointActor.PUBLISHED));
    }

    @Override
    void checkRunning(String as) throws Exception {
        List<HostCheck> checks = bed.networks(all -> all.verify(box().id()));
        assertThat(checks).as(as).isNotEmpty().allMatch(HostCheck::asPlanned);
        assertThat(NetworkBed.links()).as(as).hasSize(1);
        assertThat(Verification.of(box().name(), OPTIONS).checks())
                .as(as)
                .filteredOn(check -> !check.asPlanned())
                .isEmpty();
        NetworkKeeper.awaitPorts(box(), OPTIONS);
    }
}
