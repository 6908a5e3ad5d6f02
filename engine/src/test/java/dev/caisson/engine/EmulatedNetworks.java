package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.network.HostCheck;
import dev.caisson.network.NetworkException;
import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// Runs in the machine of [EmulatedNetworksTest]: containers on networks with the kernel of a distribution,
/// version 2 of control groups and, if the first argument says so, no IPv6.
final class EmulatedNetworks {
    static final String WITHOUT_IPV6 = "without-ipv6";

    private static final EngineOptions OPTIONS = new EngineOptions(Path.of("/run/caisson"), Path.of("/disk/data"));
    private static final String PATIENCE = "20";

    private EmulatedNetworks() {}

    public static void main(String[] arguments) throws Exception {
        boolean six = !List.of(arguments).contains(WITHOUT_IPV6);
        assertThat(Files.exists(Path.of("/proc/sys/net/ipv6"))).isEqualTo(six);
        try (var hierarchy = Hierarchy.detect()) {
            assertThat(hierarchy.world()).isEqualTo(Hierarchy.World.V2);
        }
        try (Engine engine = Engine.open(OPTIONS);
                NetworkBed bed = new NetworkBed(OPTIONS);
                NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) {
            if (!six) {
                aNetworkWithIpv6IsRefused(bed);
            }
            bed.networks(all -> all.create(new NetworkSpec("web", List.of(), false, six, true, 0, Map.of())));
            bed.networks(all -> all.create(new NetworkSpec("apart", List.of(), false, six, false, 0, Map.of())));
            bed.networks(all -> all.create(new NetworkSpec("inside", List.of(), true, six, true, 0, Map.of())));
            containersAreReached(engine, bed, six);
        }
        assertThat(NetworkBed.sh("nft list ruleset")).isBlank();
        System.out.println(VersionTwoContainers.HELD);
    }

    private static void aNetworkWithIpv6IsRefused(NetworkBed bed) {
        assertThatThrownBy(() -> bed.networks(
                        all -> all.create(new NetworkSpec("six", List.of(), false, true, true, 0, Map.of()))))
                .isInstanceOfSatisfying(
                        NetworkException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(NetworkException.Code.NETWORK_REFUSED))
                .hasMessageContaining("which this host has not");
        List<NetworkInfo> left = bed.networks(Networks::list);
        assertThat(left).isEmpty();
        assertThat(NetworkBed.sh("nft list ruleset; ip -br link | grep ^cn || true"))
                .isBlank();
    }

    private static void containersAreReached(Engine engine, NetworkBed bed, boolean six) throws Exception {
        DetachedContainer db = started(
                engine,
                "db",
                Network.on("web").publish(published(8080, Transport.TCP)).publish(published(8080, Transport.UDP)));
        DetachedContainer web = started(engine, "web", Network.on("web"));
        DetachedContainer alone = started(engine, "alone", Network.on("apart"));
        DetachedContainer other = started(engine, "other", Network.on("apart"));
        DetachedContainer inner = started(engine, "inner", Network.on("inside"));
        List<DetachedContainer> all = List.of(db, web, alone, other, inner);
        Process server = new ProcessBuilder(
                        "bash", "-c", bed.inNeighbor(words(ReachBed.python("serve", "neighbor", "7000"))))
                .start();
        int _ = server.getInputStream().read();
        try {
            NetworkKeeper.awaitPorts(db, OPTIONS);
            for (String address : addresses(db, six)) {
                assertThat(ask(engine, web, PATIENCE, ways(address, "7000")))
                        .as(address)
                        .containsOnly("db", "echo");
                assertThat(ask(engine, alone, "2", ways(address, "7000")))
                        .as(address)
                        .containsOnly("-");
                assertThat(ask(engine, inner, "2", ways(address, "7000")))
                        .as(address)
                        .containsOnly("-");
            }
            for (String address : addresses(other, six)) {
                assertThat(ask(engine, alone, "2", ways(address, "7000")))
                        .as(address)
                        .containsOnly("-");
            }
            // translated on the way out and in
            assertThat(ask(engine, web, PATIENCE, ways(NetworkBed.NEIGHBOR, "7000")))
                    .containsOnly("neighbor", "echo");
            assertThat(ask(engine, alone, PATIENCE, ways(NetworkBed.NEIGHBOR, "7000")))
                    .containsOnly("neighbor", "echo");
            assertThat(ask(engine, inner, "2", ways(NetworkBed.NEIGHBOR, "7000")))
                    .containsOnly("-");
            String[] published = {"UDP/" + NetworkBed.HOST + "/8080", "TCP/" + NetworkBed.HOST + "/8080"};
            assertThat(answers(bed.neighbor(words(asking(PATIENCE, published)))))
                    .containsOnly("db");
            List<String> loopback = new ArrayList<>(List.of("TCP/127.0.0.1/8080", "UDP/127.0.0.1/8080"));
            if (six) {
                loopback.add("TCP/::1/8080");
            }
            assertThat(answers(NetworkBed.sh(words(asking(PATIENCE, loopback.toArray(String[]::new))))))
                    .containsOnly("db");
            String name = "import socket; print(socket.create_connection((\"db\", 7000), 20).recv(99).decode())";
            assertThat(engine.exec("web", Exec.of("/usr/bin/python3", "-I", "-c", name), Streams.capture())
                            .stdout())
                    .startsWith("db from ");
            for (DetachedContainer one : all) {
                List<HostCheck> checks = bed.networks(networks -> networks.verify(one.id()));
                assertThat(checks)
                        .filteredOn(check -> !check.asPlanned())
                        .extracting(HostCheck::toString)
                        .isEmpty();
            }
        } finally {
            server.destroyForcibly().waitFor();
            for (DetachedContainer one : all) {
                one.remove(true);
            }
        }
    }

    private static PortMapping published(int port, Transport transport) {
        return new PortMapping(Optional.empty(), port, 7000, transport);
    }

    private static DetachedContainer started(Engine engine, String name, Network network) throws Exception {
        DetachedContainer made = engine.create(
                ContainerSpec.onHost(ReachBed.python("serve", name, "7000"))
                        .name(name)
                        .network(network),
                DetachedOptions.STANDARD);
        made.start();
        for (int i = 0; i < 600; i++) {
            try (var log = made.log(OptionalLong.empty())) {
                if (log.next().stream()
                        .anyMatch(entry -> entry.text().toString().contains("ready"))) {
                    return made;
                }
            }
            Thread.sleep(100);
        }
        throw new AssertionError(name + " does not serve");
    }

    private static List<String> addresses(DetachedContainer container, boolean six) {
        try (var networks = HostNetworks.open(OPTIONS)) {
            return networks.attachments(container.id()).stream()
                    .flatMap(place -> Stream.of(place.ip4(), place.ip6()))
                    .flatMap(Optional::stream)
                    .map(address -> address.address().getHostAddress())
                    .filter(address -> six || !address.contains(":"))
                    .toList();
        }
    }

    private static String[] ways(String address, String port) {
        return new String[] {"PING/" + address + "/0", "UDP/" + address + "/" + port, "TCP/" + address + "/" + port};
    }

    private static String[] asking(String seconds, String... targets) {
        return ReachBed.python(
                Stream.concat(Stream.of("ask", seconds), Stream.of(targets)).toArray(String[]::new));
    }

    private static List<String> ask(Engine engine, DetachedContainer from, String seconds, String... targets)
            throws InterruptedException {
        ExecResult result = engine.exec(from.name(), Exec.of(asking(seconds, targets)), Streams.capture());
        assertThat(result.isOk()).as(result.stderr()).isTrue();
        return answers(result.stdout());
    }

    /// Returns who answered, `-` for nobody.
    private static List<String> answers(String said) {
        return said.lines().map(line -> line.split(" ", -1)[1]).toList();
    }

    private static String words(String... command) {
        return Stream.of(command)
                .map(word -> "'" + word.replace("'", "'\\''") + "'")
                .reduce((one, next) -> one + " " + next)
                .orElseThrow();
    }
}
