package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.launch.RefusedException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.AccessEntry;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Gate;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Containers whose requests pass a gate. The host behind it has no address here, which the gate itself says: its
/// words come over a connection that is led, greeted and trusted as every other one.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GatedContainersTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("gates"), OwnDirectories.data("gates"));
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final String VALUE = "canary-of-the-gate";
    private static final String ID = "a".repeat(64);
    private static final String HOST = "api.gated.invalid";
    private static final String ASK = "python3 -I -c 'import urllib.request, urllib.error\n"
            + "try: urllib.request.urlopen(\"https://" + HOST + "/\", timeout=20)\n"
            + "except urllib.error.HTTPError as e: print(e.code, e.read().decode())'";

    @TempDir
    private Path scratch;

    private NetworkBed bed;

    @BeforeEach
    void open() throws Exception {
        removeStore();
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        SecretStore.make(
                STORE,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("key")), List.of(), true),
                Optional::empty,
                "test");
        create("gh", VALUE);
        create("line", VALUE + "\n");
    }

    private static void create(String name, String text) {
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = SecretValue.of(text.getBytes(StandardCharsets.UTF_8))) {
            store.create(new SecretName(name), value, Map.of(), Optional.empty(), "test");
        }
    }

    @AfterEach
    void close() throws Exception {
        try {
            for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
                new DetachedContainer(place).remove(true);
            }
        } finally {
            bed.close();
            removeStore();
        }
    }

    private static void removeStore() throws IOException {
        if (Files.exists(STORE)) {
            BusyboxEngine.removeTree(STORE);
        }
    }

    private static ContainerSpec spec(Egress egress, String secret, String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script)
                .network(Network.on("web")
                        .egress(egress)
                        .gates(List.of(Gate.of(secret).to(HOST))));
    }

    private static Egress listed() {
        return Egress.only(HOST + ":443");
    }

    @Test
    void requests_come_to_the_gate_and_the_value_is_nowhere_inside() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            RunResult result = engine.run(spec(listed(), "gh", ASK + """
                    ; grep -l 'canary-of[-]the-gate' /proc/[0-9]*/environ /proc/[0-9]*/cmdline /run -r 2>/dev/null
                    echo "$SSL_CERT_FILE $CURL_CA_BUNDLE $NODE_EXTRA_CA_CERTS $REQUESTS_CA_BUNDLE $GIT_SSL_CAINFO"
                    touch $SSL_CERT_FILE 2>/dev/null || echo read-only
                    grep -c PRIVATE $SSL_CERT_FILE
                    cmp $SSL_CERT_FILE /etc/ssl/certs/ca-certificates.crt && echo same"""));
            String file = Gate.CERTIFICATES.absolute();
            assertThat(result.stdout())
                    .startsWith("502 caisson gate: the host " + HOST + " has no address at the moment\n")
                    .contains(String.join(" ", file, file, file, file, file) + "\nread-only\n0\nsame\n")
                    .doesNotContain("/proc");
        }
        assertThat(files()).isEmpty();
        try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
            assertThat(store.log().stream()
                            .filter(entry -> entry.secret().equals("gh@1"))
                            .map(AccessEntry::action))
                    .containsExactly("create", "deliver");
        }
    }

    /// Each prints what the gate says, which it does only if it trusts its certificate. One that this host does not
    /// have is left out.
    @Test
    void clients_trust_the_gate_without_an_option() throws Exception {
        String java = System.getProperty("java.home") + "/bin/java";
        String script = """
                url=https://HOST/
                has() { command -v $1 >/dev/null || { echo "$1 502"; false; }; }
                echo "curl $(curl -s -o /dev/null -w '%{http_code}' $url)"
                has git && echo "git $(git ls-remote $url 2>&1 | grep -o '502')"
                has node && echo "node $(node -e 'require("https").get("'$url'", r => console.log(r.statusCode))' 2>&1)"
                cat >/tmp/Ask.java <<'END'
                import java.net.URI;
                import java.net.http.*;
                class Ask {
                    public static void main(String[] all) throws Exception {
                        var to = HttpRequest.newBuilder(URI.create(all[0])).build();
                        var answer = HttpClient.newHttpClient().send(to, HttpResponse.BodyHandlers.ofString());
                        System.out.println(answer.statusCode());
                    }
                }
                END
                echo "java $(JAVA -XX:TieredStopAtLevel=1 -XX:+UseSerialGC /tmp/Ask.java $url 2>&1)"
                """.replace("HOST", HOST).replace("JAVA", java);
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThat(engine.run(spec(listed(), "gh", script)).stdout().lines())
                    .containsExactly("curl 502", "git 502", "node 502", "java 502");
        }
    }

    @Test
    void a_gate_needs_its_host_on_a_list_and_a_value_that_fits() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            for (Egress egress :
                    List.of(Egress.all(), Egress.none(), Egress.only(HOST + ":80", "*." + HOST + ":443"))) {
                assertThatThrownBy(() -> engine.run(spec(egress, "gh", "true")))
                        .isInstanceOf(RefusedException.class)
                        .hasMessageContaining("--egress " + HOST + ":443");
            }
            assertThatThrownBy(() -> engine.run(spec(listed(), "line", "true")))
                    .isInstanceOf(CaissonException.class)
                    .hasMessageContaining("ends with a line end")
                    .hasMessageNotContaining(VALUE);
            assertThatThrownBy(() -> engine.run(spec(listed(), "missing", "true")))
                    .hasMessageContaining("there is no secret missing");
        }
        assertThat(files()).isEmpty();
    }

    @Test
    void the_resident_engine_serves_containers_in_the_background() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThatThrownBy(() -> engine.create(spec(listed(), "gh", "true"), DetachedOptions.STANDARD))
                    .hasMessageContaining("run 'caisson serve'");
        }
        DetachedContainer container;
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow();
                Engine engine = Engine.open(OPTIONS)) {
            container = engine.create(spec(listed(), "gh", "sleep 100"), DetachedOptions.STANDARD);
            container.start();
            assertThat(ask(container)).startsWith("502 caisson gate: ");
            assertThat(led()).contains(". 443 ").contains("timeout 10s");
            NetworkBed.sh("nft flush map inet " + table() + " gated"); // as when the time of all is over
            assertThat(ask(container)).startsWith("502 caisson gate: "); // it was renewed
        }
        assertThat(led()).doesNotContain(". 443 ");
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow()) { // another process, with the same authority
            assertThat(ask(container)).startsWith("502 caisson gate: ");
            container.egress(Egress.none());
            assertThat(ask(container)).doesNotContain("502");
        }
        assertThat(files()).hasSize(1);
        container.remove(true);
        assertThat(files()).isEmpty();
    }

    @Test
    void a_gate_whose_host_leaves_the_list_leaves_the_spec_and_the_others_stay() throws Exception {
        String other = "other.gated.invalid";
        ContainerSpec both = ContainerSpec.of(Image.host(), "sleep", "100")
                .network(Network.on("web")
                        .egress(Egress.only(HOST + ":443", other + ":443"))
                        .gates(List.of(Gate.of("gh").to(HOST), Gate.of("gh").to(other))));
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow();
                Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer container = engine.create(both, DetachedOptions.STANDARD);
            container.start();
            container.egress(Egress.only(other + ":443"));
            assertThat(gates(container)).extracting(Gate::host).containsExactly(other);
            container.egress(Egress.none());
            assertThat(gates(container)).isEmpty();
            container.egress(Egress.only(HOST + ":443"));
            assertThat(gates(container)).as("a list gives nobody a secret").isEmpty();
        }
    }

    private static List<Gate> gates(DetachedContainer container) {
        return GateSecrets.of(KeptSpec.of(container.id(), OPTIONS).orElseThrow());
    }

    @Test
    void a_rotated_secret_reaches_an_open_gate_and_one_that_is_gone_closes_it() throws Exception {
        try (NetworkKeeper _ = NetworkKeeper.open(OPTIONS).orElseThrow();
                Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer container = engine.create(spec(listed(), "gh", "sleep 100"), DetachedOptions.STANDARD);
            container.start();
            assertThat(ask(container)).startsWith("502 caisson gate: ");
            try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                    SecretValue next = SecretValue.of("another-value".getBytes(StandardCharsets.UTF_8))) {
                store.rotate(new SecretName("gh"), next, Optional.empty(), "test");
                awaitEntry(store, "deliver", "gh@2");
                assertThat(ask(container)).startsWith("502 caisson gate: ");
                store.remove(new SecretName("gh"), "test");
            }
            long until = System.nanoTime() + 10_000_000_000L;
            while (led().contains(". 443 ") && System.nanoTime() - until < 0) {
                Thread.sleep(10);
            }
            assertThat(led()).doesNotContain(". 443 ");
        }
    }

    @Test
    void a_secret_that_is_for_others_or_created_again_is_read_again_though_its_version_has_the_same_number() {
        try (GateSecrets former =
                        GateSecrets.read(OPTIONS.data(), spec(listed(), "gh", "true"), Optional.empty(), "test");
                SecretStore store = SecretStore.open(STORE, Optional::empty)) {
            assertThat(former.again()).isEmpty();
            SecretAccess others = new SecretAccess(List.of(), List.of("others"), Map.of());
            store.restrict(new SecretName("gh"), others, "test");
            assertThatThrownBy(former::again).hasMessageContaining("the secret gh is not for this container");
            store.restrict(new SecretName("gh"), SecretAccess.ANY, "test");
            assertThat(former.again()).isEmpty();
            store.remove(new SecretName("gh"), "test");
            create("gh", "another-value");
            try (GateSecrets next = former.again().orElseThrow();
                    SecretValue value = next.copies().getFirst().value()) {
                assertThat(new String(value.copy(), StandardCharsets.UTF_8)).isEqualTo("another-value");
            }
        }
    }

    @Test
    void a_version_that_expires_closes_its_gate_also_if_the_store_is_locked_by_then() throws Exception {
        var ended = new ArrayList<String>();
        var updates = new GateUpdates(OPTIONS, (id, _, _) -> ended.add("replaced " + id), ended::add);
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = SecretValue.of("for a moment".getBytes(StandardCharsets.UTF_8))) {
            store.create(new SecretName("brief"), value, Map.of(), Optional.of(Duration.ofSeconds(2)), "test");
        }
        try (GateSecrets brief = read("brief");
                GateSecrets lasting = read("gh")) {
            Map<String, GateSecrets> open = Map.of(ID, brief, ID.replace('a', 'b'), lasting);
            updates.look(open);
            long until = System.nanoTime() + 10_000_000_000L;
            while (!brief.isExpired() && System.nanoTime() - until < 0) {
                assertThat(ended).isEmpty();
                Thread.sleep(10);
            }
            Files.move(scratch.resolve("key"), scratch.resolve("unplugged"));
            updates.look(open);
            assertThat(ended).containsExactly(ID);
            Files.move(scratch.resolve("unplugged"), scratch.resolve("key"));
            updates.look(open);
            assertThat(ended).containsExactly(ID, ID);
        }
    }

    @Test
    void a_change_that_is_met_while_the_store_is_busy_is_looked_for_again() throws InterruptedException {
        var ended = new ArrayList<String>();
        var updates = new GateUpdates(OPTIONS, (id, _, _) -> ended.add("replaced " + id), ended::add);
        try (GateSecrets secrets = read("gh")) {
            Map<String, GateSecrets> open = Map.of(ID, secrets);
            updates.look(open);
            try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
                store.remove(new SecretName("gh"), "test");
            }
            try (Fd lock = FileSystem.open(STORE.resolve("lock").toString(), FileSystem.O_RDWR)) {
                assertThat(FileLocks.tryLock(lock)).isTrue();
                Thread.currentThread().interrupt(); // it does not wait for long
                updates.look(open);
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(ended).isEmpty();
            updates.look(open);
            assertThat(ended).containsExactly(ID);
        }
    }

    private static GateSecrets read(String secret) {
        return GateSecrets.read(OPTIONS.data(), spec(listed(), secret, "true"), Optional.empty(), "test");
    }

    private static void awaitEntry(SecretStore store, String action, String secret) throws InterruptedException {
        long until = System.nanoTime() + 10_000_000_000L;
        while (store.log().stream()
                .noneMatch(
                        entry -> entry.action().equals(action) && entry.secret().equals(secret))) {
            assertThat(System.nanoTime() - until).isNegative();
            Thread.sleep(10);
        }
    }

    private static String led() {
        return NetworkBed.sh("nft list map inet " + table() + " gated");
    }

    private static String table() {
        return NetworkBed.sh("nft list tables inet | grep -v unseen").strip().split(" ", -1)[2];
    }

    /// Returns the directories with authorities and certificates of containers.
    private static List<Path> files() throws IOException {
        Path all = OPTIONS.state().resolve("gates");
        if (!Files.exists(all)) {
            return List.of();
        }
        try (Stream<Path> listed = Files.list(all)) {
            return listed.toList();
        }
    }

    private static String ask(DetachedContainer container) throws Exception {
        String script = "for i in 1 2 3; do a=$(" + ASK + " 2>/dev/null) && [ -n \"$a\" ] && break; sleep 1; done;"
                + " echo \"$a\"";
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.exec(container.name(), Exec.of("sh", "-c", script), Streams.capture())
                    .stdout();
        }
    }
}
