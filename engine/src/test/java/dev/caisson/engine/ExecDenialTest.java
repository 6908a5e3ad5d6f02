package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import dev.caisson.spec.Limits;
import dev.caisson.spec.SeccompChoice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What further programs of a container and its health checks are denied is told, and which of its limits they met.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ExecDenialTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("exec-denials"), OwnDirectories.data("exec-denials"));
    private static final SeccompChoice WATCHED =
            new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL);
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Exec UNSHARE = Exec.of("unshare", "-U", "true");
    /// Ends at once, and leaves a process running that is denied a call later.
    private static final Exec LEAVING =
            Exec.of("sh", "-c", "(sleep 0.2; unshare -U true 2>/tmp/why; echo >/tmp/done) >/dev/null 2>&1 & exit 0");

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void remove() throws InterruptedException {
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static ContainerSpec sleeping(SeccompChoice choice) {
        return ContainerSpec.onHost("sleep", "1000").name("box").seccomp(choice);
    }

    private static DetachedContainer inBackground(DetachedOptions options) throws InterruptedException {
        DetachedContainer box = engine.create(sleeping(WATCHED), options);
        box.start();
        return box;
    }

    private static List<Denial> denialsOfContainer() {
        return KeptContainer.find("box", OPTIONS).denials();
    }

    private interface Look {
        boolean found() throws InterruptedException;
    }

    private static void await(Look look) throws InterruptedException {
        long begun = System.nanoTime();
        while (!look.found()) {
            assertThat(System.nanoTime() - begun).isLessThan(PATIENCE.toNanos());
            Thread.sleep(10);
        }
    }

    private static void assertUnshare(List<Denial> denials) {
        assertThat(denials).hasSize(1);
        assertThat(denials.getFirst().call()).contains("unshare(CLONE_NEWUSER)");
        assertThat(denials.getFirst().answer()).isEqualTo("ERRNO(EPERM)");
        assertThat(String.join(" ", denials.getFirst().reasons())).contains("--cap-add SYS_ADMIN");
    }

    @Test
    void the_result_has_what_a_program_of_a_container_in_the_foreground_was_denied() throws Exception {
        try (Container box = engine.start(sleeping(WATCHED), Streams.capture())) {
            ExecResult result = box.exec(UNSHARE);

            assertUnshare(result.denials());
            assertThat(result.denials().getFirst().process()).contains("unshare");
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.stderr()).contains("Operation not permitted");
            assertThat(box.exec(Exec.of("true")).denials()).isEmpty();
            try (Engine other = Engine.open(OPTIONS)) {
                assertUnshare(other.exec("box", UNSHARE, Streams.capture()).denials());
            }
        }
    }

    @Test
    void nobody_is_asked_about_one_of_a_container_whose_filter_asks_nobody() throws Exception {
        try (Container box = engine.start(sleeping(new SeccompChoice.Standard()), Streams.capture())) {
            ExecResult result = box.exec(UNSHARE);

            assertThat(result.denials()).isEmpty();
            assertThat(result.stderr()).contains("Operation not permitted");
        }
    }

    @Test
    void a_container_in_the_background_does_not_count_what_its_caller_is_told() throws Exception {
        inBackground(DetachedOptions.STANDARD);

        assertUnshare(engine.exec("box", UNSHARE, Streams.capture()).denials());
        assertThat(denialsOfContainer()).isEmpty();
    }

    @Test
    void what_nobody_waits_for_is_answered_and_noted_by_the_monitor() throws Exception {
        inBackground(DetachedOptions.STANDARD);

        engine.execAlone("box", Exec.of("sh", "-c", "unshare -U true 2>/tmp/why; echo >/tmp/done"));

        assertDeniedByMonitor();
    }

    @Test
    void what_was_left_is_answered_and_noted_by_the_monitor_from_then_on() throws Exception {
        inBackground(DetachedOptions.STANDARD);
        RunningExec exec = engine.startExec(
                "box",
                Exec.of(
                        "sh",
                        "-c",
                        "while ! [ -e /tmp/go ]; do sleep 0.02; done; unshare -U true 2>/tmp/why; echo >/tmp/done"),
                Streams.capture());

        assertThat(exec.leave()).isTrue();
        engine.exec("box", Exec.of("touch", "/tmp/go"), Streams.capture());

        assertDeniedByMonitor();
    }

    @Test
    void what_a_program_leaves_running_is_answered_as_before_when_the_program_has_ended() throws Exception {
        inBackground(DetachedOptions.STANDARD);
        assertThat(engine.exec("box", LEAVING, Streams.capture()).isOk()).isTrue();
        assertDeniedByMonitor();
    }

    private static void assertDeniedByMonitor() throws InterruptedException {
        await(() -> !denialsOfContainer().isEmpty());
        assertUnshare(denialsOfContainer());
        assertDenied();
    }

    private static void assertDenied() throws InterruptedException {
        await(() -> engine.exec("box", Exec.of("test", "-e", "/tmp/done"), Streams.capture())
                .isOk());
        assertThat(engine.exec("box", Exec.of("cat", "/tmp/why"), Streams.capture())
                        .stdout())
                .contains("Operation not permitted");
    }

    /// Gives the monitor as many to answer as it takes. They never ask.
    private static Sockets.Pair fillMonitor() throws InterruptedException {
        Sockets.Pair silent = Sockets.pair();
        try (Monitor monitor = DetachedPlace.find("box", OPTIONS).orElseThrow().monitor()) {
            assertThat(monitor.programs().answersOneMore()).isTrue();
            for (int i = 0; i < 64; i++) {
                assertThat(monitor.programs().answer(silent.theirs())).isTrue();
            }
            assertThat(monitor.programs().answer(silent.theirs())).isFalse();
            assertThat(monitor.programs().answersOneMore()).isFalse();
        }
        return silent;
    }

    private static void close(Sockets.Pair pair) {
        pair.ours().close();
        pair.theirs().close();
    }

    @Test
    void what_nobody_waits_for_asks_nobody_if_the_monitor_answers_as_many_as_it_can() throws Exception {
        DetachedContainer box = inBackground(DetachedOptions.STANDARD);
        Sockets.Pair silent = fillMonitor();
        try {
            engine.execAlone("box", Exec.of("sh", "-c", "unshare -U true 2>/tmp/why; echo >/tmp/done"));

            assertDenied();
            assertThat(denialsOfContainer()).isEmpty();
        } finally {
            box.remove(true);
            close(silent);
        }
    }

    /// A call waits for its answer, and who made it is being read about, when leaving is tried and refused.
    @Test
    void one_that_cannot_be_left_is_answered_as_before() throws Exception {
        DetachedContainer box = inBackground(DetachedOptions.STANDARD);
        var reads = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        Sockets.Pair silent = fillMonitor();
        try (var slow = new Engine(OPTIONS, slowReader(reads, go))) {
            RunningExec exec = slow.startExec(
                    "box",
                    Exec.of("sh", "-c", "unshare -U true 2>/dev/null; mount -t tmpfs none /tmp 2>/dev/null; exit 7"),
                    Streams.capture());
            reads.await();

            assertThatThrownBy(exec::leave).hasMessageContaining("answers too many programs");
            go.countDown();

            ExecResult result = exec.await();
            assertThat(result.exitCode()).isEqualTo(7);
            assertThat(result.denials())
                    .hasSize(2)
                    .anyMatch(denial -> denial.call().contains("unshare(CLONE_NEWUSER)"))
                    // of mount(8), whose name is not known if reading about the first caller took too long
                    .anyMatch(denial ->
                            denial.call().contains("mount(") || denial.call().contains("fsopen("));
        } finally {
            go.countDown();
            box.remove(true);
            close(silent);
        }
    }

    private static Probe slowReader(CountDownLatch reads, CountDownLatch go) {
        return new CallerProbe(() -> {
            reads.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private static long listeners() {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(link -> {
                        try {
                            return Files.readSymbolicLink(link).toString().equals("anon_inode:seccomp notify");
                        } catch (IOException e) {
                            return false; // another thread's, closed meanwhile
                        }
                    })
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void a_container_in_the_foreground_takes_no_more_than_64_listeners_for_what_is_left_running() throws Exception {
        try (Container box = engine.start(sleeping(WATCHED), Streams.capture())) {
            await(() -> listeners() == 1); // its own program's, which the reactor gets after the start
            for (int i = 0; i < 66; i++) {
                assertThat(box.exec(Exec.of("sh", "-c", "sleep 1000 >/dev/null 2>&1 & exit 0"))
                                .isOk())
                        .isTrue();
            }
            assertThat(listeners() - 1).isEqualTo(64);
        }
    }

    @Test
    void in_the_foreground_the_engine_goes_on_answering_what_was_left_running() throws Exception {
        try (Container box = engine.start(sleeping(WATCHED), Streams.capture())) {
            assertThat(box.exec(LEAVING).isOk()).isTrue();

            await(() -> box.exec(Exec.of("test", "-e", "/tmp/done")).isOk());
            assertThat(box.exec(Exec.of("cat", "/tmp/why")).stdout()).contains("Operation not permitted");
        }
    }

    @Test
    void what_health_checks_are_denied_is_in_their_report_and_not_the_programs() throws Exception {
        DetachedContainer box = inBackground(DetachedOptions.STANDARD.health(HealthCheck.shell("unshare -U true")
                .interval(Duration.ofMillis(50))
                .retries(1)));

        await(() -> !box.health().denials().isEmpty());
        assertUnshare(box.health().denials());
        await(() -> !box.health().probes().isEmpty());
        assertThat(box.health().probes().getFirst().output()).contains("Operation not permitted");
        assertThat(denialsOfContainer()).isEmpty();
    }

    @Test
    void one_that_the_kernel_kills_at_the_memory_limit_is_told_apart() throws Exception {
        Limits limits = Limits.defaults().memory(Bytes.mebibytes(24));
        try (Container box = engine.start(sleeping(WATCHED).limits(limits), Streams.capture())) {
            ExecResult result = box.exec(Exec.of("sh", "-c", "exec tail /dev/zero"));

            assertThat(result.verdict()).isEqualTo(Verdict.OUT_OF_MEMORY);
            assertThat(result.oomKills()).isEqualTo(1);
            ExecResult another = box.exec(Exec.of("sh", "-c", "tail /dev/zero; exit 137")); // only says so
            assertThat(another.verdict()).isEqualTo(Verdict.EXIT);
            assertThat(another.oomKills()).isEqualTo(1);
            assertThat(box.exec(Exec.of("false")).verdict()).isEqualTo(Verdict.EXIT);
        }
    }

    @Test
    void it_is_told_how_often_the_container_was_refused_a_process_meanwhile() throws Exception {
        Limits limits = Limits.defaults().pids(8);
        try (Container box = engine.start(sleeping(WATCHED).limits(limits), Streams.capture())) {
            ExecResult result = box.exec(Exec.of(
                    "perl",
                    "-e",
                    "for (1..20) { my $c = fork; exit 3 unless defined $c; if (!$c) { sleep 9; exit } }"));

            assertThat(result.exitCode()).isEqualTo(3);
            assertThat(result.pidsRefused()).isPositive();
        }
    }

    @Test
    void events_of_a_program_in_a_container_of_the_foreground_are_noted_if_it_was_asked_for_by_name() throws Exception {
        try (Container box = engine.start(sleeping(WATCHED).label("team", "red"), Streams.capture());
                LifeEvents events = LifeEvents.open(OPTIONS)) {
            events.next();
            box.exec(Exec.of("true"));
            assertThat(events.next()).isEmpty();

            engine.exec("box", Exec.of("sh", "-c", "exit 5"), Streams.capture());

            List<LifeEvent> noted = events.next();
            assertThat(noted)
                    .extracting(LifeEvent::action)
                    .containsExactly("exec_create: sh -c exit 5", "exec_start: sh -c exit 5", "exec_die");
            assertThat(noted).extracting(LifeEvent::id).containsOnly(box.id().value());
            assertThat(noted.getLast().attributes())
                    .containsEntry("name", "box")
                    .containsEntry("image", box.image())
                    .containsEntry("exitCode", "5")
                    .containsEntry("team", "red");
        }
    }
}
