package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.HostServices;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Containers on networks of a host with a packet filter of its own: one that drops what no rule of it accepts, and
/// firewalld and a restarted nftables, which load theirs while containers run.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class StrictHostTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("strict"), OwnDirectories.data("strict"));
    private static final String STRICT =
            "table inet host { chain input { type filter hook input priority 0; policy drop; ct state established,related"
                    + " accept; iif lo accept; meta l4proto ipv6-icmp accept; }; chain forward { type filter hook forward"
                    + " priority 0; policy drop; }; };";
    private static final String[] PUBLISHED = {"TCP/" + NetworkBed.HOST + "/8080", "UDP/" + NetworkBed.HOST + "/8080"};
    private static final String[] OUTSIDE = {
        "PING/" + NetworkBed.NEIGHBOR + "/0", "TCP/" + NetworkBed.NEIGHBOR + "/7000"
    };

    /// Says something and hears it, again and again; says after how often it hears nothing.
    private static final String TALK = """
            import socket, sys, time
            for i in range(100):
                try: s = socket.create_connection((sys.argv[1], 7300), 30); break
                except OSError: time.sleep(0.1)
            s.settimeout(3)
            for said in range(1500): # longer than any machine takes to make rules again
                try:
                    s.sendall(b"x"); s.recv(1); time.sleep(0.1)
                except OSError: print("cut after", said); break
            else: print("still heard")
            """;

    private NetworkBed bed;
    private NetworkKeeper keeper;
    private DetachedContainer db;
    private DetachedContainer web;
    private Process neighbor;
    private Process service;

    @TempDir
    private Path directory;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        // as where no dockerd has loaded the module that shows frames of bridges to these filters
        NetworkBed.filterBridges(false);
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThat(OPTIONS.state()).isDirectory();
            keeper = NetworkKeeper.open(OPTIONS).orElseThrow();
            Network.Joined published = Network.on("web");
            for (Transport transport : List.of(Transport.TCP, Transport.UDP)) {
                published = published.publish(new PortMapping(Optional.empty(), 8080, 7000, transport));
            }
            db = started(engine, "db", spec -> spec, published);
            web = started(
                    engine,
                    "web",
                    spec -> spec.allow(Allowance.HOST_SERVICES),
                    Network.on("web").hostServices(HostServices.of("7200")));
        }
        neighbor = serving(bed.inNeighbor(words(ReachBed.python("serve", "neighbor", "7000"))));
        service = serving(words(ReachBed.python("serve", "host", "7200")));
        NetworkKeeper.awaitPorts(db, OPTIONS);
    }

    private interface Given {
        ContainerSpec to(ContainerSpec spec);
    }

    private static DetachedContainer started(Engine engine, String name, Given given, Network network)
            throws InterruptedException {
        DetachedContainer made = engine.create(
                given.to(ContainerSpec.onHost(ReachBed.python("serve", name, "7000"))
                        .name(name)
                        .network(network)),
                DetachedOptions.STANDARD);
        made.start();
        for (int i = 0; i < 1000; i++) {
            try (var log = made.log(OptionalLong.empty())) {
                if (log.next().stream()
                        .anyMatch(entry -> entry.text().toString().contains("ready"))) {
                    return made;
                }
            }
            Thread.sleep(20);
        }
        throw new AssertionError(name + " does not serve");
    }

    private static Process serving(String command) throws Exception {
        Process server = new ProcessBuilder("bash", "-c", "exec " + command).start();
        int _ = server.getInputStream().read();
        return server;
    }

    private static String words(String... command) {
        return Stream.of(command)
                .map(word -> "'" + word.replace("'", "'\\''") + "'")
                .reduce((one, next) -> one + " " + next)
                .orElseThrow();
    }

    @AfterEach
    void removeAll() throws Exception {
        try {
            for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
                new DetachedContainer(place).remove(true);
            }
            for (Process one : List.of(neighbor, service)) {
                one.destroyForcibly().waitFor();
            }
            keeper.close();
            NetworkBed.sh("nft list tables inet | grep -q ' host$' && nft delete table inet host || true");
            NetworkBed.filterBridges(true);
        } finally {
            bed.close();
        }
    }

    private static String[] asking(String... targets) {
        return ReachBed.python(
                Stream.concat(Stream.of("ask", "3"), Stream.of(targets)).toArray(String[]::new));
    }

    /// Returns who answered, `-` for nobody.
    private static List<String> answers(String said) {
        return said.lines().map(line -> line.split(" ", -1)[1]).toList();
    }

    private static String inside(DetachedContainer container, String... command) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.exec(container.name(), Exec.of(command), Streams.capture())
                    .stdout();
        }
    }

    private List<String> warnings(Network.Joined joined) {
        return bed.networks(all -> all.warnings(joined));
    }

    private void assertNamesAreAnswered() throws Exception {
        assertThat(inside(
                        web,
                        "/usr/bin/python3",
                        "-I",
                        "-c",
                        "import socket; print(socket.create_connection((\"db\", 7000), 5).recv(99).decode())"))
                .startsWith("db from ");
    }

    private void assertAllIsOpen() throws Exception {
        assertNamesAreAnswered();
        assertThat(answers(inside(web, asking(OUTSIDE)))).containsExactly("echo", "neighbor");
        assertThat(answers(bed.neighbor(words(asking(PUBLISHED))))).containsExactly("db", "db");
    }

    @Test
    void what_a_filter_of_the_host_drops_is_named_and_what_it_then_lets_pass_passes() throws Exception {
        String gateway = bed.networks(all -> all.attachments(web.id())
                .getFirst()
                .ip4()
                .orElseThrow()
                .gateway()
                .getHostAddress());
        Network.Joined services = Network.on("web").hostServices(HostServices.of("7200"));
        assertAllIsOpen();
        assertThat(answers(inside(web, asking("TCP/" + gateway + "/7200")))).containsExactly("host");

        NetworkBed.sh("nft '" + STRICT + "'");

        assertThat(warnings(services))
                .hasSize(2)
                .anyMatch(one -> one.startsWith("chain forward of table inet host drops what is forwarded"))
                .anyMatch(one -> one.startsWith("chain input of table inet host drops what comes to the host"));
        assertThat(answers(inside(web, asking(OUTSIDE)))).containsExactly("-", "-");
        assertThat(answers(bed.neighbor(words(asking(PUBLISHED))))).containsExactly("-", "-");
        assertThat(answers(inside(web, asking("TCP/" + gateway + "/7200")))).containsExactly("-");
        // names and loopback go by sockets, and a network's own frames by its bridge
        assertNamesAreAnswered();
        assertThat(answers(NetworkBed.sh(words(asking("TCP/127.0.0.1/8080", "UDP/127.0.0.1/8080")))))
                .containsExactly("db", "db");

        NetworkBed.sh("nft 'insert rule inet host forward iifname \"cn*\" accept; insert rule inet host forward"
                + " oifname \"cn*\" accept; add rule inet host input iifname \"cn*\" tcp dport 7200 accept'");

        assertThat(warnings(services)).isEmpty();
        assertAllIsOpen();
        assertThat(answers(inside(web, asking("TCP/" + gateway + "/7200")))).containsExactly("host");
    }

    @Test
    void a_restarted_nftables_takes_our_rules_and_they_are_back_at_once() throws Exception {
        Path rules = Files.writeString(directory.resolve("nftables.conf"), "flush ruleset\n");
        String before = ours(); // before the kernel adds what it counts

        for (int i = 0; i < 5; i++) {
            NetworkBed.sh("nft -f " + rules);
            long begun = System.nanoTime();
            while (!ours().equals(before)) {
                assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(10));
            }
        }

        assertAllIsOpen();
    }

    @Test
    void a_chain_of_ours_that_somebody_flushes_is_back_at_once() throws Exception {
        String before = ours();
        String table =
                NetworkBed.sh("nft list tables bridge | grep -v unseen").strip().split(" ", -1)[2];

        for (String chain :
                List.of("inet " + table + " leaving", "inet " + table + " host", "bridge " + table + " guest")) {
            NetworkBed.sh("nft flush chain " + chain);
            long begun = System.nanoTime();
            while (!ours().equals(before)) {
                assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(10));
            }
        }

        assertAllIsOpen();
    }

    @Test
    void a_connection_that_began_while_our_rules_were_gone_ends_when_they_are_back() throws Exception {
        String gateway = bed.networks(all -> AddressText.of(
                all.attachments(db.id()).getFirst().ip4().orElseThrow().gateway()));
        Process echo = new ProcessBuilder("socat", "TCP-LISTEN:7300,reuseaddr,fork", "EXEC:cat").start();
        keeper.close();
        try (Engine engine = Engine.open(OPTIONS)) { // which would make them again
            // rules by which the kernel goes on to know connections
            NetworkBed.sh("nft 'flush ruleset; table inet host { chain input { type filter hook input priority 0;"
                    + " ct state established,related accept; }; };'");
            CompletableFuture<String> heard = CompletableFuture.supplyAsync(() -> talk(engine, gateway));
            NetworkBed.sh("for i in $(seq 200); do ss -Htn state established sport = :7300 | grep -q . && exit;"
                    + " sleep 0.05; done; exit 1");

            keeper = NetworkKeeper.open(OPTIONS).orElseThrow();

            assertThat(heard.get(200, TimeUnit.SECONDS)).matches("cut after [1-9][0-9]*\\n");
        } finally {
            echo.destroyForcibly().waitFor();
        }
    }

    /// Has a container say something to a service of the host for a while, which it must not reach.
    private static String talk(Engine engine, String gateway) {
        try {
            return engine.exec("db", Exec.of("/usr/bin/python3", "-I", "-c", TALK, gateway), Streams.capture())
                    .stdout();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    @Tag("peers")
    void firewalld_starts_and_loads_its_rules_again_beside_ours() throws Exception {
        try (var firewalld = new Firewalld(directory)) {
            String before = ours();
            firewalld.start();
            assertThat(NetworkBed.sh("nft list tables")).contains("inet firewalld");
            assertThat(ours()).isEqualTo(before);
            assertThat(answers(bed.neighbor(words(asking(PUBLISHED))))).containsExactly("db", "db");
            assertNamesAreAnswered();

            firewalld.command("--reload");

            assertThat(ours()).isEqualTo(before);
            assertThat(answers(bed.neighbor(words(asking(PUBLISHED))))).containsExactly("db", "db");
            assertThat(warnings(Network.on("web")))
                    .singleElement()
                    .asString()
                    .startsWith("chain filter_FORWARD of table inet firewalld drops what is forwarded");
            assertThat(answers(inside(web, asking(OUTSIDE)))).containsExactly("-", "-");

            firewalld.command("--zone=trusted --add-interface=" + bridge());

            assertThat(answers(inside(web, asking(OUTSIDE)))).containsExactly("echo", "neighbor");
            assertThat(warnings(Network.on("web"))).isEmpty();
        }
        assertAllIsOpen();
    }

    @Test
    @Tag("peers")
    void a_dockerd_and_podman_beside_us_lose_nothing_by_us_and_we_lose_nothing_by_them() throws Exception {
        String before = rules();
        try (var others = new OtherEngines(directory)) {
            others.startDockerd();
            others.runDockers();
            assertThat(rules()).isEqualTo(before);
            assertThat(warnings(Network.on("web"))).isEmpty();
            assertAllIsOpen();
            NetworkBed.sh("iptables -P FORWARD DROP"); // as a dockerd does that was there before us
            assertThat(warnings(Network.on("web")))
                    .singleElement()
                    .asString()
                    .startsWith("chain FORWARD of table ip filter drops what is forwarded");
            assertThat(answers(inside(web, asking(OUTSIDE)))).containsExactly("-", "-");
            NetworkBed.sh("iptables -I DOCKER-USER -i cn+ -j ACCEPT; iptables -I DOCKER-USER -o cn+ -j ACCEPT");
            assertThat(warnings(Network.on("web"))).isEmpty();
            assertAllIsOpen();
            assertThat(served(OtherEngines.DOCKERS)).isTrue();

            NetworkBed.sh("iptables -P FORWARD ACCEPT"); // which else drops what podman publishes
            others.runPodmans();
            assertThat(rules()).isEqualTo(before);
            assertAllIsOpen();
            assertThat(served(OtherEngines.PODMANS)).isTrue();

            web.remove(true);
            NetworkBed.sh("nft flush chain bridge "
                    + NetworkBed.sh("nft list tables bridge | grep -o 'caisson-[0-9a-f]*$'")
                            .strip() + " guest");
            try (Engine engine = Engine.open(OPTIONS)) {
                web = started(engine, "web", spec -> spec, Network.on("web"));
            }
            assertThat(served(OtherEngines.DOCKERS)).isTrue();
            assertThat(served(OtherEngines.PODMANS)).isTrue();

            others.removePodmans();
            others.stopDockerd();
            assertAllIsOpen();
            others.startDockerd();
            assertAllIsOpen();
            assertThat(served(OtherEngines.DOCKERS)).isTrue();
        }
        assertAllIsOpen();
    }

    /// True if a container of another engine answers the neighbor by its published port.
    private boolean served(String port) {
        return bed.neighbor("for i in $(seq 50); do busybox wget -q -T 2 -O - http://" + NetworkBed.HOST + ":" + port
                        + "/who && exit; sleep 0.2; done; true")
                .contains("served");
    }

    private String bridge() {
        return bed.networks(all -> all.attachments(web.id()).getFirst().bridge());
    }

    /// Returns our rules without the elements of sets, some of which the kernel makes.
    private static String rules() {
        return NetworkBed.sh(
                "for family in inet bridge; do nft -s -t list table $family $(nft list tables bridge | grep -o"
                        + " 'caisson-[0-9a-f]*$'); done");
    }

    private static String ours() {
        return NetworkBed.sh(
                "for family in inet bridge; do nft list tables $family | grep 'caisson-[0-9a-f]*$' | while read -r table; do"
                        + " nft list $table; done; done | sed /expires/d");
    }
}
