package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.Verifier;
import dev.caisson.network.Attachment;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortText;
import dev.caisson.text.AddressText;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers on networks reach what they may reach, and nothing else; and nothing stays of them.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class NetworkedContainerTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("networked"), OwnDirectories.data("networked"));

    /// Answers each connection and each packet with the address that it came from.
    private static final String SERVER = """
            import socket, threading
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("0.0.0.0", 7000))
            t = socket.socket(); t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); t.bind(("0.0.0.0", 7000)); t.listen(16)
            def udp():
                while True:
                    data, who = u.recvfrom(99); u.sendto(("udp from " + who[0]).encode(), who)
            threading.Thread(target=udp, daemon=True).start()
            print("ready", flush=True)
            while True:
                c, who = t.accept(); c.sendall(("tcp from " + who[0]).encode()); c.close()
            """;

    private static final String TCP = """
            import socket, sys
            s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3); print(s.recv(99).decode())
            """;

    private static final String UDP = """
            import socket, sys
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3)
            s.sendto(b"?", (sys.argv[1], int(sys.argv[2]))); print(s.recv(99).decode())
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

    private static ContainerSpec python(Network network, String program, String... arguments) {
        var command = new ArrayList<>(List.of("/usr/bin/python3", "-I", "-c", program));
        command.addAll(List.of(arguments));
        return ContainerSpec.onHost(command.toArray(String[]::new)).network(network);
    }

    private Container server(Network network) throws Exception {
        var ready = new ByteArrayOutputStream();
        Container server = engine.start(python(network, SERVER), new Streams.Copy(Optional.empty(), ready, ready));
        for (int tries = 0; !ready.toString(StandardCharsets.UTF_8).contains("ready"); tries++) {
            assertThat(tries).as(ready.toString(StandardCharsets.UTF_8)).isLessThan(500);
            Thread.sleep(20);
        }
        return server;
    }

    private RunResult run(Network network, String program, String... arguments) throws InterruptedException {
        return engine.run(python(network, program, arguments));
    }

    @Test
    void containers_of_one_network_reach_each_other_like_machines_on_one_switch() throws Exception {
        Container server = server(Network.on("web"));
        String address = bed.address(server.id(), 0);

        RunResult tcp = run(Network.on("web"), TCP, address, "7000");
        RunResult udp = run(Network.on("web"), UDP, address, "7000");
        RunResult ping = engine.run(
                ContainerSpec.onHost("ping", "-c", "1", "-W", "3", address).network(Network.on("web")));

        assertThat(tcp.stdout()).as(tcp.stderr()).startsWith("tcp from " + address.replaceAll("[0-9]+$", ""));
        assertThat(udp.stdout()).as(udp.stderr()).startsWith("udp from " + address.replaceAll("[0-9]+$", ""));
        assertThat(ping.exitStatus()).as(ping.stdout() + ping.stderr()).isZero();
    }

    @Test
    void containers_of_other_networks_and_of_none_reach_nothing_of_it() throws Exception {
        Container server = server(Network.on("web"));
        String address = bed.address(server.id(), 0);

        for (Network other : List.of(Network.on("back"), Network.none())) {
            assertThat(run(other, TCP, address, "7000").stderr()).containsAnyOf("timed out", "unreachable");
            assertThat(run(other, UDP, address, "7000").stderr()).containsAnyOf("timed out", "unreachable");
            assertThat(engine.run(ContainerSpec.onHost("ping", "-c", "1", "-W", "1", address)
                                    .network(other))
                            .exitStatus())
                    .isNotZero();
        }
    }

    @Test
    void a_container_on_two_networks_is_reached_on_both() throws Exception {
        Container server = server(Network.on("web").and(NetworkEndpoint.on("back")));

        assertThat(run(Network.on("web"), TCP, bed.address(server.id(), 0), "7000")
                        .stdout())
                .startsWith("tcp from ");
        assertThat(run(Network.on("back"), TCP, bed.address(server.id(), 1), "7000")
                        .stdout())
                .startsWith("tcp from ");
    }

    @Test
    void the_outside_is_reached_under_the_hosts_address_and_does_not_reach_in() throws Exception {
        Process outside = new ProcessBuilder(
                        "bash", "-c", bed.inNeighbor("exec /usr/bin/python3 -I -c '" + SERVER + "'"))
                .start();
        try {
            assertThat(outside.inputReader().readLine()).isEqualTo("ready");

            RunResult tcp = run(Network.on("web"), TCP, NetworkBed.NEIGHBOR, "7000");
            RunResult udp = run(Network.on("web"), UDP, NetworkBed.NEIGHBOR, "7000");

            assertThat(tcp.stdout()).as(tcp.stderr()).isEqualTo("tcp from 192.0.2.1\n");
            assertThat(udp.stdout()).as(udp.stderr()).isEqualTo("udp from 192.0.2.1\n");
        } finally {
            outside.descendants().forEach(ProcessHandle::destroyForcibly);
            outside.destroyForcibly();
        }

        Container server = server(Network.on("web"));
        assertThat(NetworkBed.status(bed.inNeighbor(
                                "/usr/bin/python3 -I -c '" + TCP + "' " + bed.address(server.id(), 0) + " 7000"))
                        .output())
                .contains("timed out");
    }

    @Test
    void a_published_port_leads_from_the_outside_to_its_container_and_no_other_does() throws Exception {
        Container server =
                server(Network.on("web").publish(PortText.mappings("8080:7000").getFirst()));
        String tcp = "/usr/bin/python3 -I -c '" + TCP + "' " + NetworkBed.HOST;

        assertThat(bed.neighbor(tcp + " 8080")).isEqualTo("tcp from 192.0.2.2\n");
        assertThat(NetworkBed.status(bed.inNeighbor(tcp + " 7000")).status()).isNotZero();
        assertThat(run(Network.on("back"), TCP, NetworkBed.HOST, "8080").stdout())
                .as("from another network, as from outside")
                .startsWith("tcp from ");

        server.close();

        assertThat(NetworkBed.status(bed.inNeighbor(tcp + " 8080")).status()).isNotZero();
    }

    @Test
    void services_of_the_host_are_closed_to_containers() throws Exception {
        Process service = new ProcessBuilder("/usr/bin/python3", "-I", "-c", SERVER).start();
        try {
            assertThat(service.inputReader().readLine()).isEqualTo("ready");
            String gateway = bed.networks(
                    all -> AddressText.of(all.get("web").gateway(false).orElseThrow()));

            assertThat(run(Network.on("web"), TCP, gateway, "7000").stderr()).containsAnyOf("timed out", "refused");
            assertThat(run(Network.on("web"), TCP, NetworkBed.HOST, "7000").stderr())
                    .containsAnyOf("timed out", "refused");
            assertThat(NetworkBed.sh("/usr/bin/python3 -I -c '" + TCP + "' " + gateway + " 7000"))
                    .as("the host itself reaches it")
                    .startsWith("tcp from ");
        } finally {
            service.destroyForcibly();
        }
    }

    @Test
    void raw_and_packet_sockets_are_closed_to_containers() throws Exception {
        RunResult tried = run(Network.on("web"), """
                import socket
                for name, family, kind, protocol in (
                        ("raw", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
                        ("whole", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
                        ("raw6", socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
                        ("frames", socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)),
                        ("packets", socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)),
                        ("ping", socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)):
                    try: socket.socket(family, kind, protocol); print(name, "open")
                    except OSError as e: print(name, e.errno)
                """);

        assertThat(tried.stdout().lines())
                .as(tried.stderr())
                .containsExactly("raw 1", "whole 1", "raw6 1", "frames 1", "packets 1", "ping open");
    }

    @Test
    void its_files_name_itself_and_verify_reads_its_links_back() throws Exception {
        Container container = engine.start(
                ContainerSpec.onHost("sleep", "100")
                        .hostName("front")
                        .network(
                                Network.on("web").and(NetworkEndpoint.on("back").ip(free("back")))),
                Streams.capture());
        Attachment web = bed.networks(all -> all.attachments(container.id())).getFirst();
        String address = bed.address(container.id(), 0);

        ExecResult hosts = engine.exec(container.id().value(), Exec.of("cat", "/etc/hosts"), Streams.capture());
        ExecResult mac =
                engine.exec(container.id().value(), Exec.of("cat", "/sys/class/net/eth0/address"), Streams.capture());
        List<Verifier.Check> checks =
                Verification.of(container.id().value(), OPTIONS).checks();

        assertThat(hosts.stdout()).contains(address + "\tfront").contains(free("back") + "\tfront");
        assertThat(mac.stdout().strip()).isEqualTo(web.mac().toString());
        assertThat(checks).filteredOn(check -> !check.asPlanned()).isEmpty();
        assertThat(checks).extracting(Verifier.Check::subject).anyMatch(subject -> subject.startsWith("network, "));
        assertThat(checks)
                .filteredOn(check -> check.subject().equals("addresses"))
                .singleElement()
                .satisfies(check -> assertThat(check.found()).contains(address).contains(free("back")));
    }

    private String free(String network) {
        return bed.networks(all -> AddressText.of(
                all.get(network).pool(false).orElseThrow().subnet().address(BigInteger.valueOf(77))));
    }

    @Test
    void one_in_the_background_keeps_its_address_over_restarts_until_it_is_removed() throws Exception {
        DetachedContainer made =
                engine.create(python(Network.on("web"), SERVER).name("server"), DetachedOptions.STANDARD);
        made.start();
        String address = bed.address(made.id(), 0);
        awaitAnswer(address);

        made.restart(OptionalInt.empty(), Optional.empty());
        awaitAnswer(address);
        made.signal(9);
        made.await();
        made.start();
        awaitAnswer(address);

        assertThat(bed.address(made.id(), 0)).isEqualTo(address);
        assertThat(Verification.of("server", OPTIONS).checks())
                .filteredOn(check -> !check.asPlanned())
                .isEmpty();
        made.remove(true);
        assertThat(NetworkPlaces.of(made.id(), OPTIONS)).isEqualTo(NetworkPlaces.NONE);
    }

    @Test
    void one_in_the_background_does_not_start_without_its_packet_filter() throws Exception {
        DetachedContainer made = engine.create(python(Network.on("web"), SERVER), DetachedOptions.STANDARD);
        made.start();
        NetworkBed.sh("nft flush ruleset");
        assertThat(NetworkBed.sh("nft list tables")).doesNotContain("caisson-");

        made.restart(OptionalInt.empty(), Optional.empty());

        assertThat(NetworkBed.sh("nft list tables")).contains("table inet caisson-", "table bridge caisson-");
        assertThat(NetworkBed.sh("nft list ruleset")).contains(bed.address(made.id(), 0));
        made.remove(true);
    }

    private void awaitAnswer(String address) throws InterruptedException {
        String said = "";
        for (int tries = 0; tries < 20 && !said.startsWith("tcp from "); tries++) {
            said = run(Network.on("web"), TCP, address, "7000").stdout();
        }
        assertThat(said).startsWith("tcp from ");
    }

    @Test
    void what_is_left_of_a_container_is_nothing() throws Exception {
        List<String> before = NetworkBed.everything();

        RunResult ended = engine.run(ContainerSpec.onHost("true")
                .network(Network.on("web")
                        .and(NetworkEndpoint.on("back"))
                        .publish(PortText.mappings("8080:80").getFirst())));

        assertThat(ended.verdict()).isEqualTo(Verdict.OK);
        engine.close(); // the kernel removes links behind the answer, and an engine that is closed waits for it
        assertThat(NetworkBed.everything()).containsExactlyElementsOf(before);
        List<Attachment> left = bed.networks(all -> all.attachedTo("web"));
        assertThat(left).isEmpty();
    }
}
