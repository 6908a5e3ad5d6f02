package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.Verifier;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers in the network of another one: what they have, what they cannot do, and what becomes of them when it
/// ends.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class SharedNetworkTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("shared"), OwnDirectories.data("shared"));
    private static final String SERVES = """
            import socket
            t = socket.socket(); t.bind(("127.0.0.1", 80)); t.listen()
            while True:
                c, _ = t.accept(); c.sendall(b"served"); c.close()
            """;
    private static final String ASKS_ONCE =
            "python3 -c 'import socket; print(socket.create_connection((\"127.0.0.1\", 80), 3).recv(9))' 2>&1";
    /// A program serves later than its container has started.
    private static final String ASKS =
            "for i in $(seq 200); do " + ASKS_ONCE + " | grep served && break; sleep 0.1; done";

    private static final String PINGS = """
            import socket, sys
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP); s.settimeout(3)
            s.sendto(bytes([8, 0, 0, 0, 0, 0, 0, 1]), (sys.argv[1], 0)); s.recv(99); print("answered")
            """;

    private NetworkBed bed;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("front")));
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

    private static DetachedContainer made(String name, Network network, String... command) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.create(ContainerSpec.onHost(command).name(name).network(network), DetachedOptions.STANDARD);
        }
    }

    private static String run(Network network, String script) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.run(ContainerSpec.onHost("sh", "-c", script).network(network), Streams.capture())
                    .stdout();
        }
    }

    private static String inside(DetachedContainer container, String script) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.exec(container.name(), Exec.of("sh", "-c", script), Streams.capture())
                    .stdout();
        }
    }

    private static boolean isAsPlanned(DetachedContainer container) {
        return Verification.of(container.name(), OPTIONS).checks().stream().allMatch(Verifier.Check::asPlanned);
    }

    @Test
    void it_is_in_the_network_of_the_other_and_cannot_change_it() throws Exception {
        DetachedContainer web = made("web", Network.on("front"), "python3", "-c", SERVES);
        web.start();
        String address = bed.address(web.id(), 0);

        String seen = run(
                Network.ofContainer("web"),
                ASKS + "; hostname; cat /etc/hosts; ls /sys/class/net | tr '\\n' ' '; ip link set eth0 down 2>&1;"
                        + " ip addr add 10.1.1.1/24 dev lo 2>&1; nft list ruleset 2>&1; ip -br addr");
        assertThat(seen)
                .contains("b'served'", web.id().shortForm() + "\n", address + "\t", "eth0 lo ", address + "/")
                .doesNotContain("10.1.1.1/24", "lan0")
                .contains("not permitted");
        assertThat(inside(web, "cat /sys/class/net/eth0/operstate")).isEqualTo("up\n");
        assertThat(NetworkBed.links()).hasSize(1);
    }

    @Test
    void it_keeps_the_network_that_it_was_started_with_until_its_next_start() throws Exception {
        DetachedContainer web = made("web", Network.on("front"), "python3", "-c", SERVES);
        DetachedContainer side = made("side", Network.ofContainer("web"), "sleep", "1000");
        assertThatThrownBy(side::start).hasMessageContaining("web").hasMessageContaining("does not run");
        web.start();
        side.start();
        assertThat(inside(side, ASKS)).contains("served");
        assertThat(isAsPlanned(side)).isTrue();
        assertThat(NetworkPlaces.of(side.id(), OPTIONS).of()).hasValue(web.id());

        web.rename("shop");
        web.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
        assertThat(inside(side, ASKS_ONCE)).doesNotContain("served");
        assertThat(isAsPlanned(side)).isFalse();
        side.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
        assertThat(inside(side, ASKS)).contains("served");
        assertThat(isAsPlanned(side)).isTrue();

        web.remove(true);
        assertThat(NetworkBed.links()).isEmpty();
        assertThat(inside(side, "ls /sys/class/net")).isEqualTo("lo\n");
        assertThatThrownBy(() -> side.restart(OptionalInt.empty(), Optional.of(Duration.ZERO)))
                .hasMessageContaining(web.id().shortForm())
                .hasMessageContaining("is gone: create this one again");
    }

    @Test
    void its_policy_starts_it_in_the_network_that_the_other_has_now_and_in_no_other() throws Exception {
        DetachedContainer web = made("web", Network.on("front"), "python3", "-c", SERVES);
        web.start();
        DetachedContainer side;
        try (Engine engine = Engine.open(OPTIONS)) {
            side = engine.create(
                    ContainerSpec.onHost(
                                    "sh", "-c", "rm -f /tmp/end; while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 3")
                            .name("side")
                            .network(Network.ofContainer("web")),
                    DetachedOptions.STANDARD.restart(RestartPolicy.parse("always")));
        }
        side.start();
        web.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
        assertThat(inside(side, ASKS_ONCE + "; touch /tmp/end")).doesNotContain("served");
        await(() -> side.restarts() == 1 && side.state() instanceof ContainerState.Running);
        assertThat(inside(side, ASKS)).contains("served");
        assertThat(isAsPlanned(side)).isTrue();
        assertThat(side.refusal()).isEmpty();

        web.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
        assertThat(NetworkBed.links()).isEmpty();
        assertThat(inside(side, "ls /sys/class/net; touch /tmp/end")).isEqualTo("lo\n");
        await(() -> side.refusal().isPresent());
        assertThat(side.refusal().orElseThrow()).contains("NETWORK_ENDED").contains("side");
        web.start();
        await(() -> side.state() instanceof ContainerState.Running);
        assertThat(inside(side, ASKS)).contains("served");
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long until = System.nanoTime() + 30_000_000_000L;
        while (!condition.holds()) {
            assertThat(System.nanoTime()).isLessThan(until);
            Thread.sleep(20);
        }
    }

    @Test
    void its_traffic_is_that_of_the_network_and_it_may_ping() throws Exception {
        DetachedContainer web = made("web", Network.on("front"), "sleep", "1000");
        web.start();
        DetachedContainer side = made("side", Network.ofContainer("web"), "sleep", "1000");
        side.start();
        String gateway = bed.address(web.id(), 0).replaceAll("\\.\\d+$", ".1");
        assertThat(inside(side, "python3 -c '" + PINGS + "' " + gateway)).isEqualTo("answered\n");
        assertThat(inside(web, "python3 -c '" + PINGS + "' " + gateway)).isEqualTo("answered\n");

        try (var survey = new Survey(OPTIONS)) {
            Map<String, List<InterfaceUse>> seen = survey.read().stream()
                    .collect(Collectors.toMap(
                            Survey.Sample::name, sample -> sample.usage().interfaces()));
            assertThat(seen.get("side"))
                    .isEqualTo(seen.get("web"))
                    .singleElement()
                    .satisfies(use -> assertThat(use.sent().bytes()).isPositive());
            web.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
            assertThat(survey.read())
                    .filteredOn(sample -> sample.name().equals("side"))
                    .singleElement()
                    .satisfies(sample -> assertThat(sample.usage().interfaces()).isEmpty());
        }
    }

    @Test
    void who_may_ping_stays_as_it_was_chosen() throws Exception {
        DetachedContainer web;
        try (Engine engine = Engine.open(OPTIONS)) {
            web = engine.create(
                    ContainerSpec.onHost("sleep", "1000")
                            .name("web")
                            .network(Network.on("front"))
                            .sysctl("net.ipv4.ping_group_range", "1 0"),
                    DetachedOptions.STANDARD);
        }
        web.start();
        DetachedContainer side = made("side", Network.ofContainer("web"), "sleep", "1000");
        side.start();
        assertThat(inside(side, "python3 -c '" + PINGS + "' 127.0.0.1 2>&1")).contains("PermissionError");
    }

    @Test
    void its_network_is_changed_and_joined_by_way_of_the_other_alone() throws Exception {
        DetachedContainer web = made("web", Network.none(), "sleep", "1000");
        web.start();
        DetachedContainer side = made("side", Network.ofContainer("web"), "sleep", "1000");
        side.start();
        assertThat(inside(side, "ls /sys/class/net")).isEqualTo("lo\n");
        assertThatThrownBy(() -> side.egress(Egress.parse("none"))).hasMessageContaining("shares the network");
        assertThatThrownBy(() -> side.networks().connect(NetworkEndpoint.on("front")))
                .hasMessageContaining("shares the network");
        assertThatThrownBy(() -> run(Network.ofContainer("side"), "true"))
                .hasMessageContaining("shares that of another container itself");
        assertThatThrownBy(() -> run(Network.ofContainer("nobody"), "true")).hasMessageContaining("does not exist");
    }
}
