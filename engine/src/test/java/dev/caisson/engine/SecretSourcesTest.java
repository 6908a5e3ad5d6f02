package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.secret.BoundSource;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretTerms;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.OnSecretChange;
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
import java.util.OptionalInt;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Secrets of containers that are read from a source outside of the store at each start.
class SecretSourcesTest extends BusyboxEngine {
    private static final SecretName DB = new SecretName("db");
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);

    @TempDir
    private Path scratch;

    private final List<DetachedContainer> made = new ArrayList<>();

    @BeforeEach
    void makeStore() throws IOException {
        removeStore();
        var key = new Unlocker.KeyFile(scratch.resolve("key"));
        SecretStore.make(STORE, new NewStore(key, List.of(), true), Optional::empty, "test");
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

    private void source(String text) throws IOException {
        Path file = scratch.resolve("source");
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text);
    }

    /// Makes a secret that is bound to the file.
    private void bind(String text, Optional<Duration> lifetime, boolean orLast) throws IOException {
        source(text);
        var from = new BoundSource(
                "file:" + scratch.resolve("source"), Optional.empty(), Optional.empty(), Optional.empty(), orLast);
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = SecretValue.of(text.getBytes(StandardCharsets.UTF_8))) {
            store.create(DB, value, new SecretTerms(Map.of(), lifetime, SecretAccess.ANY, Optional.of(from)), "test");
        }
    }

    private ContainerSpec with(SecretFile file, String script) {
        return busybox("sh", "-c", script).mount(new Mount.Secrets(List.of(file)));
    }

    private DetachedContainer create(ContainerSpec spec) throws InterruptedException {
        DetachedContainer container = engine.create(spec, DetachedOptions.STANDARD);
        made.add(container);
        return container;
    }

    private static Path shown(DetachedContainer container) {
        int pid = DetachedPlace.find(container.id().value(), OPTIONS)
                .orElseThrow()
                .record()
                .pid();
        return Path.of("/proc/" + pid + "/root/run/secrets/db");
    }

    private static void assertRefused(ThrowingCallable start) {
        assertThatThrownBy(start)
                .isInstanceOfSatisfying(
                        SecretException.class,
                        e -> assertThat(e.reason()).isEqualTo(SecretException.Code.SECRET_SOURCE))
                .hasMessageContaining("db");
    }

    @Test
    void each_start_has_the_value_that_its_source_has_then_and_those_that_run_get_it_too() throws Exception {
        bind("the first value", Optional.empty(), false);
        DetachedContainer running = create(with(SecretFile.of("db"), "sleep 1000"));
        running.start();
        assertThat(Files.readString(shown(running))).isEqualTo("the first value");
        source("and the second value");
        assertThat(engine.run(with(SecretFile.of("db"), "wc -c </run/secrets/db"))
                        .stdout()
                        .strip())
                .isEqualTo("20");
        assertThat(Files.readString(shown(running))).isEqualTo("and the second value");
        source("a third");
        running.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
        assertThat(Files.readString(shown(running))).isEqualTo("a third");
    }

    @Test
    void a_start_is_refused_whose_source_cannot_be_read_and_a_restart_leaves_the_container_running() throws Exception {
        bind("the first value", Optional.empty(), false);
        DetachedContainer running = create(with(SecretFile.of("db"), "sleep 1000"));
        DetachedContainer resting = create(with(SecretFile.of("db"), "sleep 1000"));
        running.start();
        Files.delete(scratch.resolve("source"));
        assertRefused(() -> engine.run(with(SecretFile.of("db"), "true")));
        assertRefused(() -> create(with(SecretFile.of("db"), "true")));
        assertRefused(resting::start);
        assertRefused(() -> running.restart(OptionalInt.empty(), Optional.of(Duration.ZERO)));
        assertThat(running.state().isUp()).isTrue();
        assertThat(resting.state().isUp()).isFalse();
        source("the first value");
        resting.start();
        assertThat(resting.state().isUp()).isTrue();
    }

    @Test
    void an_expired_version_is_read_again_and_the_last_value_is_used_if_that_is_allowed() throws Exception {
        bind("the first value", Optional.of(Duration.ofSeconds(5)), true);
        Thread.sleep(5001);
        assertThat(engine.run(with(SecretFile.of("db"), "true")).exitCode()).isZero();
        Files.delete(scratch.resolve("source"));
        assertThat(engine.run(with(SecretFile.of("db"), "true")).exitCode()).isZero();
        Thread.sleep(5001);
        assertRefused(() -> engine.run(with(SecretFile.of("db"), "true")));
    }

    @Test
    void a_source_that_has_another_value_each_time_restarts_a_container_once() throws Exception {
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = SecretValue.generate(20)) {
            var from = new BoundSource(
                    "command:/bin/cat /proc/sys/kernel/random/uuid",
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    false);
            store.create(
                    DB,
                    value,
                    new SecretTerms(Map.of(), Optional.empty(), SecretAccess.ANY, Optional.of(from)),
                    "test");
        }
        DetachedContainer restarted =
                create(with(SecretFile.of("db").onChange(new OnSecretChange.Restart()), "sleep 1000"));
        restarted.start();
        engine.run(with(SecretFile.of("db"), "true"));
        try (SecretStore store = SecretStore.open(STORE, Optional::empty)) {
            assertThat(store.find(DB).current()).isEqualTo(4); // made, created, started, and the run
        }
        assertThat(restarted.state().isUp()).isTrue();
    }
}
