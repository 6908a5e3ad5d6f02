package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SecretFile;
import dev.caisson.spec.TerminalSize;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Secrets that a program prints are in no log and in no output of another command.
class SecretOutputTest extends BusyboxEngine {
    private static final String VALUE = "canary-of-the-output";
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final String PRINT = "cat /run/secrets/db; echo; base64 /run/secrets/db; echo end";

    @TempDir
    private Path scratch;

    @BeforeEach
    void makeStore() throws IOException {
        removeStore();
        var key = new Unlocker.KeyFile(scratch.resolve("key"));
        SecretStore.make(STORE, new NewStore(key, List.of(), true), Optional::empty, "test");
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = SecretValue.of(VALUE.getBytes(StandardCharsets.US_ASCII))) {
            store.create(new SecretName("db"), value, Map.of(), Optional.empty(), "test");
        }
    }

    @AfterEach
    void removeStore() throws IOException {
        if (Files.exists(STORE)) {
            removeTree(STORE);
        }
    }

    private ContainerSpec spec(String script) {
        return busybox("sh", "-c", script).mount(new Mount.Secrets(List.of(SecretFile.of("db"))));
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
    void whoever_gives_a_secret_gets_the_output_and_the_log_does_not() throws Exception {
        RunResult result =
                engine.run(spec(PRINT).name("foreground"), Streams.capture().kept());
        try {
            assertThat(result.stdout()).startsWith(VALUE + "\n").endsWith("end\n");
            assertThat(log("foreground")).matches("\\[secret:db]\n\\[secret:db].?=*\nend\n");
        } finally {
            KeptContainer.find("foreground", OPTIONS).remove();
        }
    }

    @Test
    void the_log_of_a_container_in_the_background_has_no_value_on_the_disk_either() throws Exception {
        String parts =
                "dd if=/run/secrets/db bs=7 count=1 2>/dev/null; sleep 0.05; dd if=/run/secrets/db bs=1 skip=7 2>/dev/null; echo;";
        DetachedContainer container =
                engine.create(spec(parts + PRINT + "; cat /run/secrets/db >&2; printf cana"), DetachedOptions.STANDARD);
        try {
            container.start();
            container.await();
            String log = log(container.id().value());
            assertThat(log)
                    .matches("(?s)(\\[secret:db]\n){2}.*")
                    .doesNotContain(VALUE)
                    .contains("end\n", "cana");
            assertThat(log.replace("[secret:db]", "").length()).isLessThan(20);
            try (var files = Files.walk(OPTIONS.data().resolve("containers"))) {
                assertThat(files.filter(Files::isRegularFile)).noneMatch(SecretOutputTest::holdsValue);
            }
            container.restart(OptionalInt.empty(), Optional.empty());
            container.await();
            assertThat(log(container.id().value())).doesNotContain(VALUE);
        } finally {
            container.remove(true);
        }
    }

    private static boolean holdsValue(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1).contains(VALUE);
        } catch (IOException e) {
            return false; // it is gone
        }
    }

    @Test
    void another_command_in_the_container_shows_no_value() throws Exception {
        DetachedContainer container = engine.create(spec("exec sleep 100"), DetachedOptions.STANDARD);
        try {
            container.start();
            String id = container.id().value();
            ExecResult result = engine.exec(
                    id, Exec.of("sh", "-c", PRINT + "; cat /run/secrets/db >&2; printf cana"), Streams.capture());
            assertThat(result.stdout()).matches("\\[secret:db]\n\\[secret:db].?=*\nend\ncana");
            assertThat(result.stderr()).isEqualTo("[secret:db]");
            ExecResult terminal = engine.exec(
                    id,
                    Exec.of("sh", "-c", "cat /run/secrets/db; echo; printf cana")
                            .terminal(new TerminalSize(24, 80)),
                    Streams.capture());
            assertThat(terminal.stdout()).isEqualTo("[secret:db]\r\ncana");
        } finally {
            container.remove(true);
        }
    }

    @Test
    void a_command_with_a_value_is_in_events_without_it() throws Exception {
        DetachedContainer container = engine.create(spec("exec sleep 100"), DetachedOptions.STANDARD);
        try (var events = LifeEvents.open(OPTIONS)) {
            container.start();
            engine.exec(container.id().value(), Exec.of("sh", "-c", "true " + VALUE), Streams.capture());
            var told = new ArrayList<LifeEvent>();
            long until = System.nanoTime() + 10_000_000_000L;
            while (told.stream().noneMatch(event -> event.action().equals("exec_die"))) {
                assertThat(System.nanoTime() - until).isNegative();
                told.addAll(events.next());
                Thread.sleep(2);
            }
            assertThat(told)
                    .extracting(LifeEvent::action)
                    .contains("exec_create: sh -c true [secret:db]", "exec_start: sh -c true [secret:db]");
            assertThat(told.toString()).doesNotContain(VALUE);
        } finally {
            container.remove(true);
        }
    }

    @Test
    void another_command_shows_no_value_where_the_image_has_a_link_for_run() throws Exception {
        Files.createDirectories(root.resolve("var/run"));
        Files.createSymbolicLink(root.resolve("run"), Path.of("/var/run"));
        DetachedContainer container = engine.create(spec("exec sleep 100"), DetachedOptions.STANDARD);
        try {
            container.start();
            ExecResult result =
                    engine.exec(container.id().value(), Exec.of("cat", "/run/secrets/db"), Streams.capture());
            assertThat(result.stdout()).isEqualTo("[secret:db]");
        } finally {
            container.remove(true);
        }
    }
}
