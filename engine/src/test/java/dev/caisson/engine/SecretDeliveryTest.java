package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ProgressListener;
import dev.caisson.image.Snapshot;
import dev.caisson.secret.AccessEntry;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SecretFile;
import dev.caisson.spec.SpecJson;
import dev.caisson.state.LogEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Secrets as files of containers.
class SecretDeliveryTest extends BusyboxEngine {
    private static final String VALUE = "canary-of-the-delivery";
    private static final SecretName DB = new SecretName("db");
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);

    @TempDir
    private Path scratch;

    @BeforeEach
    void makeStore() throws IOException {
        removeStore();
        var key = new Unlocker.KeyFile(scratch.resolve("key"));
        SecretStore.make(STORE, new NewStore(key, List.of(), true), Optional::empty, "test");
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = value(VALUE)) {
            store.create(DB, value, Map.of(), Optional.empty(), "test");
        }
    }

    @AfterEach
    void removeStore() throws IOException {
        if (Files.exists(STORE)) {
            removeTree(STORE);
        }
    }

    @Test
    void a_secret_is_a_file_of_the_programs_user_that_nobody_else_reads_or_changes() throws Exception {
        RunResult result =
                engine.run(with(SecretFile.of("db")).user("1000:1001").command("sh", "-c", """
                        cat $DB_FILE; echo
                        stat -c '%n %u %g %a %s' $DB_FILE
                        grep ' /run/secrets ' /proc/self/mountinfo | grep -c 'ro,nosuid,nodev,noexec.* ramfs '
                        touch /run/secrets/other 2>/dev/null || echo read-only
                        """));
        assertThat(result.stdout())
                .isEqualTo(VALUE + "\n/run/secrets/db 1000 1001 400 " + VALUE.length() + "\n1\nread-only\n");
    }

    @Test
    void the_same_secret_twice_has_the_attributes_that_each_was_given() throws Exception {
        SecretFile second = SecretFile.of("db").file("copy").owner(7, 8).mode(0440);
        RunResult result = engine.run(with(SecretFile.of("db"), second)
                .command("sh", "-c", "cd /run/secrets; stat -c '%n %u %g %a' *; cat db copy"));
        assertThat(result.stdout()).isEqualTo("copy 7 8 440\ndb 0 0 400\n" + VALUE + VALUE);
    }

    @Test
    void even_root_of_a_privileged_container_cannot_change_one() throws Exception {
        RunResult result = engine.run(with(SecretFile.of("db"))
                .privileged(true)
                .allow(Allowance.PRIVILEGED)
                .command("sh", "-c", """
                        mount -o remount,rw,bind /run/secrets 2>/dev/null
                        mount -o remount,rw /run/secrets 2>/dev/null
                        (echo x >/run/secrets/db) 2>/dev/null || echo refused
                        cat /run/secrets/db
                        """));
        assertThat(result.stdout()).isEqualTo("refused\n" + VALUE);
    }

    @Test
    void what_is_not_to_be_had_is_refused_before_anything_is_made() throws Exception {
        assertCode("SECRET_UNKNOWN", with(SecretFile.of("none")));
        Files.move(scratch.resolve("key"), scratch.resolve("away"));
        assertCode("SECRET_LOCKED", with(SecretFile.of("db")));
        removeStore();
        assertCode("SECRET_STORE_MISSING", with(SecretFile.of("db")));
    }

    private void assertCode(String code, ContainerSpec spec) throws InterruptedException {
        ContainerSpec named = spec.name("refused");
        assertThatThrownBy(() -> engine.run(named))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
        assertThatThrownBy(() -> engine.create(named, DetachedOptions.STANDARD))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
        assertThat(ContainerStatus.all(OPTIONS))
                .noneMatch(status -> status.name().filter("refused"::equals).isPresent());
    }

    @Test
    void a_fork_has_the_secrets_that_it_is_given_itself() throws Exception {
        Snapshot taken;
        try (Session session = engine.session(busybox().mount(new Mount.Secrets(List.of(SecretFile.of("db")))))) {
            assertThat(output(session, "cat /run/secrets/db; echo >/made")).isEqualTo("[secret:db]");
            taken = session.snapshot("with-secrets");
        }
        List<Session> forks = new ArrayList<>();
        try {
            forks.addAll(engine.fork(taken, 1));
            assertThat(output(forks.getFirst(), "ls /made; cat /run/secrets/db 2>&1 | grep -c 'No such'"))
                    .isEqualTo("/made\n1\n");
            SecretFile own = SecretFile.of("db").file("own");
            forks.addAll(engine.fork(taken, 2, spec -> spec.mount(new Mount.Secrets(List.of(own)))));
            Set<String> mounts = new HashSet<>();
            for (Session fork : forks.subList(1, 3)) {
                assertThat(output(fork, "cd /run/secrets; echo *; cat own")).isEqualTo("own\n[secret:db]");
                mounts.add(output(fork, "grep ' /run/secrets ' /proc/self/mountinfo | cut -d' ' -f3"));
            }
            assertThat(mounts).as("file systems").hasSize(2);
            assertThat(holding(OPTIONS.data())).isEmpty();
        } finally {
            forks.forEach(Session::close);
            engine.snapshots().remove(taken.name());
        }
    }

    private static String output(Session session, String script) throws InterruptedException {
        return session.exec(Exec.of("sh", "-c", script)).stdout();
    }

    @Test
    void the_value_is_in_no_file_plan_archive_change_or_layer() throws Exception {
        ContainerSpec spec =
                with(SecretFile.of("db")).command("sh", "-c", "cat /run/secrets/db >/dev/null; exec sleep 100");
        assertThat(SpecJson.write(spec)).contains("db").doesNotContain(VALUE);
        assertThat(Engine.plan(spec, OPTIONS, ProgressListener.none()).toString())
                .contains("db")
                .doesNotContain(VALUE);
        DetachedContainer container = engine.create(spec, DetachedOptions.STANDARD);
        try {
            container.start();
            assertThat(holding(OPTIONS.state())).isEmpty();
            assertThat(holding(OPTIONS.data().resolve("containers"))).isEmpty();
            try (ContainerFiles files = engine.files(container.id().value())) {
                assertThatThrownBy(() -> files.read("/run/secrets/db", Bytes.mebibytes(1)))
                        .isInstanceOf(CaissonException.class);
                var archive = new ByteArrayOutputStream();
                files.pack("/run", "run", archive, CopyOptions.STANDARD);
                assertThat(archive.toString(StandardCharsets.ISO_8859_1)).doesNotContain(VALUE);
            }
            assertThat(container.changes().toString()).doesNotContain(VALUE, "secrets/db");
        } finally {
            container.remove(true);
        }
    }

    @Test
    void a_container_in_the_background_keeps_its_values_over_a_restart() throws Exception {
        DetachedContainer container = engine.create(
                with(SecretFile.of("db")).command("sh", "-c", "wc -c </run/secrets/db"), DetachedOptions.STANDARD);
        try {
            container.start();
            container.await();
            try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                    SecretValue other = value("another value")) {
                store.rotate(DB, other, Optional.empty(), "test");
            }
            container.restart(OptionalInt.empty(), Optional.empty());
            container.await();
            try (var log = container.log(OptionalLong.empty())) {
                assertThat(log.next()).extracting(LogEntry::text).containsExactly("22\n", "22\n");
            }
        } finally {
            container.remove(true);
        }
        try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
            assertThat(store.log())
                    .filteredOn(entry -> entry.action().equals("deliver"))
                    .singleElement()
                    .satisfies(entry -> {
                        assertThat(entry.secret()).isEqualTo("db@1");
                        assertThat(entry.user())
                                .isEqualTo("container " + container.id().value());
                    });
        }
    }

    @Test
    void a_variable_has_the_value_only_where_the_program_is() throws Exception {
        ContainerSpec spec = with(SecretFile.of("db").asVariable("TOKEN"))
                .command("sh", "-c", "echo ${#TOKEN} $TOKEN $DB_FILE; trap 'exit 3' TERM; while :; do sleep 1; done");
        assertThat(SpecJson.write(spec)).contains("TOKEN").doesNotContain(VALUE);
        assertThat(SpecJson.read(SpecJson.write(spec))).isEqualTo(spec);
        assertThat(Engine.plan(spec, OPTIONS, ProgressListener.none()).toString())
                .doesNotContain(VALUE);
        DetachedContainer container = engine.create(spec, DetachedOptions.STANDARD);
        try {
            container.start();
            assertThat(engine.exec(container.id().value(), Exec.of("sh", "-c", "echo ${#TOKEN}"), Streams.capture())
                            .stdout())
                    .isEqualTo("22\n");
            assertThat(holding(OPTIONS.state())).isEmpty();
            assertThat(holding(OPTIONS.data().resolve("containers"))).isEmpty();
            assertThat(commandLines()).noneMatch(line -> line.contains(VALUE));
            container.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
            assertThat(output(container, 2)).hasSize(2).containsOnly("22 [secret:db] /run/secrets/db\n");
        } finally {
            container.remove(true);
        }
    }

    @Test
    void a_command_that_comes_at_once_has_the_variables_of_the_program() throws Exception {
        DetachedContainer container = engine.create(
                with(SecretFile.of("db").asVariable("TOKEN")).command("sleep", "100"), DetachedOptions.STANDARD);
        try {
            container.start();
            for (int i = 0; i < 20; i++) {
                ExecResult result =
                        engine.exec(container.id().value(), Exec.of("sh", "-c", "echo ${#TOKEN}"), Streams.capture());
                assertThat(result.stdout()).isEqualTo("22\n");
                container.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
            }
        } finally {
            container.remove(true);
        }
    }

    /// Returns the lines of its log, as soon as there are so many.
    private static List<String> output(DetachedContainer container, int count) throws InterruptedException {
        var lines = new ArrayList<String>();
        try (var log = container.log(OptionalLong.empty())) {
            long begun = System.nanoTime();
            while (lines.size() < count && System.nanoTime() - begun < 10_000_000_000L) {
                log.next().forEach(entry -> lines.add(entry.text()));
                Thread.sleep(2);
            }
        }
        return lines;
    }

    private static List<String> commandLines() throws IOException {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes
                    .map(process -> process.resolve("cmdline"))
                    .map(file -> {
                        try {
                            return Files.readString(file, StandardCharsets.ISO_8859_1);
                        } catch (IOException e) {
                            return ""; // no process, or it has ended
                        }
                    })
                    .toList();
        }
    }

    @Test
    void a_value_that_no_variable_can_have_is_refused_and_so_is_a_second_value() throws Exception {
        RunResult result =
                engine.run(with(SecretFile.of("db").asVariable("PATH")).command("/bin/sh", "-c", "echo $PATH"));
        assertThat(result.stdout()).isEqualTo(VALUE + "\n");
        assertCode(
                "OPTIONS_CONTRADICT",
                with(SecretFile.of("db").asVariable("TOKEN")).environment("TOKEN", "x"));
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue zero = value("with a \0 byte");
                SecretValue large = value("x".repeat(200_000))) {
            store.rotate(DB, zero, Optional.empty(), "test");
            assertCode("SECRET_VARIABLE", with(SecretFile.of("db").asVariable("TOKEN")));
            store.rotate(DB, large, Optional.empty(), "test");
            assertCode("SECRET_VARIABLE", with(SecretFile.of("db").asVariable("TOKEN")));
        }
    }

    @Test
    void a_stored_value_in_a_text_of_a_container_is_refused_with_its_place_alone() throws Exception {
        String encoded = Base64.getEncoder().encodeToString(("user:" + VALUE).getBytes(StandardCharsets.US_ASCII));
        ContainerSpec plain = busybox("true");
        assertThat(refused(plain.environment("TOKEN", "x" + VALUE))).startsWith("the variable TOKEN has");
        assertThat(refused(plain.command("echo", "Basic " + encoded))).startsWith("word 2 of the command has");
        assertThat(refused(plain.label("note", VALUE))).contains("the label note", "db@1");
        assertThat(refused(plain.entrypoint(List.of("sh", "-c", "echo " + VALUE))))
                .contains("word 3 of the entry");
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue other = value("another value")) {
            store.rotate(DB, other, Optional.empty(), "test");
            assertThat(store.log()).extracting(AccessEntry::action).containsExactly("init", "create", "rotate");
        }
        assertThat(refused(plain.environment("TOKEN", VALUE))).contains("db@1");
        Files.move(scratch.resolve("key"), scratch.resolve("away"));
        assertThat(engine.run(plain.environment("TOKEN", VALUE)).exitStatus()).isZero();
    }

    @Test
    void a_secret_is_given_only_to_containers_that_it_is_for() throws Exception {
        ContainerSpec spec = with(SecretFile.of("db")).command("true").label("tier", "gold");
        restrict(new SecretAccess(List.of(spec.image().toString()), List.of("web-*"), Map.of("tier", "gold")));
        assertThat(engine.run(spec.name("web-1")).exitStatus()).isZero();
        assertCode("SECRET_DENIED", spec);
        restrict(new SecretAccess(List.of("other:1"), List.of(), Map.of()));
        assertCode("SECRET_DENIED", spec);
        try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
            assertThat(store.log()).extracting(AccessEntry::action).contains("deny");
        }
    }

    private static void restrict(SecretAccess access) {
        try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
            store.restrict(DB, access, "test");
        }
    }

    private String refused(ContainerSpec spec) throws InterruptedException {
        assertCode("SECRET_IN_SPEC", spec);
        try {
            engine.run(spec);
            return "";
        } catch (CaissonException e) {
            assertThat(e).hasMessageNotContaining(VALUE);
            return e.sentence();
        }
    }

    private static List<Path> holding(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .filter(SecretDeliveryTest::holdsValue)
                    .toList();
        }
    }

    private static boolean holdsValue(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1).contains(VALUE);
        } catch (IOException e) {
            return false; // it is gone
        }
    }

    private ContainerSpec with(SecretFile... files) {
        return busybox("true").mount(new Mount.Secrets(List.of(files)));
    }

    private static SecretValue value(String text) {
        return SecretValue.of(text.getBytes(StandardCharsets.US_ASCII));
    }
}
