package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.launch.RefusedException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Gate;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Containers whose connections are led by the names in their greetings of TLS. The one name that this host knows
/// without a server is `localhost`, so a server of the host stands for one of the outside; its address is on the list,
/// as addresses of the host are not told otherwise.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GreetedContainersTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("greeted"), OwnDirectories.data("greeted"));
    private static final Egress LIST = Egress.only(
                    "localhost:443", "api.greeted.invalid:443", "*.wild.invalid:443", "127.0.0.1:443")
            .greeted();

    /// Prints what each is led to.
    private static final String ASK = """
            gateway=$(ip -4 route show default | cut -d' ' -f3)
            a() { python3 -c 'import socket, sys; print(socket.gethostbyname(sys.argv[1]))' $1 2>&1 | tail -1; }
            [ "$(a api.greeted.invalid) $(a a.wild.invalid)" = "$gateway $gateway" ] && echo led
            a other.invalid | grep -q error && echo unknown
            greet() { timeout 20 openssl s_client -connect $gateway:443 "$@" </dev/null 2>&1 | grep -c '^subject='; }
            echo "own $(greet -servername localhost) other $(greet -servername other.invalid) none $(greet -noservername)"
            echo "api $(greet -servername api.greeted.invalid)"
            curl -sk -m 20 --connect-to localhost:443:$gateway:443 https://localhost/ | grep -q s_server && echo page
            timeout 3 openssl s_client -connect 127.0.0.2:443 -servername localhost </dev/null 2>&1 | grep -c '^subject='
            python3 - <<'END'
            import socket, sys, subprocess
            gateway = subprocess.run(["ip", "-4", "route", "show", "default"], capture_output=True, text=True).stdout.split()[2]
            for target in (gateway, "192.0.2.2"):
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
                try: s.sendto(b"\\xc0\\0\\0\\0\\1" + bytes(1195), (target, 443)); print("quic", s.recv(9))
                except OSError as e: print("quic refused")
            END
            """;

    @TempDir
    private Path scratch;

    private NetworkBed bed;
    private Process origin;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        NetworkBed.sh("cd " + scratch + " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
                + " -subj /CN=localhost -keyout key -out crt");
        origin = new ProcessBuilder(
                        "openssl", "s_server", "-accept", "127.0.0.1:443", "-cert", "crt", "-key", "key", "-www")
                .directory(scratch.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        bed.neighbor("""
                python3 -c 'import os, socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 443))
                if os.fork() == 0:
                  os.close(0); os.close(1); os.close(2); s.settimeout(200)
                  while True: s.sendto(b"quic", s.recvfrom(2000)[1])'""");
    }

    @AfterEach
    void close() throws Exception {
        origin.destroyForcibly().waitFor();
        try {
            for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
                new DetachedContainer(place).remove(true);
            }
        } finally {
            bed.close();
        }
    }

    private static ContainerSpec spec(Egress egress, String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script)
                .network(Network.on("web").egress(egress));
    }

    @Test
    void a_greeting_leads_to_its_name_alone_and_what_is_refused_is_told() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            RunResult result = engine.run(spec(LIST, ASK), Streams.capture());
            assertThat(result.stdout().lines())
                    .as(result.stderr())
                    .containsExactly(
                            "led",
                            "unknown",
                            "own 1 other 0 none 0",
                            "api 0",
                            "page",
                            "0",
                            "quic refused",
                            "quic refused");
            assertThat(result.deniedDestinations().stream().map(Object::toString))
                    .anyMatch(text -> text.contains("other.invalid")
                            && text.contains("443")
                            && text.contains("the name in its greeting is not on its list"))
                    .anyMatch(text -> text.contains("its greeting has no name"));
        }
        assertThat(led()).doesNotContain(". 443 ");
    }

    @Test
    void a_list_that_changes_holds_for_greetings_at_once() throws Exception {
        try (Engine engine = Engine.open(OPTIONS); // it makes the state directory
                NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            DetachedContainer container = engine.create(
                    spec(Egress.only("localhost:443", "127.0.0.1:443"), "sleep 1000"), DetachedOptions.STANDARD);
            container.start();
            assertThat(greets(engine, container)).isFalse();
            container.egress(LIST);
            awaitGreeting(engine, container);
            container.egress(Egress.none()); // sooner than anybody looks
            container.egress(LIST);
            awaitGreeting(engine, container);
            assertThat(led()).contains(". 443 ").contains("timeout 10s");
            assertThat(Verification.of(container.name(), OPTIONS).checks())
                    .allMatch(check -> check.asPlanned(), "as planned");
            container.restart(java.util.OptionalInt.empty(), java.util.Optional.of(java.time.Duration.ZERO));
            NetworkKeeper.awaitPorts(container, OPTIONS);
            assertThat(greets(engine, container)).isTrue();
            container.egress(Egress.only("api.greeted.invalid:443").greeted());
            assertThat(greets(engine, container)).isFalse();
            container.egress(Egress.none());
            assertThat(led()).doesNotContain(". 443 ");
            assertThat(greets(engine, container)).isFalse();
        }
    }

    @Test
    void gates_of_secrets_read_greetings_themselves() {
        try (Engine engine = Engine.open(OPTIONS)) {
            ContainerSpec both = spec(LIST, "true")
                    .network(Network.on("web").egress(LIST))
                    .secret(Gate.of("gh").to("api.greeted.invalid"));
            assertThatThrownBy(() -> engine.run(both))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("--egress-sni");
        }
    }

    private static void awaitGreeting(Engine engine, DetachedContainer container) throws Exception {
        long until = System.nanoTime() + 20_000_000_000L;
        while (!greets(engine, container)) {
            assertThat(System.nanoTime()).isLessThan(until);
            Thread.sleep(50);
        }
    }

    private static boolean greets(Engine engine, DetachedContainer container) throws Exception {
        return engine.exec(
                        container.name(),
                        Exec.of(
                                "sh",
                                "-c",
                                "timeout 10 openssl s_client -connect $(ip -4 route show default | cut -d' ' -f3):443"
                                        + " -servername localhost </dev/null 2>&1 | grep -c '^subject='"),
                        Streams.capture())
                .stdout()
                .equals("1\n");
    }

    private static String led() {
        return NetworkBed.sh("nft list ruleset | grep -A 20 'map gated' || true");
    }
}
