package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.SlotSource;
import dev.caisson.launch.Verifier;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Processes;
import dev.caisson.secret.AccessEntry;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.OnSecretChange;
import dev.caisson.spec.SecretFile;
import dev.caisson.spec.SpecJson;
import dev.caisson.state.LogEntry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Values that reach containers which were created before them, and those that are taken away.
class SecretUpdateTest extends BusyboxEngine {
    private static final SecretName DB = new SecretName("db");
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final String FIRST = "the first value";
    private static final String SECOND = "and another value of it";
    private static final int UPDATES = 10_000;

    @TempDir
    private Path scratch;

    private final List<DetachedContainer> made = new ArrayList<>();

    @BeforeEach
    void makeStore() throws IOException {
        removeStore();
        var key = new Unlocker.KeyFile(scratch.resolve("key"));
        SecretStore.make(STORE, new NewStore(key, List.of(), true), Optional::empty, "test");
        try (SecretStore store = open();
                SecretValue value = value(FIRST)) {
            store.create(DB, value, Map.of(), Optional.empty(), "test");
        }
    }

    @AfterEach
    void removeAll() throws Exception {
        for (DetachedContainer container : made) {
            container.remove(true);
        }
        removeStore();
    }

    private static void removeStore() throws IOException {
        if (Files.exists(STORE)) {
            removeTree(STORE);
        }
    }

    private static SecretStore open() {
        return SecretStore.open(STORE, Optional::empty);
    }

    private static SecretValue value(String text) {
        return SecretValue.of(text.getBytes(StandardCharsets.UTF_8));
    }

    private DetachedContainer start(ContainerSpec spec) throws InterruptedException {
        DetachedContainer container = engine.create(spec, DetachedOptions.STANDARD);
        made.add(container);
        container.start();
        return container;
    }

    private ContainerSpec with(SecretFile... files) {
        return busybox("true").mount(new Mount.Secrets(List.of(files)));
    }

    private static List<SecretUpdate.Missed> rotate(String text) throws InterruptedException {
        try (SecretStore store = open();
                SecretValue next = value(text)) {
            store.rotate(DB, next, Optional.empty(), "test");
            return SecretUpdate.deliver(DB, store, OPTIONS);
        }
    }

    private static Path shown(DetachedContainer container, String file) {
        int pid = DetachedPlace.find(container.id().value(), OPTIONS)
                .orElseThrow()
                .record()
                .pid();
        return Path.of("/proc/" + pid + "/root/run/secrets/" + file);
    }

    private static List<String> output(DetachedContainer container, int count) throws InterruptedException {
        var lines = new ArrayList<String>();
        try (var log = container.log(OptionalLong.empty())) {
            long until = System.nanoTime() + 10_000_000_000L;
            while (lines.size() < count && System.nanoTime() - until < 0) {
                log.next().stream().map(LogEntry::text).forEach(lines::add);
                Thread.sleep(2);
            }
        }
        return lines;
    }

    @Test
    void a_new_version_is_in_the_files_of_a_running_container_which_is_sent_its_signal() throws Exception {
        SecretFile copy = SecretFile.of("db").file("copy").owner(7, 8).mode(0440);
        DetachedContainer container = start(
                with(SecretFile.of("db").onChange(Processes.signalNumber("HUP").orElseThrow()), copy)
                        .command(
                                "sh",
                                "-c",
                                "first=$(cat /run/secrets/db); trap 'cat /run/secrets/db; echo; echo $first' HUP; echo up;"
                                        + " while :; do sleep 0.01; done"));
        assertThat(output(container, 1)).containsExactly("up\n");
        assertThat(rotate("a-value-between-the-two")).isEmpty();
        assertThat(output(container, 3)).hasSize(3);
        assertThat(rotate(SECOND)).isEmpty();
        assertThat(Files.readString(shown(container, "db"))).isEqualTo(SECOND);
        assertThat(Files.readString(shown(container, "copy"))).isEqualTo(SECOND);
        assertThat(output(container, 5)) // the log knows it too, and the first value, which the program has kept
                .first()
                .isEqualTo("up\n");
        assertThat(output(container, 5))
                .hasSize(5)
                .filteredOn("[secret:db]\n"::equals)
                .hasSize(4);
        String seen = engine.exec(
                        container.id().value(),
                        Exec.of(
                                "sh",
                                "-c",
                                "cd /run/secrets; ls -A; stat -c '%u %g %a' db copy; touch x db 2>/dev/null || echo read-only"),
                        Streams.capture())
                .stdout();
        assertThat(seen).isEqualTo("copy\ndb\n0 0 400\n7 8 440\nread-only\n");
        assertThat(Verification.of(container.id().value(), OPTIONS).checks()).allMatch(Verifier.Check::asPlanned);
        try (SecretStore store = open()) {
            assertThat(store.log())
                    .filteredOn(entry -> entry.action().equals("deliver"))
                    .extracting(AccessEntry::secret)
                    .containsExactly("db@1", "db@2", "db@3");
        }
    }

    @Test
    void a_reader_sees_whole_values_alone_while_there_are_ten_thousand_updates() throws Exception {
        DetachedContainer container = start(with(SecretFile.of("db")).command("sleep", "1000"));
        DetachedPlace place =
                DetachedPlace.find(container.id().value(), OPTIONS).orElseThrow();
        LaunchPlan plan = place.record().plan().plan();
        Path file = shown(container, "db");
        var ended = new AtomicBoolean();
        var read = new CompletableFuture<Integer>();
        try (Monitor monitor = place.connect().orElseThrow();
                Fd mount = monitor.mount(plan.slot(SlotSource.Secrets.class, 0).index());
                var files = new ShownSecrets(plan, mount)) {
            put(files, 0);
            Thread reader = Thread.ofPlatform().start(() -> {
                try {
                    read.complete(readUntil(ended, file));
                } catch (Throwable e) {
                    read.completeExceptionally(e);
                }
            });
            for (int i = 1; i <= UPDATES && !read.isDone(); i++) {
                put(files, i);
            }
            ended.set(true);
            reader.join();
        }
        assertThat(read.get()).isGreaterThan(100);
        try (Stream<Path> left = Files.list(file.getParent())) {
            assertThat(left).containsExactly(file);
        }
    }

    /// Puts a value of one letter, whose size goes with the letter.
    private static void put(ShownSecrets files, int number) {
        byte[] bytes = new byte[9000 + number % 26 * 500];
        Arrays.fill(bytes, (byte) ('a' + number % 26));
        try (SecretValue value = SecretValue.of(bytes)) {
            files.put(DB, value);
        }
    }

    /// @return how many different ones were seen, one after the other
    private static int readUntil(AtomicBoolean ended, Path file) throws IOException {
        int changes = 0;
        int before = -1;
        while (!ended.get()) {
            byte[] bytes = Files.readAllBytes(file);
            int letter = bytes[0] - 'a';
            assertThat(bytes).hasSize(9000 + letter * 500).containsOnly(bytes[0]);
            changes += letter == before ? 0 : 1;
            before = letter;
        }
        return changes;
    }

    @Test
    void a_secret_that_is_revoked_is_overwritten_for_those_who_have_it_open() throws Exception {
        DetachedContainer container = start(
                with(SecretFile.of("db"), SecretFile.of("db").file("copy")).command("sleep", "1000"));
        try (InputStream open = Files.newInputStream(shown(container, "copy"))) {
            assertThat(SecretUpdate.revoke(DB, OPTIONS)).isEmpty();
            assertThat(open.readAllBytes()).isEqualTo(new byte[FIRST.length()]);
        }
        assertThat(shown(container, "db").getParent()).isEmptyDirectory();
        assertThat(SecretUpdate.revoke(DB, OPTIONS)).isEmpty();
        assertThat(rotate(SECOND)).isEmpty(); // as long as the store has it
        assertThat(Files.readString(shown(container, "db"))).isEqualTo(SECOND);
    }

    /// Acts on the file system of a container's secrets as an update does.
    private static void change(DetachedContainer container, BiConsumer<ShownSecrets, Fd> act) throws Exception {
        DetachedPlace place =
                DetachedPlace.find(container.id().value(), OPTIONS).orElseThrow();
        LaunchPlan plan = place.record().plan().plan();
        try (Monitor monitor = place.connect().orElseThrow();
                Fd mount = monitor.mount(plan.slot(SlotSource.Secrets.class, 0).index());
                var files = new ShownSecrets(plan, mount)) {
            act.accept(files, mount);
        }
    }

    @Test
    void a_revoke_overwrites_what_a_killed_update_has_left_and_can_be_repeated() throws Exception {
        DetachedContainer container = start(with(SecretFile.of("db")).command("sleep", "1000"));
        change(container, (_, mount) -> {
            int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT;
            try (Fd left = FileSystem.openAt(mount, "..next", flags, 0400, FileSystem.RESOLVE_BENEATH)) {
                FileSystem.write(left, SECOND.getBytes(StandardCharsets.UTF_8));
            }
        });
        try (SecretStore store = open()) {
            store.remove(DB, "test");
        }
        try (InputStream open = Files.newInputStream(shown(container, "..next"))) {
            assertThat(SecretUpdate.revoke(DB, OPTIONS)).isEmpty();
            assertThat(open.readAllBytes()).isEqualTo(new byte[SECOND.length()]);
        }
        assertThat(shown(container, "db").getParent()).isEmptyDirectory();
        assertThat(SecretUpdate.isGiven(DB, OPTIONS)).isTrue();
        assertThat(SecretUpdate.isGiven(new SecretName("another"), OPTIONS)).isFalse();
    }

    @Test
    void an_update_that_fails_leaves_no_value_beside_the_file() throws Exception {
        DetachedContainer container = start(with(SecretFile.of("db")).command("sleep", "1000"));
        change(container, (files, mount) -> {
            FileSystem.removeFile(mount, "db");
            FileSystem.makeDirectory(mount, "db", 0700); // so that no file gets this name
            assertThatThrownBy(() -> put(files, 1)).hasMessageContaining("EISDIR");
        });
        try (Stream<Path> left = Files.list(shown(container, "db").getParent())) {
            assertThat(left).containsExactly(shown(container, "db"));
        }
    }

    @Test
    void a_container_that_an_update_did_not_find_reads_the_store_again() throws Exception {
        ContainerSpec spec = with(SecretFile.of("db").asVariable("TOKEN"));
        try (var check = new TextCheck(STORE);
                SecretFiles files = SecretFiles.read(spec, Optional.empty(), SpecTexts.none(), check, "test");
                SecretStore store = open()) {
            files.renew();
            rotate(SECOND);
            files.renew();
            files.renew();
            assertThat(files.variables(spec))
                    .extracting(variable -> new String(variable, StandardCharsets.UTF_8))
                    .containsExactly("TOKEN=" + SECOND);
            assertThat(store.log())
                    .filteredOn(entry -> entry.action().equals("deliver"))
                    .extracting(AccessEntry::secret)
                    .containsExactly("db@1", "db@2");
            store.remove(DB, "test");
            assertThatThrownBy(files::renew).hasMessageContaining("there is no secret db");
        }
    }

    @Test
    void a_container_that_has_read_a_secret_and_is_not_found_yet_has_the_value_that_comes_then() throws Exception {
        try (SecretStore store = open();
                SecretValue next = value(SECOND)) {
            Thread rotating = Thread.ofPlatform().start(() -> {
                while (store.log().stream().noneMatch(entry -> entry.action().equals("deliver"))) {
                    Thread.onSpinWait();
                }
                store.rotate(DB, next, Optional.empty(), "test");
                Failures.uninterrupted(() -> SecretUpdate.deliver(DB, store, OPTIONS));
            });
            DetachedContainer container = start(with(SecretFile.of("db")).command("sleep", "1000"));
            rotating.join();
            assertThat(Files.readString(shown(container, "db"))).isEqualTo(SECOND);
        }
    }

    @Test
    void it_is_said_what_a_container_does_not_get() throws Exception {
        DetachedContainer sealed = start(with(SecretFile.of("db"))
                .name("sealed")
                .privileged(true)
                .allow(Allowance.PRIVILEGED)
                .command("sleep", "1000"));
        DetachedContainer variable = start(
                with(SecretFile.of("db").asVariable("TOKEN")).name("variable").command("sleep", "1000"));
        DetachedContainer denied = start(with(SecretFile.of("db")).name("other").command("sleep", "1000"));
        DetachedContainer gone = start(with(SecretFile.of("db")).name("gone").command("true"));
        gone.remove(true);
        made.remove(gone);
        try (SecretStore store = open()) {
            store.restrict(DB, new SecretAccess(List.of(), List.of("sealed", "variable"), Map.of()), "test");
        }
        assertThat(rotate(SECOND))
                .hasSize(3)
                .anySatisfy(one -> {
                    assertThat(one.container()).isEqualTo("sealed");
                    assertThat(one.reason()).contains("SYS_ADMIN");
                })
                .anySatisfy(one -> {
                    assertThat(one.container()).isEqualTo("variable");
                    assertThat(one.reason()).contains("TOKEN");
                })
                .anySatisfy(one -> {
                    assertThat(one.container()).isEqualTo("other");
                    assertThat(one.reason()).contains("is not for this container");
                });
        assertThat(Files.readString(shown(sealed, "db"))).isEqualTo(FIRST);
        assertThat(Files.readString(shown(denied, "db"))).isEqualTo(FIRST);
        assertThat(Files.readString(shown(variable, "db"))).isEqualTo(SECOND);
    }

    @Test
    void an_act_on_change_is_in_a_stored_spec() {
        for (OnSecretChange act : List.of(
                new OnSecretChange.Signal(1),
                new OnSecretChange.Restart(),
                new OnSecretChange.Program(List.of("/usr/sbin/nginx", "-s", "reload")))) {
            ContainerSpec spec = with(SecretFile.of("db").onChange(act)).command("true");
            assertThat(SpecJson.read(SpecJson.write(spec))).isEqualTo(spec);
        }
        assertThatThrownBy(() -> new OnSecretChange.Program(List.of("sh", "-c", "a b")))
                .hasMessageContaining("has a blank");
        assertThatThrownBy(() -> OnSecretChange.parse("exec:")).hasMessageContaining("no command");
    }

    @Test
    void a_container_that_asks_for_a_restart_gets_one_and_one_that_rests_has_the_value_at_its_next_start()
            throws Exception {
        DetachedContainer restarted = start(with(SecretFile.of("db").onChange(new OnSecretChange.Restart()))
                .command("sh", "-c", "trap 'exit' TERM; wc -c </run/secrets/db; while :; do sleep 0.01; done"));
        DetachedContainer resting = start(with(SecretFile.of("db")).command("sh", "-c", "wc -c </run/secrets/db"));
        resting.await();
        output(restarted, 1);
        assertThat(rotate(SECOND)).isEmpty();
        String before = FIRST.length() + "\n";
        String after = SECOND.length() + "\n";
        assertThat(output(restarted, 2)).containsExactly(before, after);
        resting.start();
        resting.await();
        assertThat(output(resting, 2)).containsExactly(before, after);
    }
}
