package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Processes;
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
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Values that reach runs in the foreground, whose engine brings them itself.
class RunSecretsTest extends BusyboxEngine {
    private static final SecretName DB = new SecretName("db");
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final String FIRST = "the first value";
    private static final String SECOND = "and another value of it";
    private static final int ROTATIONS = 300;

    @TempDir
    private Path scratch;

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

    /// The engine may write a line of the access log at that moment.
    @AfterEach
    void removeStore() throws IOException {
        for (int tries = 0; Files.exists(STORE); tries++) {
            try {
                removeTree(STORE);
            } catch (DirectoryNotEmptyException | NoSuchFileException e) {
                assertThat(tries).as(e.toString()).isLessThan(50);
            }
        }
    }

    private static SecretStore open() {
        return SecretStore.open(STORE, Optional::empty);
    }

    private static SecretValue value(String text) {
        return SecretValue.of(text.getBytes(StandardCharsets.UTF_8));
    }

    private ContainerSpec with(SecretFile file, String script) {
        return busybox("sh", "-c", script).mount(new Mount.Secrets(List.of(file)));
    }

    private static List<SecretUpdate.Missed> rotate(String text) throws InterruptedException {
        try (SecretStore store = open();
                SecretValue next = value(text)) {
            store.rotate(DB, next, Optional.empty(), "test");
            return SecretUpdate.deliver(DB, store, OPTIONS);
        }
    }

    private static Path shown(Container container) {
        return Path.of("/proc/" + container.pid() + "/root/run/secrets/db");
    }

    private static String log(String container) throws InterruptedException {
        var text = new StringBuilder();
        try (var log = KeptContainer.find(container, OPTIONS).log(OptionalLong.empty())) {
            for (var next = log.next(); !next.isEmpty(); next = log.next()) {
                next.forEach(entry -> text.append(entry.text()));
            }
        }
        return text.toString();
    }

    @Test
    void a_new_version_is_in_the_file_of_a_run_which_is_sent_its_signal_and_whose_log_has_neither() throws Exception {
        SecretFile file =
                SecretFile.of("db").onChange(Processes.signalNumber("HUP").orElseThrow());
        String script = "first=$(cat /run/secrets/db); trap 'cat /run/secrets/db; echo; echo $first; exit' HUP;"
                + " echo up; while :; do sleep 0.01; done";
        Container container =
                engine.start(with(file, script).name("run"), Streams.capture().kept());
        try {
            assertThat(Files.readString(shown(container))).isEqualTo(FIRST);
            while (!log("run").startsWith("up")) {
                Thread.sleep(2);
            }
            assertThat(rotate(SECOND)).isEmpty();
            RunResult result = container.await();
            assertThat(result.stdout()).isEqualTo("up\n" + SECOND + "\n" + FIRST + "\n");
            assertThat(log("run")).isEqualTo("up\n[secret:db]\n[secret:db]\n");
        } finally {
            container.close();
            KeptContainer.find("run", OPTIONS).remove();
        }
    }

    @Test
    void a_value_is_in_the_file_within_a_tenth_of_a_second() throws Exception {
        try (Container container = engine.start(with(SecretFile.of("db"), "sleep 1000"), Streams.capture());
                SecretStore store = open()) {
            var took = new ArrayList<Long>();
            for (int i = 0; i < 11; i++) {
                String text = "value number " + i;
                try (SecretValue next = value(text)) {
                    store.rotate(DB, next, Optional.empty(), "test");
                }
                long begun = System.nanoTime();
                while (!Files.readString(shown(container)).equals(text)) {
                    Thread.sleep(0, 100_000);
                    assertThat(System.nanoTime() - begun).isLessThan(5_000_000_000L);
                }
                took.add((System.nanoTime() - begun) / 1_000);
            }
            took.sort(null);
            System.out.println("microseconds from the store to the file, median of 11: " + took.get(5));
            assertThat(Duration.ofNanos(took.get(5) * 1_000)).isLessThan(Duration.ofMillis(100));
        }
    }

    @Test
    void a_reader_sees_whole_values_alone_while_a_secret_is_rotated() throws Exception {
        try (Container container = engine.start(with(SecretFile.of("db"), "sleep 1000"), Streams.capture());
                SecretStore store = open()) {
            rotate(store, 0);
            while (Files.size(shown(container)) < 9000) {
                Thread.sleep(2);
            }
            var ended = new AtomicBoolean();
            var read = new CompletableFuture<Integer>();
            Thread reader = Thread.ofPlatform().start(() -> {
                try {
                    read.complete(readUntil(ended, shown(container)));
                } catch (Throwable e) {
                    read.completeExceptionally(e);
                }
            });
            for (int i = 1; i <= ROTATIONS && !read.isDone(); i++) {
                rotate(store, i);
            }
            ended.set(true);
            reader.join();
            assertThat(read.get()).as("reads beside the rotations").isGreaterThan(3);
        }
    }

    private static void rotate(SecretStore store, int number) {
        byte[] bytes = new byte[9000 + number % 26 * 500];
        Arrays.fill(bytes, (byte) ('a' + number % 26));
        try (SecretValue value = SecretValue.of(bytes)) {
            store.rotate(DB, value, Optional.empty(), "test");
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
    void a_program_runs_in_the_container_when_its_secret_changes_in_the_background_too() throws Exception {
        SecretFile file = SecretFile.of("db")
                .onChange(new OnSecretChange.Program(List.of("/bin/dd", "if=/run/secrets/db", "of=/tmp/seen")));
        DetachedContainer background = engine.create(with(file, "sleep 1000"), DetachedOptions.STANDARD);
        try (Container container = engine.start(with(file, "sleep 1000"), Streams.capture())) {
            background.start();
            assertThat(rotate(SECOND)).isEmpty();
            Path seen = Path.of("/proc/" + container.pid() + "/root/tmp/seen");
            long until = System.nanoTime() + 10_000_000_000L;
            while (!Files.exists(seen) || Files.size(seen) == 0) {
                assertThat(System.nanoTime()).isLessThan(until);
                Thread.sleep(5);
            }
            assertThat(Files.readString(seen)).isEqualTo(SECOND);
            int pid = DetachedPlace.find(background.id().value(), OPTIONS)
                    .orElseThrow()
                    .record()
                    .pid();
            assertThat(Files.readString(Path.of("/proc/" + pid + "/root/tmp/seen")))
                    .isEqualTo(SECOND);
        } finally {
            background.remove(true);
        }
    }

    @Test
    void a_program_that_fails_in_the_background_is_told() throws Exception {
        SecretFile file = SecretFile.of("db").onChange(new OnSecretChange.Program(List.of("/bin/ls", "/none")));
        DetachedContainer background = engine.create(with(file, "sleep 1000"), DetachedOptions.STANDARD);
        try {
            background.start();
            assertThat(rotate(SECOND))
                    .singleElement()
                    .satisfies(one -> assertThat(one.reason()).contains("EXIT, status 1"));
        } finally {
            background.remove(true);
        }
    }

    @Test
    void a_revoked_secret_is_overwritten_for_those_who_have_it_open_and_a_removed_one_stays() throws Exception {
        try (Container container = engine.start(with(SecretFile.of("db"), "sleep 1000"), Streams.capture());
                InputStream opened = Files.newInputStream(shown(container))) {
            try (SecretStore store = open()) {
                store.revoke(DB, "test");
            }
            assertThat(SecretUpdate.revoke(DB, OPTIONS)).isEmpty();
            assertThat(opened.readAllBytes()).isEqualTo(new byte[FIRST.length()]);
            assertThat(shown(container)).doesNotExist();
        }
        makeStore();
        try (Container container = engine.start(with(SecretFile.of("db"), "sleep 1000"), Streams.capture());
                SecretStore store = open()) {
            store.remove(DB, "test");
            Thread.sleep(300);
            assertThat(Files.readString(shown(container))).isEqualTo(FIRST);
        }
    }

    @Test
    void what_cannot_be_reached_is_named_and_a_restart_is_refused() throws Exception {
        ContainerSpec sealed = with(SecretFile.of("db"), "sleep 1000")
                .name("sealed")
                .privileged(true)
                .allow(Allowance.PRIVILEGED);
        try (Container _ = engine.start(sealed, Streams.capture());
                Container other =
                        engine.start(with(SecretFile.of("db"), "sleep 1000").name("other"), Streams.capture())) {
            try (SecretStore store = open()) {
                store.restrict(DB, new SecretAccess(List.of(), List.of("sealed"), Map.of()), "test");
            }
            assertThat(rotate(SECOND))
                    .hasSize(2)
                    .anySatisfy(one -> assertThat(one.reason()).contains("SYS_ADMIN"))
                    .anySatisfy(one -> assertThat(one.reason()).contains("for others"));
            assertThat(Files.readString(shown(other))).isEqualTo(FIRST);
        }
        SecretFile restart = SecretFile.of("db").onChange(new OnSecretChange.Restart());
        assertThatThrownBy(() -> engine.run(with(restart, "true"))).hasMessageContaining("run it with -d");
    }
}
