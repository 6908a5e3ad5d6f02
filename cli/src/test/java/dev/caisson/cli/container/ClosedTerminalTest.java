package dev.caisson.cli.container;

import static dev.caisson.cli.Answer.caisson;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.CommandProcess;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A terminal that is closed while a command works on it: the command ends, whether or not SIGHUP ends it, and
/// a container that another command started runs on. Needs Debian's package python3.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ClosedTerminalTest {
    /// Starts a command on a terminal of its own, closes that when "ready" has come, and prints how the command
    /// ended. The first argument says what SIGHUP does.
    private static final String TERMINAL = """
            import fcntl, os, pty, signal, sys, termios, time
            master, slave = pty.openpty()
            pid = os.fork()
            if pid == 0:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                if sys.argv[1] == 'ignored':
                    signal.signal(signal.SIGHUP, signal.SIG_IGN)
                for i in range(3):
                    os.dup2(slave, i)
                os.closerange(3, 1000)
                os.execvp(sys.argv[2], sys.argv[2:])
            os.close(slave)
            time.sleep(1.5)
            os.write(master, b'\\n')
            out = b''
            while b'ready' not in out:
                part = os.read(master, 4096)
                if not part:
                    break
                out += part
            time.sleep(0.2)
            os.close(master)
            begun = time.time()
            while time.time() - begun < 20:
                if os.waitpid(pid, os.WNOHANG)[0]:
                    print('ended')
                    sys.exit()
                time.sleep(0.05)
            os.kill(pid, signal.SIGKILL)
            print('hangs')
            """;

    private final String name = "closed-" + ContainerId.random().shortForm();

    @AfterEach
    void remove() {
        caisson("rm", "-f", name);
    }

    private static String closed(String hangUp, String... words) throws IOException, InterruptedException {
        var all = new ArrayList<>(List.of("python3", "-c", TERMINAL, hangUp));
        all.addAll(CommandProcess.words(words));
        Process process = new ProcessBuilder(all).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(err).isZero();
        return out.strip();
    }

    private String state() {
        return caisson("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name)
                .out()
                .strip();
    }

    @ParameterizedTest
    @CsvSource({"ends, -d", "ignored, -d", "ends, -dit", "ignored, -dit"})
    void who_watches_goes_and_the_container_runs_on(String hangUp, String how) throws Exception {
        String script = "while :; do echo ready; sleep 0.2; done";
        assertThat(caisson("run", how, "--name", name, "host", "--", "sh", "-c", script)
                        .status())
                .isZero();

        assertThat(closed(hangUp, "logs", "-f", name)).isEqualTo("ended");
        assertThat(closed(hangUp, "attach", name)).isEqualTo("ended");
        assertThat(closed(hangUp, "exec", "-it", name, "sh", "-c", "echo ready; exec sleep 999"))
                .isEqualTo("ended");
        assertThat(closed(hangUp, "exec", "-it", name, "sh", "-c", "while echo ready; do :; done"))
                .isEqualTo("ended");

        TimeUnit.MILLISECONDS.sleep(500);
        assertThat(state()).isEqualTo("running 0");
        assertThat(caisson("top", name, "-eo", "pid,args").out()).doesNotContain("sleep 999", "while echo");
    }

    @Test
    void a_program_that_reads_keeps_its_input_when_who_typed_has_gone() throws Exception {
        String script = "while :; do echo ready; read -r line || exit 9; done";
        assertThat(caisson("run", "-dit", "--name", name, "host", "--", "sh", "-c", script)
                        .status())
                .isZero();

        for (String hangUp : List.of("ends", "ignored")) {
            assertThat(closed(hangUp, "attach", name)).isEqualTo("ended");
        }

        TimeUnit.MILLISECONDS.sleep(500);
        assertThat(state()).isEqualTo("running 0");
    }

    @ParameterizedTest
    @CsvSource({"ends", "ignored"})
    void a_run_of_the_foreground_ends_with_its_terminal(String hangUp) throws Exception {
        assertThat(closed(hangUp, "run", "-it", "--name", name, "host", "--", "sh", "-c", "echo ready; exec sleep 999"))
                .isEqualTo("ended");
        assertThat(state()).startsWith("exited ");
        caisson("rm", name);

        assertThat(closed(
                        hangUp, "run", "-it", "--name", name, "host", "--", "sh", "-c", "while echo ready; do :; done"))
                .isEqualTo("ended");
        assertThat(state()).startsWith("exited ");
    }
}
