package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.PublishedPorts;
import dev.caisson.spec.Transport;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers that an engine runs find each other by name.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class NamedContainersTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("named"), OwnDirectories.data("named"));

    private static final String SERVER = """
            import socket
            t = socket.socket(); t.bind(("0.0.0.0", 80)); t.listen()
            while True:
                c, _ = t.accept(); c.sendall(b"served"); c.close()
            """;

    private NetworkBed bed;
    private Engine engine;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        bed.networks(all -> all.create(NetworkSpec.of("back")));
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void close() {
        try {
            engine.close();
            assertThat(NetworkBed.links()).isEmpty();
        } finally {
            bed.close();
        }
    }

    private static Network.Joined on(String network, String... aliases) {
        var endpoint =
                new NetworkEndpoint(network, Optional.empty(), Optional.empty(), Optional.empty(), List.of(aliases));
        return new Network.Joined(List.of(endpoint), PublishedPorts.NONE, NameLookup.STANDARD);
    }

    private Container waiting(String name, Network network) throws InterruptedException {
        return engine.start(ContainerSpec.onHost("sleep", "300").name(name).network(network), Streams.capture());
    }

    private RunResult sh(Network network, String script) throws InterruptedException {
        return engine.run(
                ContainerSpec.onHost("sh", "-c", script).network(network).wallClock(Duration.ofSeconds(60)));
    }

    @Test
    void a_container_is_pinged_by_its_name_its_alias_and_its_id() throws Exception {
        Container db = waiting("db", on("web", "pool"));
        String address = bed.address(db.id(), 0);

        RunResult found = sh(
                Network.on("web"),
                "for name in db pool " + db.id().shortForm() + " db.web; do ping -c 1 -W 5 $name || exit 1; done;"
                        + " getent hosts " + address);

        assertThat(found.exitStatus()).as(found.stdout() + found.stderr()).isZero();
        assertThat(found.stdout()).contains("PING db (" + address + ")").contains("db.web");
    }

    @Test
    void names_of_another_network_are_not_known() throws Exception {
        waiting("db", Network.on("web"));

        assertThat(sh(Network.on("back"), "ping -c 1 -W 1 db").exitStatus()).isEqualTo(2);
        assertThat(sh(Network.on("web"), "ping -c 1 -W 5 db").exitStatus()).isZero();
    }

    @Test
    void a_container_can_have_a_server_of_its_own_at_port_53() throws Exception {
        waiting("db", Network.on("web"));

        RunResult both = sh(Network.on("web"), """
                python3 -I -c '
                import socket
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("0.0.0.0", 53))
                t = socket.socket(); t.bind(("0.0.0.0", 53)); t.listen()
                print(socket.gethostbyname("db"))'
                """);

        assertThat(both.stdout()).as(both.stderr()).startsWith("172.");
    }

    @Test
    void the_default_network_has_the_servers_of_the_host() throws Exception {
        assertThat(sh(Network.on("bridge"), "cat /etc/resolv.conf").stdout()).doesNotContain("127.0.0.11");
        assertThat(sh(Network.on("web"), "cat /etc/resolv.conf").stdout()).contains("nameserver 127.0.0.11");
    }

    @Test
    void a_container_that_ended_leaves_no_link_while_the_engine_goes_on() throws Exception {
        waiting("db", Network.on("web"));
        int most = NetworkBed.links().size() + 1; // the next container's may be made ahead

        for (int i = 0; i < 3; i++) {
            assertThat(sh(Network.on("web"), "ping -c 1 -W 5 db").exitStatus()).isZero();
        }

        for (int i = 0; i < 100 && NetworkBed.links().size() > most; i++) {
            Thread.sleep(50); // the kernel takes a namespace down behind its last user
        }
        assertThat(NetworkBed.links()).hasSizeLessThanOrEqualTo(most);
    }

    @Test
    void the_sockets_of_a_container_that_ended_are_closed() throws Exception {
        assertThat(sh(Network.on("web"), "true").exitStatus()).isZero();
        long before = sockets();

        for (int i = 0; i < 3; i++) {
            assertThat(sh(Network.on("web"), "true").exitStatus()).isZero();
        }

        assertThat(sockets()).as("each run has two for names").isLessThan(before + 6);
    }

    private static long sockets() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(NamedContainersTest::isSocket).count();
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException e) {
            return false; // it was closed since
        }
    }

    @Test
    void a_published_port_is_reached_at_loopback_as_long_as_the_container_runs() throws Exception {
        var port = new PortMapping(Optional.empty(), 8080, 80, Transport.TCP);
        var hostAlone = new PortMapping(Optional.of(InetAddress.ofLiteral("127.0.0.1")), 8081, 80, Transport.TCP);
        Container web = engine.start(
                ContainerSpec.onHost("/usr/bin/python3", "-I", "-c", SERVER)
                        .network(Network.on("web").publish(port).publish(hostAlone)),
                Streams.capture());

        for (String address : List.of("127.0.0.1", "::1", NetworkBed.HOST)) {
            assertThat(answer(address, 8080)).as(address).isEqualTo("served");
        }
        assertThat(answer("127.0.0.1", 8081)).isEqualTo("served");
        web.kill();
        web.await();
        assertThat(NetworkBed.sh("ss -Hlnt sport = :8080")).isBlank();
    }

    /// The server needs a moment.
    private static String answer(String address, int port) throws InterruptedException {
        for (int i = 0; ; i++) {
            NetworkBed.Result result = NetworkBed.status(
                    "timeout 5 python3 -c 'import socket, sys;" + " print(socket.create_connection((\"" + address
                            + "\", " + port + "), 3).recv(9).decode(), end=\"\")'");
            if ((result.status() == 0 && !result.output().isEmpty()) || i == 20) {
                return result.output();
            }
            Thread.sleep(200);
        }
    }
}
