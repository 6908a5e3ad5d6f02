package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import dev.caisson.state.LogEntry;
import dev.caisson.state.LogReader;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers that outlive their command find each other by name while a keeper is there, and again when one comes
/// back.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class NetworkKeeperTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("keeper"), OwnDirectories.data("keeper"));
    private static final String PINGS =
            "while :; do ping -c 1 -W 1 -q db >/dev/null 2>&1 && echo found || echo lost; sleep 0.2; done";

    private static final String SERVER = """
            import socket
            t = socket.socket(); t.bind(("0.0.0.0", 80)); t.listen()
            while True:
                c, _ = t.accept(); c.sendall(b"served"); c.close()
            """;

    private NetworkBed bed;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        try (Engine _ = Engine.open(OPTIONS)) {
            assertThat(OPTIONS.state()).isDirectory();
        }
    }

    @AfterEach
    void removeAll() throws Exception {
        try {
            for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
                new DetachedContainer(place).remove(true);
            }
            for (int i = 0; i < 100 && !NetworkBed.links().isEmpty(); i++) {
                Thread.sleep(50);
            }
            assertThat(NetworkBed.links()).isEmpty();
        } finally {
            bed.close();
        }
    }

    private static DetachedContainer started(String name, String script) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer made = engine.create(
                    ContainerSpec.onHost("sh", "-c", script).name(name).network(Network.on("web")),
                    DetachedOptions.STANDARD);
            made.start();
            return made;
        }
    }

    private static long count(DetachedContainer container, String line) throws InterruptedException {
        var text = new StringBuilder();
        try (LogReader log = container.log(OptionalLong.empty())) {
            for (List<LogEntry> next = log.next(); !next.isEmpty(); next = log.next()) {
                next.forEach(entry -> text.append(entry.text()));
            }
        }
        return text.toString().lines().filter(line::equals).count();
    }

    private static void awaitMore(DetachedContainer container, String line) throws InterruptedException {
        long before = count(container, line);
        for (int i = 0; count(container, line) <= before; i++) {
            assertThat(i)
                    .as("no more \"%s\" in the log of %s", line, container.name())
                    .isLessThan(600);
            Thread.sleep(50);
        }
    }

    @Test
    void names_are_found_over_restarts_of_containers_and_of_the_keeper() throws Exception {
        DetachedContainer db;
        DetachedContainer web;
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            assertThat(NetworkKeeper.open(OPTIONS)).as("a second one").isEmpty();
            db = started("db", "sleep 1000");
            web = started("web", PINGS);
            awaitMore(web, "found");

            web.stop(OptionalInt.of(9), Optional.of(Duration.ofSeconds(1)));
            web.start();
            awaitMore(web, "found");
        }
        awaitMore(web, "lost");
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            awaitMore(web, "found");
        }
        assertThat(db.state()).isInstanceOf(ContainerState.Running.class);
    }

    @Test
    void without_a_keeper_the_servers_are_the_hosts() throws Exception {
        DetachedContainer web =
                started("web", "if grep 127.0.0.11 /etc/resolv.conf; then echo own; else echo host; fi; sleep 1000");

        for (int i = 0; count(web, "host") + count(web, "own") == 0; i++) {
            assertThat(i).isLessThan(600);
            Thread.sleep(50);
        }
        assertThat(count(web, "host")).isEqualTo(1);
    }

    @Test
    void what_a_flush_of_the_packet_filter_has_opened_is_closed_again() throws Exception {
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            DetachedContainer db = started("db", "sleep 1000");
            for (int i = 0; !NetworkBed.sh("nft list tables").contains("-unseen"); i++) {
                assertThat(i).isLessThan(100);
                Thread.sleep(100);
            }
            String before = rules();
            assertThat(before).contains("table inet caisson", "table bridge caisson");
            assertThat(reachesTheHost(db)).isFalse();

            NetworkBed.sh("nft flush ruleset; nft list tables | grep -q unseen");

            for (int i = 0; !rules().equals(before); i++) {
                assertThat(i).isLessThan(100);
                Thread.sleep(100);
            }
            assertThat(reachesTheHost(db)).isFalse();
        }
    }

    @Test
    void a_flush_is_seen_by_the_next_look_however_soon_it_is() {
        try (var guard = new FlushGuard(OPTIONS)) {
            String before = rules();
            guard.look();

            NetworkBed.sh("nft flush ruleset");
            guard.look();

            assertThat(rules()).isEqualTo(before).contains("table inet caisson");
        }
    }

    private static String rules() {
        return NetworkBed.sh("nft list tables | grep -v unseen | sed 's/^/nft list /' | sh | sed /expires/d");
    }

    /// A service of the host listens, which its own network must not reach.
    private static boolean reachesTheHost(DetachedContainer container) throws Exception {
        String server =
                "import socket; s = socket.create_server((\"0.0.0.0\", 7000)); print(\"up\", flush=True); s.accept()";
        Process listening = new ProcessBuilder("python3", "-I", "-c", server).start();
        try (Engine engine = Engine.open(OPTIONS)) {
            listening.getInputStream().read();
            String client = "import socket; socket.create_connection((\"192.0.2.1\", 7000), 1)";
            return engine.exec(
                            container.id().value(), Exec.of("/usr/bin/python3", "-I", "-c", client), Streams.capture())
                    .isOk();
        } finally {
            listening.destroyForcibly().waitFor();
        }
    }

    @Test
    void a_stopped_container_leaves_no_link_while_the_keeper_goes_on() throws Exception {
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            started("db", "sleep 1000");
            DetachedContainer web = started("web", PINGS);
            awaitMore(web, "found");
            assertThat(NetworkBed.links()).hasSize(2);

            web.stop(OptionalInt.of(9), Optional.of(Duration.ofSeconds(1)));

            for (int i = 0; i < 100 && NetworkBed.links().size() > 1; i++) {
                Thread.sleep(50);
            }
            assertThat(NetworkBed.links()).hasSize(1);
        }
    }

    @Test
    void published_ports_are_relayed_at_loopback_until_the_container_is_removed() throws Exception {
        var port = new PortMapping(Optional.empty(), 8080, 80, Transport.TCP);
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            DetachedContainer web;
            try (Engine engine = Engine.open(OPTIONS)) {
                web = engine.create(
                        ContainerSpec.onHost("/usr/bin/python3", "-I", "-c", SERVER)
                                .network(Network.on("web").publish(port)),
                        DetachedOptions.STANDARD);
            }
            web.start();
            String client = "timeout 5 python3 -c 'import socket;"
                    + " print(socket.create_connection((\"127.0.0.1\", 8080), 3).recv(9).decode())'";
            for (int i = 0; !NetworkBed.status(client).output().equals("served\n"); i++) {
                assertThat(i).isLessThan(100);
                Thread.sleep(100);
            }

            web.remove(true);

            for (int i = 0; !NetworkBed.sh("ss -Hlnt sport = :8080").isBlank(); i++) {
                assertThat(i).isLessThan(100);
                Thread.sleep(50);
            }
        }
    }

    @Test
    void a_port_of_loopback_alone_needs_a_keeper() {
        var port = new PortMapping(Optional.of(InetAddress.getLoopbackAddress()), 8081, 80, Transport.TCP);
        ContainerSpec spec =
                ContainerSpec.onHost("sleep", "1").network(Network.on("web").publish(port));
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThatThrownBy(() -> engine.create(spec, DetachedOptions.STANDARD))
                    .hasMessageContaining("port 127.0.0.1:8081->80/tcp is published on loopback");
        }
        assertThat(DetachedPlace.all(OPTIONS)).isEmpty();
    }
}
