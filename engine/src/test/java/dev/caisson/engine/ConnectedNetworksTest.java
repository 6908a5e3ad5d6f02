package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.network.Attachment;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers are put on networks and taken off, while they run and while they do not.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class ConnectedNetworksTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("connect"), OwnDirectories.data("connect"));

    private static final String PLACES = "ip -br addr | sed 's/@[^ ]*//' | tr -s ' '; ip route";

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

    private static DetachedContainer made(String name, Network network) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.create(
                    ContainerSpec.onHost("python3", "-c", """
                            import socket
                            t = socket.socket(); t.bind(("0.0.0.0", 80)); t.listen()
                            while True:
                                c, _ = t.accept(); c.sendall(b"served"); c.close()
                            """).name(name).network(network), DetachedOptions.STANDARD);
        }
    }

    private static String inside(DetachedContainer container, String script) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.exec(container.name(), Exec.of("sh", "-c", script), Streams.capture())
                    .stdout();
        }
    }

    private static void requireAsPlanned(DetachedContainer container) {
        assertThat(Verification.of(container.name(), OPTIONS).checks())
                .filteredOn(check -> !check.asPlanned())
                .isEmpty();
    }

    private static boolean reaches(DetachedContainer from, String address) throws Exception {
        String said = inside(
                from,
                "python3 -c 'import socket; print(socket.create_connection((\"" + address
                        + "\", 80), 3).recv(9))' 2>&1");
        return said.contains("served");
    }

    @Test
    void a_container_that_runs_is_on_the_network_at_once_and_after_its_next_start() throws Exception {
        DetachedContainer web =
                made("web", Network.on("front").publish(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP)));
        DetachedContainer db = made("db", Network.on("back"));
        web.start();
        db.start();
        String unconnected = bed.address(db.id(), 0);
        assertThat(reaches(web, unconnected)).isFalse();

        web.networks().connect(NetworkEndpoint.on("back").alias("shop"));

        assertThat(bed.address(web.id(), 1)).isNotEqualTo(unconnected);
        assertThat(reaches(web, unconnected)).isTrue();
        assertThat(reaches(db, bed.address(web.id(), 1))).isTrue();
        requireAsPlanned(web);
        try (var survey = new Survey(OPTIONS)) {
            assertThat(survey.read())
                    .filteredOn(sample -> sample.name().equals("web"))
                    .flatExtracting(sample -> sample.usage().interfaces())
                    .allMatch(link -> link.received().bytes() > 0)
                    .extracting(InterfaceUse::name)
                    .containsExactly("eth0", "eth1");
        }
        String addresses = inside(web, PLACES + "; cat /proc/sys/net/ipv6/conf/eth1/disable_ipv6");
        assertThat(addresses).contains("\neth1 UP ").endsWith("\n1\n");
        assertThatThrownBy(() -> web.networks().connect(NetworkEndpoint.on("back")))
                .isInstanceOf(CaissonException.class)
                .hasMessageContaining("on network back already");

        web.restart(OptionalInt.of(9), Optional.of(Duration.ofSeconds(1)));

        assertThat(reaches(web, unconnected)).isTrue();
        assertThat(inside(web, PLACES)).isEqualTo(addresses.substring(0, addresses.length() - 2));
        assertThat(inside(web, "cat /etc/hosts")).contains(bed.address(web.id(), 1) + "\t");
        requireAsPlanned(web);
    }

    @Test
    void what_leads_out_by_a_network_leads_out_by_the_next_when_that_is_gone() throws Exception {
        DetachedContainer web =
                made("web", Network.on("front").publish(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP)));
        web.start();
        web.networks().connect(NetworkEndpoint.on("back"));
        String second = bed.address(web.id(), 1);

        web.networks().disconnect("front");

        assertThat(bed.address(web.id(), 0)).isEqualTo(second);
        assertThat(NetworkBed.links()).hasSize(1);
        assertThat(inside(web, "ip route")).startsWith("default via ").contains(" dev eth1");
        assertThat(bed.neighbor("for i in $(seq 100); do exec 3<>/dev/tcp/" + NetworkBed.HOST
                        + "/8080 && break; sleep 0.1; done 2>/dev/null; cat <&3"))
                .isEqualTo("served"); // it listens a while after its start
        requireAsPlanned(web);

        web.networks().disconnect("back");
        assertThat(NetworkBed.links()).isEmpty();
        requireAsPlanned(web);
        assertThatThrownBy(() -> web.networks().disconnect("back"))
                .isInstanceOf(CaissonException.class)
                .hasMessageContaining("not on network back");

        web.restart(OptionalInt.of(9), Optional.of(Duration.ofSeconds(1)));
        web.networks().connect(NetworkEndpoint.on("front"));
        assertThat(inside(web, "ip route")).startsWith("default via ").contains(" dev eth0");
        String neighbors = inside(web, """
                python3 -c '
                import ipaddress, socket
                net = ipaddress.ip_network("%s/22", strict=False)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    sent = 0
                    for i in range(100, 500):
                        try: sent += s.sendto(b"x", (str(net[i]), 9))
                        except PermissionError: pass
                    print(sent)'
                """.formatted(bed.address(web.id(), 0)));
        assertThat(Integer.parseInt(neighbors.strip())).isBetween(200, 256);
        assertThat(bed.neighbor("for i in $(seq 100); do exec 3<>/dev/tcp/" + NetworkBed.HOST
                        + "/8080 && break; sleep 0.1; done 2>/dev/null; cat <&3"))
                .isEqualTo("served");
    }

    @Test
    void one_that_does_not_run_is_on_the_networks_that_it_was_given_when_it_starts() throws Exception {
        DetachedContainer web = made("web", Network.on("front"));
        web.networks().connect(NetworkEndpoint.on("back"));
        web.networks().disconnect("front");
        assertThat(NetworkBed.links()).isEmpty();

        web.start();

        assertThat(inside(web, "ip -br addr | grep -c eth; ip route")).startsWith("1\ndefault via ");
        requireAsPlanned(web);
        assertThatThrownBy(() -> made("none", Network.none()).networks().connect(NetworkEndpoint.on("back")))
                .isInstanceOf(CaissonException.class)
                .hasMessageContaining("loopback alone");
    }

    /// Each stands for a command that was killed there: only the mark is in the records.
    @Test
    void nothing_stays_of_a_change_that_was_cut_off() throws Exception {
        DetachedContainer web = made("web", Network.on("front"));
        web.start();
        List<String> before = NetworkBed.everything();

        bed.networks(all -> all.memberships().add(web.id(), "web", NetworkEndpoint.on("back")));
        assertThat(NetworkBed.everything()).isNotEqualTo(before);
        openAndClose();
        assertThat(NetworkBed.everything()).as("after the address").isEqualTo(before);

        bed.networks(all -> {
            Attachment made = all.memberships().add(web.id(), "web", NetworkEndpoint.on("back"));
            DetachedPlace place = DetachedPlace.find(web.id().value(), OPTIONS).orElseThrow();
            new RunningNetwork(place.record()).link(all.memberships(), all.attachments(web.id()), made);
            return null;
        });
        assertThat(NetworkBed.links()).hasSize(2);
        openAndClose();
        assertThat(NetworkBed.everything()).as("after the link").isEqualTo(before);

        web.networks().connect(NetworkEndpoint.on("back"));
        bed.networks(all -> all.memberships().leave(web.id(), "web", "back"));
        web.stop(OptionalInt.of(9), Optional.of(Duration.ofSeconds(1)));
        web.start();
        assertThat(NetworkBed.everything()).as("by a start").isEqualTo(before);
        requireAsPlanned(web);
    }

    private static void openAndClose() throws Exception {
        try (Engine _ = Engine.open(OPTIONS)) {
            assertThat(OPTIONS.state()).isDirectory();
        }
    }
}
