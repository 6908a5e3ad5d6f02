package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.LogEntry;
import dev.caisson.state.LogReader;
import dev.caisson.state.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Containers whose monitor was killed or whose host was restarted.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DetachedRevivalTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("revival"), OwnDirectories.data("revival"));
    private static final String OTHER_BOOT = "11111111-2222-3333-4444-555555555555";

    @AfterEach
    void removeAll() throws Exception {
        for (DetachedContainer container : DetachedContainer.all(OPTIONS)) {
            container.remove(true);
        }
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    private static DetachedContainer created(ContainerSpec spec, DetachedOptions wanted) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.create(spec, wanted);
        }
    }

    private static DetachedContainer sleeping(String policy) throws Exception {
        return created(
                ContainerSpec.onHost("sh", "-c", "echo up; exec sleep 1000").name("one"),
                DetachedOptions.STANDARD.restart(RestartPolicy.parse(policy)));
    }

    private static DetachedContainer one() {
        return DetachedContainer.find("one", OPTIONS).orElseThrow();
    }

    /// Kills the monitor of a container, which takes the container along.
    private static void killMonitor(DetachedContainer container) throws Exception {
        long monitor;
        try (var found = new DetachedPlace(OPTIONS, among(), entry(container)).monitor()) {
            monitor = found.state().monitorPid();
        }
        int pid = container.state().pid();
        new ProcessBuilder("kill", "-9", Long.toString(monitor)).start().waitFor();
        ProcessEnds.awaitEnd(monitor);
        if (pid != 0) {
            ProcessEnds.awaitEnd(pid);
        }
    }

    private static dev.caisson.state.KeptDirectory among() {
        return new dev.caisson.state.KeptDirectory(OPTIONS.data(), OPTIONS.state());
    }

    private static dev.caisson.state.KeptDirectory.Entry entry(DetachedContainer container) {
        return among().find(container.id()).orElseThrow();
    }

    private static Path directory(DetachedContainer container) {
        return among().path().resolve(entry(container).directory());
    }

    /// Leaves what a restart of the host leaves: nothing in memory, and files of another boot.
    private static void restartHost(DetachedContainer container) throws Exception {
        killMonitor(container);
        Leftovers.clear(OPTIONS);
        BusyboxEngine.removeTree(OPTIONS.state());
        Path file = directory(container).resolve("detached.json");
        Files.writeString(
                file, Files.readString(file).replaceFirst("\"boot\":\"[^\"]*\"", "\"boot\":\"" + OTHER_BOOT + "\""));
    }

    private static String log(DetachedContainer container) throws InterruptedException {
        var text = new StringBuilder();
        try (LogReader log = container.log(OptionalLong.empty())) {
            for (List<LogEntry> next = log.next(); !next.isEmpty(); next = log.next()) {
                next.forEach(entry -> text.append(entry.text()));
            }
        }
        return text.toString();
    }

    private static void awaitLog(DetachedContainer container, String expected) throws InterruptedException {
        long begun = System.nanoTime();
        while (!log(container).endsWith(expected)) {
            assertThat(System.nanoTime() - begun).as(log(container)).isLessThan(TimeUnit.SECONDS.toNanos(30));
            Thread.sleep(20);
        }
    }

    @Test
    void one_whose_monitor_was_killed_starts_with_all_that_it_was_asked_to_be() throws Exception {
        DetachedContainer made = created(
                ContainerSpec.onHost(
                                "sh",
                                "-c",
                                "test ! -e /seen || echo again; echo $SECRET >>/seen; hostname; exec sleep 1000")
                        .name("one")
                        .environment("SECRET", "k-9")
                        .label("team", "core"),
                DetachedOptions.STANDARD);
        made.start();
        String host = made.id().shortForm() + "\n";
        awaitLog(made, host);
        one().update(limits -> limits.memory(Bytes.parse("128m")), Optional.empty());
        assertThat(made.losses()).isEmpty();

        killMonitor(made);

        assertThat(one().state()).isEqualTo(new ContainerState.Lost(ContainerState.Lost.Cause.MONITOR_KILLED));
        assertThat(one().losses()).containsExactly("/");
        assertThat(one().await()).isEmpty();

        one().start();

        awaitLog(one(), host + host);
        assertThat(one().id()).isEqualTo(made.id());
        assertThat(one().state()).isInstanceOf(ContainerState.Running.class);
        assertThat(one().losses()).isEmpty();
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThat(engine.exec("one", Exec.of("sh", "-c", "cat /seen; echo $SECRET"), Streams.capture())
                            .stdout())
                    .isEqualTo("k-9\nk-9\n"); // nothing of the first run
        }
        assertThat(Verification.of("one", OPTIONS).checks().toString()).contains("134217728");
        one().stop(OptionalInt.of(9), Optional.of(Duration.ZERO));
        one().start(); // as any other from now on
        awaitLog(one(), "again\n" + host);
    }

    @Test
    void one_whose_monitor_has_lost_its_zygote_runs_on_and_is_made_again_by_the_next_start() throws Exception {
        DetachedContainer made = sleeping("no");
        made.start();
        awaitLog(made, "up\n");
        int pid = made.state().pid();
        long zygote = ProcessHandle.of(pid)
                .flatMap(ProcessHandle::parent)
                .orElseThrow()
                .children()
                .mapToLong(ProcessHandle::pid)
                .filter(child -> child != pid)
                .findFirst()
                .orElseThrow();

        new ProcessBuilder("kill", "-9", Long.toString(zygote)).start().waitFor();
        ProcessEnds.awaitEnd(zygote);
        one().start(); // it runs already

        assertThat(one().state().pid()).isEqualTo(pid);
        one().stop(OptionalInt.of(9), Optional.of(Duration.ZERO));
        assertThat(one().losses()).containsExactly("/");

        one().start();

        awaitLog(one(), "up\nup\n");
        assertThat(one().losses()).isEmpty();
    }

    @Test
    void after_a_restart_of_the_host_one_has_ended_is_wanted_as_before_and_starts() throws Exception {
        DetachedContainer made = sleeping("always");
        made.start();
        awaitLog(made, "up\n");

        restartHost(made);

        assertThat(one().state()).isEqualTo(new ContainerState.Lost(ContainerState.Lost.Cause.HOST_RESTARTED));
        assertThat(one().state().word()).isEqualTo("exited");
        assertThat(one().isWantedUp()).isTrue();
        one().rename("two");
        DetachedContainer two = DetachedContainer.find("two", OPTIONS).orElseThrow();
        two.update(limits -> limits.pids(77), Optional.of(RestartPolicy.parse("unless-stopped")));

        two.start();

        awaitLog(two, "up\nup\n");
        assertThat(two.state()).isInstanceOf(ContainerState.Running.class);
        assertThat(Verification.of("two", OPTIONS).checks().toString()).contains("77");
        assertThat(two.options().restart().toString()).isEqualTo("unless-stopped");
        two.stop(OptionalInt.of(9), Optional.of(Duration.ZERO));
        restartHost(two);
        assertThat(two.isWantedUp()).isFalse();
        assertThat(two.state().lastEnd().orElseThrow().status()).isEqualTo(137); // its record stays
    }

    @ParameterizedTest
    @CsvSource({
        "always, started, true", "always, stopped, true", "always, created, false",
        "unless-stopped, started, true", "unless-stopped, stopped, false", "unless-stopped, created, false",
        "on-failure, started, false", "no, started, false"
    })
    void a_start_of_the_host_starts_what_docker_would(String policy, String before, boolean started) throws Exception {
        DetachedContainer made = sleeping(policy);
        if (!before.equals("created")) {
            made.start();
        }
        if (!before.equals("started")) {
            made.stop(OptionalInt.of(9), Optional.of(Duration.ZERO)); // which is nothing for one that never ran
        }

        restartHost(made);

        assertThat(one().isWantedUp()).isEqualTo(started);
        assertThat(one().state())
                .isInstanceOf(
                        switch (before) {
                            case "created" -> ContainerState.Created.class;
                            case "stopped" -> ContainerState.Exited.class;
                            default -> ContainerState.Lost.class;
                        });
    }

    @Test
    void one_that_is_removed_meanwhile_is_not_wanted() throws Exception {
        DetachedContainer made = sleeping("always");
        made.start();

        one().remove(true);

        assertThat(made.isWantedUp()).isFalse();
    }

    @Test
    void one_that_could_never_be_started_is_not_wanted() throws Exception {
        DetachedContainer made = created(
                ContainerSpec.onHost("no-such-program").name("one"),
                DetachedOptions.STANDARD.restart(RestartPolicy.parse("always")));
        assertThatThrownBy(made::start).hasMessageContaining("no-such-program");

        killMonitor(made);

        assertThat(one().isWantedUp()).isFalse();
        assertThat(one().state()).isInstanceOf(ContainerState.Created.class);
    }

    @Test
    void another_image_under_the_same_name_is_refused_and_changes_nothing() throws Exception {
        DetachedContainer made = sleeping("no");
        made.start();
        killMonitor(made);
        Leftovers.clear(OPTIONS);
        Path file = directory(made).resolve("detached.json");
        String before = Files.readString(file).replace("\"image\":\"\"", "\"image\":\"sha256:1234\"");
        Files.writeString(file, before);

        assertThatThrownBy(() -> one().start()).hasMessageContaining("the image has changed");

        assertThat(Files.readString(file)).isEqualTo(before);
        assertThat(one().state()).isInstanceOf(ContainerState.Lost.class);
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
        try (Stream<Path> names = Files.list(OPTIONS.state().resolve("names"))) {
            assertThat(names).isEmpty();
        }
    }

    @Test
    void a_log_that_ends_in_half_a_line_loses_no_line_after_it() throws Exception {
        DetachedContainer made = sleeping("no");
        made.start();
        awaitLog(made, "up\n");
        killMonitor(made);
        halve(made.logPath().orElseThrow());

        one().start();

        awaitLog(one(), "up\nup\n");
    }

    private static void halve(Path log) throws IOException {
        Files.writeString(log, "{\"log\":\"ha", StandardOpenOption.APPEND);
    }

    @Test
    void one_with_a_lease_goes_with_its_monitor_as_nobody_could_renew_it() throws Exception {
        DetachedContainer made = created(
                ContainerSpec.onHost("sleep", "1000").name("one"), DetachedOptions.STANDARD.lease(Duration.ofHours(1)));
        made.start();
        killMonitor(made);

        Leftovers.clear(OPTIONS);

        assertThat(DetachedContainer.find("one", OPTIONS)).isEmpty();
    }

    @Test
    void who_attaches_to_one_that_was_lost_starts_it_and_misses_no_word() throws Exception {
        DetachedContainer made = created(ContainerSpec.onHost("echo", "hello").name("one"), DetachedOptions.STANDARD);
        killMonitor(made);
        var said = new StringBuilder();

        try (Attachment attachment = one().attachBeforeStart()) {
            one().start();
            attachment.follow(entries -> entries.forEach(entry -> said.append(entry.text())), () -> true);
        }

        assertThat(said.toString()).isEqualTo("hello\n");
    }
}
