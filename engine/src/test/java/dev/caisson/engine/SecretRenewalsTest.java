package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Processes;
import dev.caisson.secret.BoundSource;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretTerms;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SecretFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Values of sources that expire while containers run.
class SecretRenewalsTest extends BusyboxEngine {
    private static final SecretName DB = new SecretName("db");
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final Duration LIFETIME = Duration.ofSeconds(2);
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(40);

    @TempDir
    private Path scratch;

    private Path program = Path.of("/");
    private final List<DetachedContainer> made = new ArrayList<>();

    @BeforeEach
    void makeStore() throws IOException {
        removeStore();
        var key = new Unlocker.KeyFile(scratch.resolve("key"));
        SecretStore.make(STORE, new NewStore(key, List.of(), true), Optional::empty, "test");
        program = Files.createFile(
                scratch.resolve("source"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
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

    /// Has the source print a value, or none.
    private void source(String text) throws IOException {
        Path next = Files.createFile(
                scratch.resolve("next"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.writeString(next, "#!/bin/sh\nprintf %s '" + text + "'\n");
        Files.move(next, program, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    private void bind(String text) throws IOException {
        source(text);
        var from = new BoundSource("command:" + program, Optional.empty(), Optional.empty(), Optional.empty(), false);
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = SecretValue.of(text.getBytes(StandardCharsets.UTF_8))) {
            store.create(
                    DB,
                    value,
                    new SecretTerms(Map.of(), Optional.of(LIFETIME), SecretAccess.ANY, Optional.of(from)),
                    "test");
        }
    }

    private ContainerSpec with(SecretFile file, String script) {
        return busybox("sh", "-c", script).mount(new Mount.Secrets(List.of(file)));
    }

    private DetachedContainer start(ContainerSpec spec) throws InterruptedException {
        DetachedContainer container = engine.create(spec, DetachedOptions.STANDARD);
        made.add(container);
        container.start();
        return container;
    }

    private static Path shown(int pid) {
        return Path.of("/proc/" + pid + "/root/run/secrets/db");
    }

    private static Path shown(DetachedContainer container) {
        return shown(DetachedPlace.find(container.id().value(), OPTIONS)
                .orElseThrow()
                .record()
                .pid());
    }

    private static void await(Path file, String text) throws Exception {
        long until = System.nanoTime() + PATIENCE_NANOS;
        while (!Files.exists(file) || !Files.readString(file).equals(text)) {
            assertThat(System.nanoTime() - until).as("%s in %s", text, file).isNegative();
            Thread.sleep(20);
        }
    }

    @Test
    void containers_that_run_have_what_their_source_has_once_their_value_expires() throws Exception {
        bind("the first value");
        DetachedContainer kept = start(with(SecretFile.of("db"), "sleep 1000"));
        SecretFile told =
                SecretFile.of("db").onChange(Processes.signalNumber("HUP").orElseThrow());
        try (Container run = engine.start(
                with(told, "trap 'cat /run/secrets/db; exit' HUP; : >/tmp/trapped; while :; do sleep 0.01; done"),
                Streams.capture())) {
            await(Path.of("/proc/" + run.pid() + "/root/tmp/trapped"), "");
            assertThat(Files.readString(shown(kept))).isEqualTo("the first value");
            source("and the second value");
            await(shown(kept), "and the second value");
            assertThat(run.await().stdout()).isEqualTo("and the second value");
        }
        source("a third");
        await(shown(kept), "a third");
    }

    @Test
    void a_value_stays_while_its_source_has_none_and_an_event_says_so_once() throws Exception {
        bind("the first value");
        try (LifeEvents events = LifeEvents.open(OPTIONS)) {
            DetachedContainer kept = start(with(SecretFile.of("db"), "sleep 1000"));
            source("");
            List<LifeEvent> stale = new ArrayList<>();
            long until = System.nanoTime() + PATIENCE_NANOS;
            while (stale.isEmpty() && System.nanoTime() < until) {
                Thread.sleep(20);
                stale.addAll(stale(events, kept));
            }
            Thread.sleep(SecretRenewals.pause(1).plus(SecretRenewals.pause(2))); // further tries
            stale.addAll(stale(events, kept));
            assertThat(stale).hasSize(1);
            assertThat(stale.getFirst().attributes()).containsEntry("secret", "db");
            assertThat(stale.getFirst().attributes().get("reason"))
                    .contains("the source of the secret db gave no value");
            assertThat(Files.readString(shown(kept))).isEqualTo("the first value");
            source("and the second value");
            await(shown(kept), "and the second value");
            assertThat(stale(events, kept)).isEmpty();
        }
    }

    private static List<LifeEvent> stale(LifeEvents events, DetachedContainer container) {
        return events.next().stream()
                .filter(event -> event.action().equals("secret_stale")
                        && event.id().equals(container.id().value()))
                .toList();
    }

    /// Waits longer than the store does for its lock.
    @Test
    void a_store_that_is_locked_by_another_process_is_looked_at_again() throws Exception {
        bind("the first value");
        DetachedContainer kept = start(with(SecretFile.of("db"), "sleep 1000"));
        try (Fd lock = FileSystem.open(STORE.resolve("lock").toString(), FileSystem.O_RDWR)) {
            long until = System.nanoTime() + PATIENCE_NANOS;
            while (!FileLocks.tryLock(lock)) {
                assertThat(System.nanoTime() - until).isNegative();
                Thread.sleep(1);
            }
            source("and the second value");
            Thread.sleep(12_000);
        }
        await(shown(kept), "and the second value");
    }

    @Test
    void a_revoked_value_comes_back_by_no_source() throws Exception {
        bind("the first value");
        DetachedContainer kept = start(with(SecretFile.of("db"), "sleep 1000"));
        try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
            store.revoke(DB, "test");
        }
        assertThat(SecretUpdate.revoke(DB, OPTIONS)).isEmpty();
        source("and the second value");
        long until = System.nanoTime() + PATIENCE_NANOS;
        while (Files.exists(shown(kept)) && System.nanoTime() < until) {
            Thread.sleep(20);
        }
        Thread.sleep(LIFETIME.plusSeconds(2)); // it comes back by no renewal
        assertThat(shown(kept)).doesNotExist();
    }

    @Test
    void tries_are_less_and_less_often() {
        List<Long> pauses = IntStream.rangeClosed(1, 12)
                .mapToObj(SecretRenewals::pause)
                .map(Duration::toSeconds)
                .toList();
        assertThat(pauses).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 256L, 300L, 300L, 300L);
        assertThat(SecretRenewals.pause(SecretRenewals.MOST_TRIES)).hasMinutes(5);
    }
}
