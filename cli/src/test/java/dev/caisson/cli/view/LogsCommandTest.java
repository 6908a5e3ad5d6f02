package dev.caisson.cli.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.cli.text.AgeText;
import dev.caisson.engine.Container;
import dev.caisson.engine.Engine;
import dev.caisson.engine.Streams;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SeccompChoice;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `logs`, `rm` and `ps` of containers that an engine runs and ran.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LogsCommandTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

    private final String name = "logged-" + ProcessHandle.current().pid();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private record Answer(int status, String out, String err) {}

    @AfterEach
    void remove() {
        caisson("rm", "-f", name);
    }

    @Test
    @Tag("root")
    void each_stream_comes_out_where_it_was_written_then_what_was_denied() throws Exception {
        ended("echo one; echo two >&2; sleep 0.1; echo three; unshare --user true 2>/dev/null; exit 3");

        Answer answer = caisson("logs", name);

        assertThat(answer.status()).isZero();
        assertThat(answer.out()).isEqualTo("one\nthree\n");
        assertThat(answer.err())
                .startsWith("two\ncaisson: DENIED: ")
                .contains("unshare(CLONE_NEWUSER) → ERRNO(EPERM)", "--cap-add SYS_ADMIN");
        assertThat(caisson("logs", "--tail", "1", name).out()).isEqualTo("three\n");
        assertThat(caisson("logs", "--until", "1h", name).out()).isEmpty();
        assertThat(caisson("logs", "--since", "1h", name).out()).isEqualTo(answer.out());
        assertThat(caisson("logs", "--since", "2100-01-01", name).out()).isEmpty();
        assertThat(caisson("logs", "-t", name).out().lines())
                .allMatch(line -> line.matches("20\\d\\d-\\d\\d-\\d\\dT[0-9:]{8}\\.\\d{9}Z (one|three)"));
        assertThat(caisson("logs", "--format", "json", name).out().lines())
                .hasSize(4)
                .last()
                .asString()
                .startsWith("{\"end\":{\"id\":\"")
                .contains("\"verdict\":\"EXIT\"", "\"exitStatus\":3", "\"call\":\"X86_64 unshare(CLONE_NEWUSER)\"");
        assertThat(caisson("ps", "-a").out()).contains(name, "Exited (3) ");
        assertThat(caisson("ps").out()).doesNotContain(name);
    }

    @Test
    @Tag("root")
    void one_that_runs_is_followed_to_its_end_and_is_removed_by_force_alone() throws Exception {
        try (Engine engine = Engine.open(Caller.process().directories())) {
            var line = new PipedOutputStream();
            var streams = new Streams.Copy(
                    Optional.of(new PipedInputStream(line)),
                    OutputStream.nullOutputStream(),
                    OutputStream.nullOutputStream());
            Container container = engine.start(spec("echo begun; read line; echo end; exit 4"), streams.kept());
            assertThat(caisson("ps", "-q").out()).contains(container.id().shortForm());
            Answer refused = caisson("rm", name);
            assertThat(refused.status()).isEqualTo(1);
            assertThat(refused.err())
                    .isEqualTo("caisson: CONTAINER_RUNNING: cannot remove container \"" + name
                            + "\": container is running: stop the container before removing or force remove\n");

            Thread.ofPlatform().start(() -> endLater(line));
            assertThat(caisson("logs", "-f", name).out()).isEqualTo("begun\nend\n");
            container.await();
            assertThat(caisson("rm", name).out()).isEqualTo(name + "\n");

            Container second =
                    engine.start(spec("echo runs; sleep 100"), Streams.capture().kept());
            while (!caisson("logs", name).out().startsWith("runs")) {
                Thread.sleep(10);
            }
            assertThat(caisson("logs", "--format", "json", name).out()).contains("\"running\":true");
            assertThat(caisson("rm", "-f", name)).isEqualTo(new Answer(0, name + "\n", ""));
            assertThat(second.await().exitStatus()).isEqualTo(137);
        }
        Answer gone = caisson("logs", name);
        assertThat(gone.status()).isEqualTo(1);
        assertThat(gone.err()).startsWith("caisson: CONTAINER_UNKNOWN: ").contains("caisson ps -a");
        assertThat(caisson("rm", name).status()).isEqualTo(1);
        Answer absent = caisson("rm", "-f", name);
        assertThat(absent.status()).isZero();
        assertThat(absent.out()).isEmpty();
        assertThat(absent.err()).startsWith("caisson: CONTAINER_UNKNOWN: ").contains(name);
    }

    @Test
    @Tag("root")
    void what_was_denied_and_killed_is_told_of_one_that_ended_well_too() throws Exception {
        try (Engine engine = Engine.open(Caller.process().directories())) {
            ContainerSpec spec =
                    spec("unshare --user true 2>/dev/null; (head -c 200m /dev/zero | tail) >/dev/null 2>&1; exit 0");
            engine.start(spec.memory(Bytes.mebibytes(64)), Streams.capture().kept())
                    .await();
        }

        Answer answer = caisson("logs", name);

        assertThat(answer.status()).isZero();
        assertThat(answer.err())
                .contains("caisson: DENIED: ", "unshare(CLONE_NEWUSER)")
                .contains("caisson: the kernel killed ", " of its processes at its memory limit");
        assertThat(caisson("ps", "-a", "--filter", "name=" + name).out()).contains("Exited (0)");
    }

    private static void endLater(OutputStream line) {
        try {
            Thread.sleep(700);
            line.write('\n');
            line.flush();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    @Tag("root")
    void run_keeps_a_container_unless_it_is_told_not_to() {
        assertThat(caisson("run", "--rm", "--name", name, "host", "true").status())
                .isZero();
        assertThat(caisson("logs", name).err()).contains("CONTAINER_UNKNOWN");

        assertThat(caisson("run", "--name", name, "host", "false").status()).isEqualTo(1);
        assertThat(caisson("logs", name)).isEqualTo(new Answer(0, "", ""));
        Answer second = caisson("run", "--rm", "--name", name, "host", "true");
        assertThat(second.status()).isEqualTo(125);
        assertThat(second.err()).startsWith("caisson: NAME_IN_USE: ").contains("caisson rm " + name);
    }

    @ParameterizedTest
    @CsvSource({
        "2026-02-03T04:05:06Z, 2026-02-03T04:05:06Z",
        "2026-02-03T04:05:06+02:00, 2026-02-03T02:05:06Z",
        "1770091506, 2026-02-03T04:05:06Z",
        "1770091506.5, 2026-02-03T04:05:06.5Z",
        "90s, 2026-03-01T11:58:30Z",
        "1h30m, 2026-03-01T10:30:00Z"
    })
    void a_time_is_taken_as_docker_does(String text, String time) {
        assertThat(LogTime.parse("--since", text, NOW)).isEqualTo(Instant.parse(time));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "soon", "-5m", "2026-13-01", "5d"})
    void what_is_no_time_is_refused(String text) {
        assertThatThrownBy(() -> LogTime.parse("--since", text, NOW)).isInstanceOf(CommandException.class);
    }

    /// As any run: without --rm what it wrote is kept.
    @Test
    @Tag("root")
    void a_recorded_run_has_a_log_too() {
        String file = directory.resolve("recorded.json").toString();

        Answer recorded = caisson(
                "seccomp",
                "record",
                "-o",
                file,
                "--",
                "run",
                "--name",
                name,
                "host",
                "--",
                "sh",
                "-c",
                "echo one >&2; unshare --user true 2>/dev/null");

        assertThat(recorded.err()).contains("calls recorded in ");
        assertThat(caisson("logs", name).err())
                .startsWith("one\ncaisson: DENIED: ")
                .contains("unshare(CLONE_NEWUSER)");
    }

    /// What could not be done at the end is refused before the run, which may take long.
    @Test
    void a_recording_without_a_place_or_an_end_of_its_own_is_refused() {
        String nowhere = directory.resolve("none/a.json").toString();

        assertThat(caisson("seccomp", "record", "-o", nowhere, "--", "run", "host", "true")
                        .err())
                .startsWith("caisson: FILE_REFUSED: ")
                .contains("-o FILE");
        assertThat(caisson("seccomp", "record", "--for", "5s", "--", "run", "host", "true")
                        .err())
                .startsWith("caisson: USAGE: ")
                .contains("--timeout");
    }

    @Test
    void a_number_of_lines_is_one() {
        assertThat(caisson("logs", "--tail", "many", name).err()).startsWith("caisson: USAGE: --tail takes a number");
    }

    @Test
    void an_age_is_told_in_one_unit() {
        assertThat(AgeText.of(NOW.minusSeconds(-3), NOW)).isEqualTo("Less than a second");
        assertThat(AgeText.of(NOW.minusSeconds(119), NOW)).isEqualTo("About a minute");
        assertThat(AgeText.of(NOW.minus(Duration.ofMinutes(119)), NOW)).isEqualTo("2 hours");
        assertThat(AgeText.of(NOW.minus(Duration.ofHours(47)), NOW)).isEqualTo("47 hours");
        assertThat(AgeText.of(NOW.minus(Duration.ofDays(2)), NOW)).isEqualTo("2 days");
    }

    @Test
    @Tag("root")
    void of_one_that_ended_well_all_that_went_wrong_is_shown() throws Exception {
        OutputStream broken = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("no more");
            }
        };
        String script = "unshare --user true; head -c 200m /dev/zero | tail; echo lost; exit 0";
        try (Engine engine = Engine.open(Caller.process().directories())) {
            var streams = new Streams.Copy(Optional.empty(), broken, OutputStream.nullOutputStream());
            engine.start(spec(script).memory(Bytes.mebibytes(32)), streams.kept())
                    .await();
        }

        assertThat(caisson("logs", name).err())
                .contains(
                        "caisson: its standard output was closed before its end: ",
                        "caisson: the kernel killed 1 of its processes at its memory limit",
                        "caisson: DENIED: ");
        assertThat(caisson("logs", "--format", "json", name).out().lines())
                .last()
                .asString()
                .contains("\"exitStatus\":0", "\"oomKills\":1", "\"stream\":\"STDOUT\"", "unshare(CLONE_NEWUSER)");
    }

    private void ended(String script) throws InterruptedException {
        try (Engine engine = Engine.open(Caller.process().directories())) {
            engine.start(spec(script), Streams.capture().kept()).await();
        }
    }

    private ContainerSpec spec(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script)
                .name(name)
                .seccomp(new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL));
    }

    private static Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }
}
