package dev.caisson.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.CommandProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The command as a process: its signals, and output that nobody takes.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ForegroundTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private Process shell(String script, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of("bash", "-c", script, "bash"));
        command.addAll(CommandProcess.words(arguments));
        return start(new ProcessBuilder(command));
    }

    private Process start(ProcessBuilder builder) throws IOException {
        builder.environment().put("CAISSON_STATE", directory.resolve("state").toString());
        Process process = builder.start();
        process.getOutputStream().close();
        return process;
    }

    /// A program that says when it is ready, and what it did then.
    private Process run(String script) throws IOException {
        Process process =
                start(new ProcessBuilder(CommandProcess.words("run", "--rm", "host", "--", "bash", "-c", script)));
        assertThat(process.inputReader().readLine()).isEqualTo("ready");
        return process;
    }

    private static void send(Process process, String signal) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"QUIT", "USR1", "USR2", "ALRM", "HUP", "PROF", "IO", "PWR", "WINCH", "34", "64"})
    @Tag("root")
    void a_signal_is_the_programs_and_means_nothing_to_the_jvm(String signal) throws Exception {
        Process process = run(
                "trap 'echo " + signal + "; exit 7' " + signal + "; echo ready; for i in {1..300}; do sleep 0.1; done");

        send(process, signal);

        assertThat(process.inputReader().lines()).containsExactly(signal);
        assertThat(process.waitFor()).isEqualTo(7);
        assertThat(process.errorReader().lines()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    @Tag("root")
    void the_third_signal_kills_a_program_that_ignores_them(String signal) throws Exception {
        Process process = run("trap '' " + signal + "; echo ready; sleep 100");

        send(process, signal);
        Thread.sleep(200);
        send(process, signal);
        assertThat(process.waitFor(1, TimeUnit.SECONDS)).isFalse();
        send(process, signal);

        assertThat(process.waitFor()).isEqualTo(137);
        assertThat(process.errorReader().lines().toList())
                .first()
                .isEqualTo("caisson: it has not ended after 3 signals and is killed");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "125 | version",
                "125 | version --format json",
                "125 | --help",
                "125 | run --help",
                "125 | completion bash",
                "125 | seccomp compile strict",
                "2   | audit src/test --format json",
            })
    void output_that_a_full_disk_does_not_take_is_told(int status, String command) throws Exception {
        Process process = shell("exec \"$@\" >/dev/full", command.split(" "));

        assertThat(process.errorReader().lines())
                .containsExactly(
                        "caisson: OUTPUT_FAILED: standard output cannot be written (No space left on device): make room, or write elsewhere");
        assertThat(process.waitFor()).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(strings = {">/dev/full", "2>/dev/full"})
    @Tag("root")
    void a_program_whose_output_is_lost_is_killed_and_that_is_told(String redirection) throws Exception {
        Process process = shell(
                "exec \"$@\" " + redirection,
                "run",
                "--rm",
                "host",
                "--",
                "sh",
                "-c",
                "while echo x; do echo y >&2; done");

        process.inputReader().lines().forEach(_ -> {});
        List<String> errors =
                process.errorReader().lines().filter(line -> !line.equals("y")).toList();
        assertThat(process.waitFor()).isEqualTo(125);
        if (redirection.startsWith(">")) {
            assertThat(errors).singleElement().asString().startsWith("caisson: OUTPUT_FAILED: standard output");
        }
    }

    @Test
    @Tag("root")
    void a_program_whose_reader_is_gone_ends_as_by_a_broken_pipe() throws Exception {
        Process process = shell("\"$@\" | head -1; echo ${PIPESTATUS[0]}", "run", "--rm", "host", "--", "yes");

        assertThat(process.inputReader().lines()).containsExactly("y", "141");
        assertThat(process.errorReader().lines()).isEmpty();
    }

    @Test
    @Tag("root")
    void on_a_terminal_our_own_lines_begin_at_its_left_edge() throws Exception {
        Process process = shell(
                // an end of its input would be typed, too
                "printf -v line '%q ' \"$@\"; exec script -qec \"$line\" /dev/null < <(exec sleep 20)",
                "run", "-it", "--rm", "--timeout", "1s", "host", "--", "sh", "-c", "echo hello; sleep 100");

        String shown = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(shown)
                .startsWith("hello\r\n")
                .contains("caisson: WALL_CLOCK: ")
                .endsWith("\r\n");
        assertThat(shown.replace("\r\n", "")).doesNotContain("\n");
    }

    @Test
    void a_command_whose_reader_is_gone_ends_as_by_a_broken_pipe() throws Exception {
        Process process = shell("\"$@\" | head -1 >/dev/null; echo ${PIPESTATUS[0]}", "completion", "bash");

        assertThat(process.inputReader().lines()).containsExactly("141");
        assertThat(process.errorReader().lines()).isEmpty();
    }
}
