package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.Verifier;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers in the network of the host: what they reach, and what they cannot do there.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class HostNetworkTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("hostnet"), OwnDirectories.data("hostnet"));
    private static final String ABSTRACT = "caisson-test-of-the-host";
    private static final String ASKS = """
            python3 - 2>&1 <<'E'
            import socket
            print(socket.create_connection(("127.0.0.1", 8123), 3).recv(9))
            u = socket.socket(socket.AF_UNIX)
            try: u.connect("\\0caisson-test-of-the-host"); print("in")
            except OSError as e: print("kept out", e.errno)
            for kind in (("raw", socket.AF_INET, socket.SOCK_RAW, 1), ("packet", socket.AF_PACKET, socket.SOCK_RAW, 3)):
                try: socket.socket(*kind[1:]); print("has", kind[0])
                except OSError as e: print("no", kind[0])
            try: socket.socket().bind(("127.0.0.1", 80)); print("has low ports")
            except OSError as e: print("no low ports")
            E
            for f in net/ipv4/ip_forward net/core/somaxconn; do echo 1 > /proc/sys/$f || echo kept; done 2>/dev/null
            ip link set lo mtu 1000 2>/dev/null || echo kept; nft list ruleset 2>/dev/null || echo kept; ls /sys/class/net
            """;

    private NetworkBed bed;
    private Process served;
    private Process hidden;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        served = new ProcessBuilder("socat", "TCP-LISTEN:8123,bind=127.0.0.1,fork,reuseaddr", "EXEC:echo served")
                .start();
        hidden = new ProcessBuilder("socat", "ABSTRACT-LISTEN:" + ABSTRACT + ",fork", "EXEC:echo hidden").start();
        NetworkBed.sh("for i in $(seq 100); do ss -Hlnt sport = :8123 | grep -q . && grep -q " + ABSTRACT
                + " /proc/net/unix && exit; sleep 0.1; done; exit 1");
    }

    @AfterEach
    void removeAll() throws Exception {
        try {
            for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
                new DetachedContainer(place).remove(true);
            }
            served.destroyForcibly().waitFor();
            hidden.destroyForcibly().waitFor();
        } finally {
            bed.close();
        }
    }

    private static ContainerSpec spec(String... command) {
        return ContainerSpec.onHost(command).network(Network.ofHost()).allow(Allowance.HOST_NETWORK);
    }

    private static void assertIsKeptIn(String seen) {
        assertThat(seen)
                .contains("b'served", "kept out 1\n", "no raw\n", "no packet\n", "no low ports\n", "lan0\n")
                .doesNotContain("in\n", "has ");
        assertThat(seen.split("kept\n", -1)).hasSize(5);
    }

    @Test
    void it_reaches_what_the_host_reaches_but_no_abstract_socket_and_changes_nothing() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThatThrownBy(() -> engine.run(ContainerSpec.onHost("true").network(Network.ofHost())))
                    .hasMessageContaining("--allow host-network");
            assertIsKeptIn(engine.run(spec("sh", "-c", ASKS)).stdout());
        }
        assertThat(NetworkBed.links()).isEmpty();
    }

    @Test
    void programs_that_enter_it_are_kept_in_as_well_and_it_has_no_networks_to_be_changed() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer web = engine.create(spec("sleep", "1000").name("web"), DetachedOptions.STANDARD);
            web.start();
            assertIsKeptIn(engine.exec("web", Exec.of("sh", "-c", ASKS), Streams.capture())
                    .stdout());

            assertThat(NetworkPlaces.of(web.id(), OPTIONS).mode()).isEqualTo("host");
            assertThat(Verification.of("web", OPTIONS).checks())
                    .allMatch(Verifier.Check::asPlanned)
                    .anyMatch(check -> check.subject().equals("network, shared")
                            && check.found().contains("services on loopback"));
            assertThatThrownBy(() -> web.egress(Egress.parse("none"))).hasMessageContaining("in the host's network");
            assertThatThrownBy(() -> web.networks().connect(NetworkEndpoint.on("bridge")))
                    .hasMessageContaining("in the host's network");
            assertThatThrownBy(() -> engine.run(ContainerSpec.onHost("true").network(Network.ofContainer("web"))))
                    .hasMessageContaining("--network host");
            web.restart(OptionalInt.of(9), Optional.of(Duration.ZERO));
            assertThat(engine.exec("web", Exec.of("ls", "/sys/class/net"), Streams.capture())
                            .stdout())
                    .contains("lan0\n");

            web.stop(OptionalInt.of(9), Optional.of(Duration.ZERO));
            try (ContainerFiles files = engine.files("web")) {
                assertThat(files.read("/etc/hosts", Bytes.mebibytes(1))).isNotEmpty();
            }
        }
    }
}
