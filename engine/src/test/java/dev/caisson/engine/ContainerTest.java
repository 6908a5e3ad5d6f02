package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ProgressListener;
import dev.caisson.launch.Step;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.TerminalSize;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// A container as its caller sees it: before its start, while it runs, and after its end.
class ContainerTest extends BusyboxEngine {
    private static final int TERM = 15;

    private static void assertNotRunning(String words, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_NOT_RUNNING"))
                .hasMessageContaining(words);
    }

    private Container asleep() throws InterruptedException {
        return engine.start(busybox("sleep", "100").name("box"), Streams.capture());
    }

    /// Waits for a word of the program's.
    private static void awaitOutput(ByteArrayOutputStream output, String word) throws InterruptedException {
        for (int i = 0; i < 2000 && !output.toString(StandardCharsets.UTF_8).contains(word); i++) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        assertThat(output.toString(StandardCharsets.UTF_8)).contains(word);
    }

    @Test
    void it_tells_what_it_is() throws Exception {
        try (Container container = asleep()) {
            assertThat(engine.containers()).containsExactly(container);
            assertThat(container.name()).isEqualTo("box");
            assertThat(container.image()).isEqualTo(busybox("sleep").image().toString());
            assertThat(Path.of("/proc/" + container.pid() + "/ns")).exists();
            assertThat(container.plan().only(Step.Execute.class).arguments()).containsExactly("sleep", "100");
            assertThat(container.phaseMicros()).hasSize(13);
            assertThat(container.unenforced()).isEmpty();
            assertThat(container.logFailure()).isEmpty();
            assertThat(container.usage().group().memory()).isPresent();
            assertThat(container.isPaused()).isFalse();
            assertThat(container.wasEnded()).isFalse();
            assertThat(container.hasEnded()).isFalse();
            assertThat(container.files().list("/bin")).isNotEmpty();
            assertThat(container.onExit()).isNotDone();
            assertThat(container.await(Duration.ZERO)).isEmpty();
        }
    }

    @Test
    void a_signal_comes_to_the_program_until_it_has_ended() throws Exception {
        var output = new ByteArrayOutputStream();
        ContainerSpec spec =
                busybox("sh", "-c", "trap 'echo got; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
        Container container =
                engine.start(spec, new Streams.Copy(Optional.empty(), output, OutputStream.nullOutputStream()));
        awaitOutput(output, "ready");

        assertThat(container.signal(TERM)).isTrue();

        RunResult result = container.await();
        assertThat(result.verdict()).isEqualTo(Verdict.EXIT);
        assertThat(result.exitStatus()).isEqualTo(3);
        assertThat(output.toString(StandardCharsets.UTF_8)).isEqualTo("ready\ngot\n");
        assertThat(container.signal(TERM)).isFalse();
        assertThat(container.wasEnded()).isFalse();
        assertThat(container.hasEnded()).isTrue();
        assertThat(engine.containers()).isEmpty();
    }

    @Test
    void one_that_has_ended_by_itself_is_not_killed_any_more() throws Exception {
        Container container = engine.start(busybox("sleep", "0.2"), Streams.capture());
        RunResult result = container.await();
        container.kill();
        container.close();

        assertThat(container.await()).isSameAs(result);
        assertThat(result.verdict()).isEqualTo(Verdict.OK);
        assertThat(result.wallClock()).isBetween(Duration.ofMillis(200), Duration.ofSeconds(20));
    }

    /// Somebody has yet to take the rest of its output.
    @Test
    void one_that_has_ended_and_is_not_removed_yet_takes_no_signal() throws Exception {
        var entered = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var slow = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                entered.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
        };
        Container container = engine.start(
                busybox("sh", "-c", "echo a"),
                new Streams.Copy(Optional.empty(), slow, OutputStream.nullOutputStream()));
        try {
            entered.await();
            while (Files.exists(Path.of("/proc/" + container.pid()))) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
            assertThat(container.signal(TERM)).isFalse();
            assertThat(container.hasEnded()).isFalse();
        } finally {
            go.countDown();
        }
        assertThat(container.await().verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void the_memory_of_its_output_is_given_back() throws Exception {
        engine.close();
        engine = Engine.open(OPTIONS.capturedOutput(Bytes.mebibytes(4)));
        for (int i = 0; i < 3; i++) {
            RunResult result = engine.run(busybox("dd", "if=/dev/zero", "bs=1M", "count=3"));
            assertThat(result.verdict()).isEqualTo(Verdict.OK);
            assertThat(result.output().bytes()).hasSize(3 << 20);
        }
    }

    @Test
    void its_end_is_told_and_counted_once() throws Exception {
        Container container = engine.start(busybox("true"), Streams.capture());
        RunResult result = container.await();
        container.finish();
        container.breakDown(new EngineException("ENGINE_BROKEN", "of the test"));

        assertThat(container.await()).isSameAs(result);
        assertThat(engine.statistics().ends().get(Verdict.OK)).isEqualTo(1);
    }

    @Test
    void the_first_reason_of_an_end_counts() throws Exception {
        try (Container killed = asleep();
                Container late =
                        engine.start(busybox("sleep", "100").wallClock(Duration.ofMillis(20)), Streams.capture())) {
            killed.kill();
            assertThat(killed.await().verdict()).isEqualTo(Verdict.KILLED);
            assertThat(killed.wasEnded()).isTrue();

            while (!late.wasEnded()) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
            late.kill();
            assertThat(late.await().verdict()).isEqualTo(Verdict.WALL_CLOCK);
        }
    }

    @Test
    void before_its_start_and_after_its_end_it_takes_no_limits() throws Exception {
        var before = new AtomicReference<Throwable>();
        Container container = engine.start(busybox("true"), Streams.capture(), ProgressListener.none(), standing -> {
            try {
                standing.update(Limits.defaults());
            } catch (CaissonException e) {
                before.set(e);
            }
        });
        container.await();

        assertNotRunning("is not started yet", () -> {
            throw before.get();
        });
        assertNotRunning("has ended", () -> container.update(Limits.defaults()));
        assertNotRunning("has ended", container::pause);
    }

    /// The engine's own work for it keeps to its new share, too.
    @Test
    void new_limits_are_the_engines_own() throws Exception {
        try (Container container = asleep()) {
            container.update(Limits.defaults().cpus("0.01"));
            container.pace().spend(260_000_000);

            // At the half processor of one without a limit 10 ms would be paid back in 20.
            assertThat(container.pace().pauseNanos()).isGreaterThan(30_000_000);
            assertThat(container.usage().group().cpu()).isNotNull();
        }
    }

    @Test
    void a_paused_one_that_is_closed_ends() throws Exception {
        Container container = asleep();
        container.pause();
        assertThat(container.isPaused()).isTrue();
        container.close();

        assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
    }

    @Test
    void an_interrupt_keeps_nobody_from_closing_it_and_stays() throws Exception {
        Container first = asleep();
        first.close();
        assertThat(Thread.interrupted()).isFalse();

        Container second = asleep();
        Thread.currentThread().interrupt();
        second.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(Path.of("/proc/" + second.pid())).doesNotExist();
        assertThat(second.onExit().get(10, TimeUnit.SECONDS).verdict()).isEqualTo(Verdict.KILLED);
    }

    @Test
    void a_terminal_has_the_size_that_it_was_given_last() throws Exception {
        var input = new PipedInputStream();
        var output = new ByteArrayOutputStream();
        try (var go = new PipedOutputStream(input)) {
            Container container = engine.start(
                    busybox("sh", "-c", "echo ready; read go; busybox stty size")
                            .terminal(new TerminalSize(24, 80)),
                    new Streams.Copy(Optional.of(input), output, OutputStream.nullOutputStream()));
            awaitOutput(output, "ready");
            container.resize(new TerminalSize(50, 120));
            go.write('\n');
            go.flush();

            assertThat(container.await().verdict()).isEqualTo(Verdict.OK);
            assertThat(output.toString(StandardCharsets.UTF_8)).contains("50 120");
            container.resize(new TerminalSize(24, 80));
        }
        try (Container without = asleep()) {
            without.resize(new TerminalSize(24, 80));
        }
    }

    @Test
    void what_its_filter_denies_is_told_where_that_is_watched() throws Exception {
        ContainerSpec spec = busybox("sh", "-c", "unshare --user true 2>/dev/null; exit 3");

        RunResult watched = engine.run(
                spec.seccomp(new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL)));

        assertThat(watched.exitStatus()).isEqualTo(3);
        assertThat(watched.denials())
                .isNotEmpty()
                .allMatch(denial -> denial.call().contains("unshare"));
        assertThat(engine.run(spec).denials()).isEmpty();
    }

    /// Descriptors, a group, a record, a name.
    @Test
    void nothing_of_it_is_left() throws Exception {
        shell("true");
        asleep().close();
        Traces before = Traces.settled(OPTIONS);
        for (int i = 0; i < 3; i++) {
            try (Container container = asleep()) {
                assertThat(container.signal(0)).isTrue();
            }
        }

        assertThat(Traces.awaited(OPTIONS, before)).isEqualTo(before);
    }
}
