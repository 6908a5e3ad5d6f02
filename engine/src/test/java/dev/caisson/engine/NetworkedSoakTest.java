package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.Processes;
import dev.caisson.network.Attachment;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A long life of one engine with networks, made short: runs, published ports, connects, restarts, kills and networks
/// in a random order. Links, addresses, elements of the packet filter, sockets and descriptors do not grow.
///
/// `-Dcaisson.test.soak=1000` tries more acts; a failure names its seed for `-Dcaisson.test.seed`.
@Tag("root")
@Tag("netns")
@Timeout(value = 2, unit = TimeUnit.HOURS)
class NetworkedSoakTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("networked-soak"), OwnDirectories.data("networked-soak"));
    private static final int ACTS = Integer.getInteger("caisson.test.soak", 24);
    private static final long SEED = Long.getLong("caisson.test.seed", 1);
    private static final int WARM = 12;
    private static final int RESTS = 4;
    private static final int SIGKILL = 9;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final ContainerSpec WAITING = ContainerSpec.onHost("sleep", "1000");

    private enum Act {
        RUN,
        PUBLISH,
        CONNECT,
        RESTART,
        KILL,
        NETWORK
    }

    /// What the host has at rest.
    ///
    /// @param network tables with their elements, links, addresses and routes
    /// @param sockets of this namespace
    private record Held(Traces traces, List<String> network, long sockets) {}

    private final Map<Act, Integer> done = new TreeMap<>();
    private NetworkBed bed;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("front")));
        bed.networks(all -> all.create(NetworkSpec.of("back")));
    }

    @AfterEach
    void removeAll() throws Exception {
        try {
            for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
                new DetachedContainer(place).remove(true);
            }
        } finally {
            bed.close();
        }
    }

    @Test
    void nothing_of_networks_grows_in_a_long_life() throws Exception {
        var random = new SplittableRandom(SEED);
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer box =
                    engine.create(WAITING.name("soaked").network(Network.on("front")), DetachedOptions.STANDARD);
            box.start();
            live(engine, box, random, WARM);
            List<Held> before = new ArrayList<>();
            for (int i = 0; i < RESTS; i++) {
                before.add(rest(engine, box));
            }

            live(engine, box, random, Math.max(0, ACTS - WARM));

            Held after = rest(engine, box);
            for (int i = 0; i < RESTS && !isOneOf(after, before); i++) {
                after = rest(engine, box);
            }
            if (!isOneOf(after, before)) {
                assertThat(after).as("seed %d, %s", SEED, done).isEqualTo(before.getLast());
            }
        }
    }

    /// What is there once the same acts have been done, behind which a monitor and a container are begun ahead. Which
    /// of
    /// them are there at rest depends on who was faster, so several rests are looked at. What leaks never goes.
    private Held rest(Engine engine, DetachedContainer box) throws Exception {
        act(Act.PUBLISH, engine, box);
        act(Act.RUN, engine, box);
        return held(Traces.settled(OPTIONS));
    }

    private static boolean isOneOf(Held after, List<Held> before) {
        return before.stream()
                .anyMatch(one -> after.traces().equals(one.traces())
                        && after.network().equals(one.network())
                        && after.sockets() <= one.sockets());
    }

    /// The kernel counts what it remembers of packets; whatever goes by itself is not held. The place of the next
    /// container, which has another address each time, is taken back.
    private Held held(Traces traces) {
        bed.networks(all -> {
            Set<ContainerId> there = all.list().stream()
                    .flatMap(network -> all.attachedTo(network.name()).stream())
                    .map(Attachment::container)
                    .collect(Collectors.toSet());
            assertThat(records()).as("of the next container alone").hasSizeLessThanOrEqualTo(there.size() + 1);
            all.recover(there::contains);
            return there;
        });
        List<String> network = NetworkBed.everything().stream()
                .filter(line -> !line.contains("expires"))
                .toList();
        long sockets = NetworkBed.sh("ss -Htua").lines().count();
        return new Held(traces, network, sockets);
    }

    private static String[] records() {
        return Objects.requireNonNull(
                OPTIONS.networks().resolve("containers").toFile().list());
    }

    private void live(Engine engine, DetachedContainer box, SplittableRandom random, int acts) throws Exception {
        for (int i = 0; i < acts; i++) {
            Act act = i < Act.values().length ? Act.values()[i] : Act.values()[random.nextInt(Act.values().length)];
            try {
                act(act, engine, box);
            } catch (CaissonException | AssertionError e) {
                throw new AssertionError("seed " + SEED + ", act " + i + ", " + act + " after " + done, e);
            }
            done.merge(act, 1, Integer::sum);
        }
        act(Act.RUN, engine, box); // behind which the next container is begun ahead
    }

    private void act(Act act, Engine engine, DetachedContainer box) throws Exception {
        switch (act) {
            case RUN ->
                assertThat(engine.run(ContainerSpec.onHost("sh", "-c", "exit 3").network(Network.on("front")))
                                .exitCode())
                        .isEqualTo(3);
            case PUBLISH -> {
                Network published = Network.on("back")
                        .publish(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP))
                        .publish(new PortMapping(Optional.empty(), 8080, 80, Transport.UDP));
                DetachedContainer one =
                        engine.create(WAITING.name("published").network(published), DetachedOptions.STANDARD);
                one.start();
                one.remove(true);
            }
            case CONNECT -> {
                box.networks().connect(NetworkEndpoint.on("back"));
                box.networks().disconnect("back");
            }
            case RESTART -> box.restart(OptionalInt.of(SIGKILL), Optional.empty());
            case KILL -> {
                kill(box);
                box.start();
            }
            case NETWORK -> {
                bed.networks(all -> all.create(NetworkSpec.of("brief")));
                bed.networks(all -> {
                    all.remove("brief");
                    return null;
                });
            }
        }
    }

    private static void kill(DetachedContainer box) throws Exception {
        try (var process = Processes.open(box.state().pid())) {
            boolean _ = Processes.signal(process, SIGKILL);
        }
        long until = System.nanoTime() + PATIENCE_NANOS;
        while (box.state() instanceof ContainerState.Running) {
            assertThat(System.nanoTime()).isLessThan(until);
            Thread.sleep(5);
        }
    }
}
