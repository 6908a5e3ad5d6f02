package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.Verifier;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
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
    private static final String ASKS =
            "python3 -c 'import socket; print(socket.create_connection((\"127.0.0.1\", 80), 3).recv(9))' 2>&1";

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
        assertThat(inside(side, ASKS)).doesNotContain("served");
        assertThat(isAsPlanned(side)).isFalse();
        side.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
        assertThat(inside(side, ASKS)).contains("served");
        assertThat(isAsPlanned(side)).isTrue();

        web.remove(true);
        assertThat(NetworkBed.links()).isEmpty();
        assertThat(inside(side, "ls /sys/class/net")).isEqualTo("lo\n");
        assertThatThrownBy(() -> side.restart(OptionalInt.empty(), Optional.of(Duration.ZERO)))
                .hasMessageContaining("does not run");
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
