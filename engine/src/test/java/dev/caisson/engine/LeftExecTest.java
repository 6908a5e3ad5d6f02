package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.launch.PlanCodec;
import dev.caisson.launch.monitor.ExecLog;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.TerminalSize;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A program that its caller has left while it runs goes on: the container's monitor keeps it.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LeftExecTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("left"), OwnDirectories.data("left"));
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private DetachedContainer box;

    @BeforeEach
    void start() throws InterruptedException {
        try (Engine engine = Engine.open(OPTIONS)) {
            box = engine.create(ContainerSpec.onHost("sleep", "1000").name("box"), DetachedOptions.STANDARD);
        }
        box.start();
    }

    @AfterEach
    void remove() throws InterruptedException {
        box.remove(true);
    }

    private static void assertRefused(String code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private static List<String> execs() {
        return RunningContainer.find("box", OPTIONS).orElseThrow().execs();
    }

    private static Optional<LifeEvent> end(String id) {
        try (LifeEvents events = LifeEvents.open(OPTIONS)) {
            return events.next().stream()
                    .filter(event -> event.action().equals("exec_die")
                            && id.equals(event.attributes().get("execID")))
                    .findFirst();
        }
    }

    private static LifeEvent awaitEnd(String id) throws InterruptedException {
        long begun = System.nanoTime();
        while (end(id).isEmpty()) {
            assertThat(System.nanoTime() - begun).isLessThan(PATIENCE.toNanos());
            Thread.sleep(10);
        }
        return end(id).orElseThrow();
    }

    private static void awaitOutput(ByteArrayOutputStream said, String text) throws InterruptedException {
        long begun = System.nanoTime();
        while (!said.toString(StandardCharsets.UTF_8).contains(text)) {
            assertThat(System.nanoTime() - begun).isLessThan(PATIENCE.toNanos());
            Thread.sleep(10);
        }
    }

    /// It writes many times as much as a terminal holds that nobody reads.
    @Test
    void one_with_a_terminal_goes_on_writing_and_its_end_is_an_event() throws Exception {
        String id;
        try (Engine engine = Engine.open(OPTIONS);
                var typed = new PipedOutputStream();
                var input = new PipedInputStream(typed)) {
            var said = new ByteArrayOutputStream();
            RunningExec exec = engine.startExec(
                    "box",
                    Exec.of(
                                    "sh",
                                    "-c",
                                    "read x; echo got it; while ! test -e /go; do sleep 0.01; done; seq 100000; exit 7")
                            .terminal(new TerminalSize(24, 80)),
                    new Streams.Copy(Optional.of(input), said, OutputStream.nullOutputStream()));
            assertThat(execs()).hasSize(1);
            id = execs().getFirst();
            typed.write("line\n".getBytes(StandardCharsets.UTF_8));
            typed.flush();
            awaitOutput(said, "got it"); // what is on its way to the program when it is left may not come to it

            assertThat(exec.leave()).isTrue();

            assertRefused("EXEC_LEFT", exec::await);
            exec.close(); // which kills nothing any more
            assertThat(execs()).containsExactly(id);
        }
        assertThat(execs()).containsExactly(id); // the engine is closed
        assertThat(end(id)).isEmpty();
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThat(engine.exec("box", Exec.of("touch", "/go"), Streams.capture())
                            .isOk())
                    .isTrue();
        }
        assertThat(awaitEnd(id).attributes()).containsEntry("exitCode", "7");
        assertThat(execs()).isEmpty();
    }

    @Test
    void an_end_is_an_event_once_also_if_the_clock_was_set_back_before_it() throws Exception {
        Instant now = Instant.ofEpochSecond(2_000_000_000);
        try (LifeEvents events = LifeEvents.open(OPTIONS)) {
            events.next();
            writeEnds(now);
            assertThat(events.next()).extracting(LifeEvent::time).containsExactly(now);
            Instant hoursBefore = now.minusSeconds(7200);

            writeEnds(now, hoursBefore);
            assertThat(events.next()).extracting(LifeEvent::time).containsExactly(hoursBefore);

            box.rename("other");
            assertThat(events.next()).extracting(LifeEvent::action).containsExactly("rename");
        }
    }

    /// As the monitor writes them.
    private void writeEnds(Instant... finished) throws IOException {
        ByteBuffer log = ByteBuffer.allocate(ExecLog.MOST_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        log.putInt(PlanCodec.MAGIC).putInt(1).putInt(finished.length).putInt(0);
        for (Instant time : finished) {
            log.put(new byte[32]).putLong(0).putLong(time.toEpochMilli()).putLong(0);
        }
        Path directory = box.logPath().orElseThrow().resolveSibling(".").normalize();
        Files.write(directory.resolve(".ends"), log.array());
        Files.move(directory.resolve(".ends"), directory.resolve(ExecLog.NAME), StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void one_that_ended_is_not_left_and_has_its_result() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            RunningExec exec = engine.startExec("box", Exec.of("sh", "-c", "exit 3"), Streams.capture());
            assertThat(exec.await().exitCode()).isEqualTo(3);

            assertThat(exec.leave()).isFalse();
            assertThat(exec.await().exitCode()).isEqualTo(3);
        }
    }

    @Test
    void one_that_was_not_left_ends_with_its_engine() throws Exception {
        String id;
        try (Engine engine = Engine.open(OPTIONS)) {
            engine.startExec("box", Exec.of("sleep", "1000"), Streams.capture());
            id = execs().getFirst();
        }
        assertThat(execs()).isEmpty();
        assertThat(awaitEnd(id).attributes()).containsEntry("exitCode", "137");
    }

    @Test
    void what_nobody_would_keep_is_refused_and_goes_on_as_before() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            RunningExec timed = engine.startExec(
                    "box", Exec.of("sleep", "1000").timeout(Duration.ofSeconds(30)), Streams.capture());
            assertRefused("EXEC_DETACHED_REFUSED", timed::leave);
            timed.close();
            try (Container own = engine.start(ContainerSpec.onHost("sleep", "1000"), Streams.capture())) {
                RunningExec exec = engine.startExec(own.id().value(), Exec.of("sleep", "1000"), Streams.capture());
                assertRefused("EXEC_DETACHED_REFUSED", exec::leave);
                assertThat(exec.await(Duration.ZERO)).isEmpty();
                exec.close();
                assertThat(exec.await().verdict()).isEqualTo(Verdict.KILLED);
            }
        }
    }

    @Test
    void whoever_is_interrupted_while_it_leaves_one_still_has_it() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            RunningExec exec = engine.startExec("box", Exec.of("sleep", "1000"), Streams.capture());
            Thread.currentThread().interrupt();
            assertThatThrownBy(exec::leave).isInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isFalse();

            exec.kill();
            assertThat(exec.await(PATIENCE))
                    .hasValueSatisfying(it -> assertThat(it.verdict()).isEqualTo(Verdict.KILLED));
        }
    }

    @Test
    void one_is_left_once_and_none_whose_engine_is_closed() throws Exception {
        RunningExec ended;
        try (Engine engine = Engine.open(OPTIONS)) {
            RunningExec left = engine.startExec("box", Exec.of("sleep", "1000"), Streams.capture());
            assertThat(left.leave()).isTrue();
            assertThat(left.leave()).isFalse();
            ended = engine.startExec("box", Exec.of("sleep", "1000"), Streams.capture());
        }
        assertThat(ended.leave()).isFalse();
    }
}
