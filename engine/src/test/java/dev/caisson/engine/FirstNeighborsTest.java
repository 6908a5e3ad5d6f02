package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.text.AddressText;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A container that was just started is reached by those who asked for it before, and reaches its gateway with
/// its first packet: nobody waits for the kernel's next question, which comes a second later.
@Tag("root")
@Tag("netns")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class FirstNeighborsTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("neighbors"), OwnDirectories.data("neighbors"));
    private static final ContainerSpec SLEEP = ContainerSpec.onHost("sleep", "60");
    /// The word by which ip(8) tells a neighbor that has not answered yet.
    private static final String WAITING = "INCOMPLETE";

    private NetworkBed bed;
    private Engine engine;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(new NetworkSpec("both", List.of(), false, true, true, 0, Map.of())));
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void close() {
        try {
            engine.close();
        } finally {
            bed.close();
        }
    }

    private static String inside(int pid, String command) {
        return NetworkBed.sh("nsenter -t " + pid + " -n sh -c '" + command + "'");
    }

    private static String ask(String address) {
        return "ip neigh flush all; ping -c 1 -W 0.1 " + address + " >/dev/null; ip neigh show to " + address;
    }

    @Test
    void who_asked_for_a_container_before_it_was_started_reaches_it_when_it_runs() throws Exception {
        Container other = engine.start(SLEEP.network(Network.on("both")), Streams.capture());
        for (int round = 0; round < 3; round++) {
            DetachedContainer made = engine.create(SLEEP.network(Network.on("both")), DetachedOptions.STANDARD);
            String four = bed.address(made.id(), 0);
            String six = AddressText.of(bed.networks(all -> all.attachments(made.id()))
                    .getFirst()
                    .ip6()
                    .orElseThrow()
                    .address());
            assertThat(List.of(NetworkBed.sh(ask(four)), NetworkBed.sh(ask(six)), inside(other.pid(), ask(four))))
                    .allSatisfy(neighbor -> assertThat(neighbor).contains(WAITING));

            made.start();

            MacAddress mac =
                    bed.networks(all -> all.attachments(made.id())).getFirst().mac();
            assertThat(List.of(
                            NetworkBed.sh("ip neigh show to " + four),
                            NetworkBed.sh("ip neigh show to " + six),
                            inside(other.pid(), "ip neigh show to " + four)))
                    .as("round " + round)
                    .allSatisfy(neighbor -> assertThat(neighbor).contains("lladdr " + mac));
            made.remove(true);
        }
    }

    @Test
    void a_container_knows_its_gateways_before_its_program_runs() throws Exception {
        Container container = engine.start(SLEEP.network(Network.on("both")), Streams.capture());

        String neighbors = inside(container.pid(), "ip neigh");

        bed.networks(all -> all.attachments(container.id()))
                .forEach(place -> List.of(place.ip4().orElseThrow(), place.ip6().orElseThrow())
                        .forEach(address -> assertThat(neighbors)
                                .containsPattern(AddressText.of(address.gateway())
                                                .replace(".", "\\.") + " dev eth0 lladdr [0-9a-f:]+ ")));
    }

    @Test
    void a_container_starts_though_its_gateway_does_not_answer() throws Exception {
        String bridge = bed.networks(all -> all.get("both")).bridge();
        engine.run(SLEEP.network(Network.on("both")).command("true"));
        NetworkBed.sh("nft add table netdev mute; nft add chain netdev mute out '{ type filter hook egress device "
                + bridge + " priority 0; policy drop; }'");

        RunResult result;
        try {
            result = engine.run(SLEEP.network(Network.on("both")).command("true"));
        } finally {
            NetworkBed.sh("nft delete table netdev mute"); // other tests have this namespace after it
        }

        assertThat(result.isOk()).isTrue();
    }
}
