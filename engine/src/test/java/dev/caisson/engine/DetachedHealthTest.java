package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Health checks, which run with no engine alive.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DetachedHealthTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("health"), OwnDirectories.data("health"));
    private static final Duration OFTEN = Duration.ofMillis(100);
    private static final String WAITING = "echo up; exec sleep 1000";

    @AfterEach
    void removeAll() throws Exception {
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    /// Started, and its engine gone.
    private static DetachedContainer started(DetachedOptions wanted, String script) throws Exception {
        DetachedContainer made;
        try (Engine engine = Engine.open(OPTIONS)) {
            made = engine.create(ContainerSpec.onHost("sh", "-c", script).name("checked"), wanted);
        }
        made.start();
        return made;
    }

    private static DetachedOptions checked(HealthCheck check) {
        return DetachedOptions.STANDARD.health(check);
    }

    private static HealthCheck line(String line) {
        return HealthCheck.shell(line).interval(OFTEN).retries(2);
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        long begun = System.nanoTime();
        while (!condition.call()) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(30));
            Thread.sleep(20);
        }
    }

    private static void awaitHealth(DetachedContainer container, HealthReport.Health health) throws Exception {
        await(() -> container.state().health() == health);
    }

    private static HealthReport.Probe lastProbe(DetachedContainer container) throws Exception {
        await(() -> !container.health().probes().isEmpty());
        return container.health().probes().getLast();
    }

    @Test
    void a_container_is_starting_then_healthy_then_unhealthy_then_healthy_again() throws Exception {
        DetachedContainer made =
                started(checked(line("cat /tmp/state && test ! -e /tmp/bad")), "touch /tmp/state; " + WAITING);
        assertThat(made.state().health()).isEqualTo(HealthReport.Health.STARTING);

        awaitHealth(made, HealthReport.Health.HEALTHY);
        change(made, "echo broken >/tmp/state; touch /tmp/bad");
        awaitHealth(made, HealthReport.Health.UNHEALTHY);

        await(() -> made.health().streak() >= 2);
        assertThat(lastProbe(made).code()).as(lastProbe(made).output()).isEqualTo(1);
        assertThat(lastProbe(made).output()).isEqualTo("broken\n");
        await(() -> made.health().probes().size() == 5);
        change(made, "rm /tmp/bad");
        awaitHealth(made, HealthReport.Health.HEALTHY);
        await(() -> made.health().streak() == 0);
        try (LifeEvents events = LifeEvents.open(OPTIONS)) {
            assertThat(events.next().stream()
                            .filter(event -> event.id().equals(made.id().value()))
                            .map(LifeEvent::action)
                            .filter(action -> action.startsWith("health_status")))
                    .containsExactly("health_status: healthy", "health_status: unhealthy", "health_status: healthy");
            assertThat(events.next()).noneMatch(event -> event.action().startsWith("health"));
        }

        made.stop(OptionalInt.of(9), java.util.Optional.of(Duration.ZERO));
        assertThat(made.state().health()).isEqualTo(HealthReport.Health.NONE);
        assertThat(made.health().status()).isEqualTo(HealthReport.Health.UNHEALTHY); // as Docker
    }

    private static void change(DetachedContainer container, String script) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThat(engine.exec(container.name(), Exec.of("sh", "-c", script), Streams.capture())
                            .exitStatus())
                    .isZero();
        }
    }

    @Test
    void a_probe_is_in_the_container_and_has_no_more_than_its_program() throws Exception {
        String seen = "id -u; hostname; echo $A; pwd; grep -E '^(Cap(Eff|Bnd)|Seccomp|NoNewPrivs):' /proc/self/status;"
                + " cat /proc/self/oom_score_adj; ls /proc/self/fd | wc -l; echo problem >&2; exit 7";
        DetachedContainer made;
        try (Engine engine = Engine.open(OPTIONS)) {
            made = engine.create(
                    ContainerSpec.onHost("sh", "-c", "(" + seen + ") >/tmp/own 2>&1; " + WAITING)
                            .name("checked")
                            .hostName("boxed")
                            .environment("A", "b")
                            .user("1000"),
                    checked(line(seen)));
        }
        made.start();

        HealthReport.Probe probe = lastProbe(made);

        assertThat(probe.code()).isEqualTo(7);
        assertThat(probe.output()).startsWith("1000\nboxed\nb\n").endsWith("problem\n");
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThat(engine.exec("checked", Exec.of("cat", "/tmp/own"), Streams.capture())
                            .stdout())
                    .isEqualTo(probe.output());
        }
    }

    @Test
    void a_probe_that_takes_too_long_is_killed_with_all_that_it_has_started() throws Exception {
        DetachedContainer made = started(
                checked(line("echo begun; setsid sleep 987 & setsid sleep 987 & sleep 987")
                        .timeout(Duration.ofMillis(300))),
                WAITING);

        HealthReport.Probe probe = lastProbe(made);

        assertThat(probe.code()).isEqualTo(-1);
        assertThat(probe.output()).isEqualTo("Health check exceeded timeout (300ms): begun\n");
        awaitHealth(made, HealthReport.Health.UNHEALTHY);
        made.pause(); // no probe runs meanwhile
        assertThat(processes(made)).noneMatch(line -> line.contains("987"));
        int probes = made.health().probes().size();
        Thread.sleep(500);
        assertThat(made.health().probes()).hasSize(probes);
        made.resume();
        await(() -> made.health().probes().size() == 5);
    }

    private static List<String> processes(DetachedContainer container) throws Exception {
        Path namespace =
                Files.readSymbolicLink(Path.of("/proc/" + container.state().pid() + "/ns/pid"));
        return ProcessHandle.allProcesses()
                .map(one -> {
                    try {
                        Path directory = Path.of("/proc/" + one.pid());
                        return Files.readSymbolicLink(directory.resolve("ns/pid"))
                                        .equals(namespace)
                                ? Files.readString(directory.resolve("cmdline"))
                                : "";
                    } catch (java.io.IOException e) {
                        return ""; // it has ended
                    }
                })
                .toList();
    }

    @Test
    void what_a_probe_writes_is_read_to_its_end_and_kept_to_four_kibibytes() throws Exception {
        DetachedContainer made = started(checked(line("yes | head -c 1000000")), WAITING);

        HealthReport.Probe probe = lastProbe(made);

        assertThat(probe.code()).isZero();
        assertThat(probe.output()).hasSize(4096);
    }

    @Test
    void failures_of_the_start_period_are_not_counted() throws Exception {
        DetachedContainer made = started(
                checked(line("exit 1").startPeriod(Duration.ofSeconds(2)).startInterval(OFTEN)), WAITING);
        await(() -> made.health().probes().size() == 5);
        assertThat(made.state().health()).isEqualTo(HealthReport.Health.STARTING);
        assertThat(made.health().streak()).isZero();

        awaitHealth(made, HealthReport.Health.UNHEALTHY);
    }

    @Test
    void a_command_that_is_not_there_is_told() throws Exception {
        DetachedContainer made = started(checked(line("x").test(List.of("CMD", "/no/such/program"))), WAITING);

        HealthReport.Probe probe = lastProbe(made);

        assertThat(probe.code()).isEqualTo(127);
        assertThat(probe.output()).contains("cannot be run");
    }

    @Test
    void an_unhealthy_container_is_restarted_stopped_or_killed_if_that_is_asked_for() throws Exception {
        HealthCheck sick = line("exit 1");
        DetachedContainer made = started(checked(sick.onFailure(HealthCheck.OnFailure.RESTART)), WAITING);
        await(() -> made.restarts() > 0);
        made.stop(OptionalInt.of(9), java.util.Optional.of(Duration.ZERO));
        assertThat(made.await(Duration.ofSeconds(1))).isInstanceOf(ContainerState.Exited.class);
        made.remove(false);

        DetachedContainer stopped = started(
                checked(sick.onFailure(HealthCheck.OnFailure.STOP)).restart(RestartPolicy.parse("always")),
                "trap 'exit 5' TERM; while :; do sleep 0.1; done");
        assertThat(stopped.await().orElseThrow().status()).isEqualTo(5);
        stopped.remove(false);

        DetachedContainer killed = started(checked(sick.onFailure(HealthCheck.OnFailure.KILL)), WAITING);
        assertThat(killed.await().orElseThrow().status()).isEqualTo(137);
    }

    @Test
    void health_checks_leave_nothing_behind() throws Exception {
        DetachedContainer made = started(checked(line("sleep 0.01 & exit 1")), WAITING);
        await(() -> made.health().probes().size() == 5);
        int monitor = monitor(made);
        int before = leastDescriptors(monitor);
        Thread.sleep(1500);

        assertThat(leastDescriptors(monitor)).isEqualTo(before);
        made.stop(OptionalInt.of(9), java.util.Optional.of(Duration.ZERO));
        made.remove(false);
        await(() -> ProcessHandle.of(monitor).isEmpty());
    }

    private static int monitor(DetachedContainer container) throws Exception {
        return ProcessHandle.of(container.state().pid())
                .flatMap(ProcessHandle::parent)
                .map(parent -> (int) parent.pid())
                .orElseThrow();
    }

    /// How many a process has when none of its probes runs.
    private static int leastDescriptors(int pid) throws InterruptedException {
        int least = Integer.MAX_VALUE;
        for (int looks = 0; looks < 100; looks++) {
            least = Math.min(least, Path.of("/proc/" + pid + "/fd").toFile().list().length);
            Thread.sleep(5);
        }
        return least;
    }

    @Test
    void what_changes_a_check_that_is_not_there_is_refused() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThatThrownBy(() -> engine.create(
                            ContainerSpec.onHost("true").name("none"), checked(HealthCheck.OF_IMAGE.retries(4))))
                    .hasMessageContaining("--health-cmd");
        }
        assertThatThrownBy(() -> HealthCheck.OF_IMAGE.test(List.of("CMD"))).hasMessageContaining("CMD-SHELL");
        assertThatThrownBy(() -> HealthCheck.OF_IMAGE.interval(Duration.ofNanos(5)))
                .hasMessageContaining("one millisecond");
    }
}
