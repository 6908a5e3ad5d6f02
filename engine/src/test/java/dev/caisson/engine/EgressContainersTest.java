package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeniedDestination;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.text.AddressText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Containers of an engine that reach named destinations alone.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class EgressContainersTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("egress"), OwnDirectories.data("egress"));
    private static final String NAMES = "203.0.113.53";

    private static final String SERVER = """
        import socket, threading
        def serve(port):
            t = socket.socket(); t.bind(("0.0.0.0", port)); t.listen()
            while True:
                c, _ = t.accept(); c.sendall(b"served"); c.close()
        for port in (81, 82): threading.Thread(target=serve, args=(port,), daemon=True).start()
        serve(80)
        """;
    /// Tries `host` and `port`, and says what came.
    private static final String TRY = """
        try() { timeout 6 python3 -I -c '
        import socket, sys
        try: print(sys.argv[1], sys.argv[2], socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).recv(9).decode())
        except OSError as e: print(sys.argv[1], sys.argv[2], "closed")' "$@"; }
        """;

    @TempDir
    private Path directory;

    private NetworkBed bed;
    private Process names;
    private Process server;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        NetworkBed.sh("ip addr add " + NAMES + "/32 dev lo || true");
        Path script = Files.writeString(directory.resolve("server.py"), SERVER);
        server = new ProcessBuilder("bash", "-c", bed.inNeighbor("exec python3 -I " + script))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        names = new ProcessBuilder(
                        "/usr/sbin/dnsmasq",
                        "--keep-in-foreground",
                        "--conf-file=/dev/null",
                        "--no-resolv",
                        "--no-hosts",
                        "--user=root",
                        "--pid-file=",
                        "--bind-interfaces",
                        "--listen-address=" + NAMES,
                        "--host-record=api.test," + NetworkBed.NEIGHBOR,
                        "--host-record=inner.test,10.0.0.1")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        NetworkBed.sh("for i in $(seq 100); do ss -Hlnu sport = :53 | grep -q " + NAMES + " && "
                + bed.inNeighbor("ss -Hlnt sport = :80") + " | grep -q . && exit; sleep 0.1; done; exit 1");
    }

    @AfterEach
    void close() throws Exception {
        try {
            for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
                new DetachedContainer(place).remove(true);
            }
            names.destroyForcibly().waitFor();
            server.destroyForcibly().waitFor();
        } finally {
            bed.close();
        }
    }

    private static Network.Joined on(String network, String egress) {
        var lookup = new NameLookup(List.of(AddressText.parse(NAMES).orElseThrow()), List.of(), List.of(), List.of());
        return Network.on(network).names(lookup).egress(Egress.parse(egress));
    }

    private static RunResult run(Network network, String script) throws InterruptedException {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.run(ContainerSpec.onHost("bash", "-c", TRY + script)
                    .network(network)
                    .wallClock(Duration.ofSeconds(60)));
        }
    }

    @Test
    void a_run_reaches_what_names_lead_to_and_nothing_else() throws Exception {
        for (String network : List.of("web", "bridge")) {
            RunResult result = run(
                    on(network, "api.test:80,inner.test:80"),
                    "try api.test 80; try api.test 81; try 192.0.2.2 80; try 192.0.2.2 82; try inner.test 80;"
                            + " try other.test 80");

            assertThat(result.stdout().lines())
                    .as(network + result.stderr())
                    .containsExactly(
                            "api.test 80 served",
                            "api.test 81 closed",
                            "192.0.2.2 80 served",
                            "192.0.2.2 82 closed",
                            "inner.test 80 closed",
                            "other.test 80 closed");
            assertThat(denials(result.id()))
                    .as("what the run was denied")
                    .anyMatch(one -> one.getOrDefault("domain", "").equals("other.test"))
                    .anyMatch(one -> one.getOrDefault("address", "").equals("10.0.0.1"))
                    .anyMatch(one -> one.getOrDefault("port", "").equals("82"));
            assertThat(result.deniedDestinations())
                    .as("the result has it at once, each once")
                    .doesNotHaveDuplicates()
                    .anyMatch(one ->
                            one.name().equals("other.test") && one.protocol().equals("dns"))
                    .anyMatch(one -> one.address().equals("10.0.0.1"))
                    .contains(new DeniedDestination(
                            "api.test", "192.0.2.2", 82, "tcp", "the destination is not on its list"));
        }
    }

    private static List<Map<String, String>> denials(ContainerId container) {
        try (LifeEvents events = LifeEvents.open(OPTIONS)) {
            return events.next().stream()
                    .filter(one ->
                            one.action().equals("egress_denied") && one.id().equals(container.value()))
                    .map(LifeEvent::attributes)
                    .toList();
        }
    }

    @Test
    void a_run_without_a_list_reaches_everything() throws Exception {
        assertThat(run(on("web", "all"), "try 192.0.2.2 82; try api.test 81").stdout())
                .isEqualTo("192.0.2.2 82 served\napi.test 81 served\n");
        assertThat(run(on("web", "none"), "try 192.0.2.2 82; try api.test 81").stdout())
                .isEqualTo("192.0.2.2 82 closed\napi.test 81 closed\n");
    }

    private static DetachedContainer waiting(Network network) throws InterruptedException {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer made = engine.create(
                    ContainerSpec.onHost("sleep", "1000")
                            .network(network)
                            .label("domain", "trusted.test")
                            .label("address", "192.0.2.99")
                            .label("port", "none"),
                    DetachedOptions.STANDARD);
            made.start();
            return made;
        }
    }

    @Test
    void what_a_container_reaches_is_changed_while_it_runs_and_stays_changed() throws Exception {
        DetachedContainer web = waiting(on("web", "192.0.2.2:80"));
        assertThat(reach(web, 80)).isTrue();
        assertThat(reach(web, 81)).isFalse();

        web.egress(Egress.parse("192.0.2.0/24:81"));
        assertThat(reach(web, 80)).isFalse();
        assertThat(reach(web, 81)).isTrue();

        web.stop(OptionalInt.of(9), Optional.of(Duration.ZERO));
        web.start();
        assertThat(reach(web, 80)).isFalse();
        assertThat(reach(web, 81)).isTrue();
        assertThat(KeptSpec.of(web.id(), OPTIONS).orElseThrow().network()).isEqualTo(on("web", "192.0.2.0/24:81"));
        NetworkPlaces places = NetworkPlaces.of(web.id(), OPTIONS);
        assertThat(places.bounds().egress().text()).isEqualTo("192.0.2.0/24:81");
        assertThat(places.denied()).isPositive();
    }

    /// Tries from the network namespace of the container.
    private static boolean reach(DetachedContainer container, int port) throws InterruptedException {
        int pid = container.state().pid();
        return NetworkBed.status("nsenter -t " + pid + " -n timeout 3 bash -c '</dev/tcp/192.0.2.2/" + port + "'")
                        .status()
                == 0;
    }

    @Test
    void names_of_a_container_in_the_background_lead_somewhere_while_a_keeper_is_there() throws Exception {
        DetachedContainer web = waiting(on("bridge", "api.test:80"));
        assertThat(asks(web)).as("nobody answers").isFalse();
        assertThat(reach(web, 80)).isFalse();

        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            for (int i = 0; !asks(web); i++) {
                assertThat(i).isLessThan(20);
            }
            assertThat(reach(web, 80)).isTrue();
            assertThat(reach(web, 81)).isFalse();
            var seen = new ArrayList<LifeEvent>();
            try (LifeEvents events = LifeEvents.open(OPTIONS)) {
                for (int i = 0; seen.isEmpty(); i++) {
                    assertThat(i).as("the denial is among the events").isLessThan(100);
                    events.next().stream()
                            .filter(EgressContainersTest::isDenial)
                            .forEach(seen::add);
                    Thread.sleep(100);
                }
            }
            assertThat(seen).allMatch(one -> one.id().equals(web.id().value()));
            assertThat(seen.getFirst().attributes())
                    .containsEntry("name", web.name())
                    .containsEntry("domain", "api.test")
                    .containsEntry("address", "192.0.2.2")
                    .containsEntry("protocol", "tcp")
                    .containsEntry("port", "81");
            assertThat(KeptContainer.find(web.id().value(), OPTIONS).deniedDestinations())
                    .contains(new DeniedDestination(
                            "api.test", "192.0.2.2", 81, "tcp", "the destination is not on its list"));
            assertThat(asks(web, "other.test")).doesNotContain("192.0.2.");
            assertThat(nameDenied(web))
                    .as("labels are no part of it")
                    .isEqualTo(new DeniedDestination("other.test", "", 0, "dns", "the name is not on its list"));
        }
    }

    private static DeniedDestination nameDenied(DetachedContainer container) throws InterruptedException {
        for (int i = 0; i < 100; i++) {
            Optional<DeniedDestination> found =
                    KeptContainer.find(container.id().value(), OPTIONS).deniedDestinations().stream()
                            .filter(one -> one.protocol().equals("dns"))
                            .findFirst();
            if (found.isPresent()) {
                return found.get();
            }
            Thread.sleep(100);
        }
        throw new AssertionError("no name was denied");
    }

    private static boolean isDenial(LifeEvent event) {
        return event.action().equals("egress_denied")
                && event.attributes().getOrDefault("port", "").equals("81");
    }

    private static boolean asks(DetachedContainer container) throws InterruptedException {
        return asks(container, "api.test").equals("192.0.2.2\n");
    }

    private static String asks(DetachedContainer container, String name) throws InterruptedException {
        return NetworkBed.status(
                        "nsenter -t " + container.state().pid() + " -n dig +time=1 +tries=1 +short @127.0.0.11 " + name)
                .output();
    }

    @Test
    void a_list_of_names_is_refused_where_nobody_could_answer() throws Exception {
        DetachedContainer web = waiting(on("bridge", "all"));

        assertThatThrownBy(() -> web.egress(Egress.parse("api.test:80")))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("asks the host's servers");
        assertThat(reach(web, 80)).isTrue();
        web.egress(Egress.none());
        assertThat(reach(web, 80)).isFalse();
    }

    @Test
    void a_container_without_a_network_has_no_list_to_change() throws Exception {
        DetachedContainer alone = waiting(Network.none());

        assertThatThrownBy(() -> alone.egress(Egress.none())).hasMessageContaining("is on no network");
    }
}
