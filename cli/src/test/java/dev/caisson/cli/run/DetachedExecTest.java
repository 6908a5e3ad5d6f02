package dev.caisson.cli.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.cli.CommandProcess;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.spec.ContainerId;
import dev.caisson.watch.PidNamespace;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// `exec -d`: programs that nobody waits for.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DetachedExecTest {
    private final String name = "lone-" + ContainerId.random().shortForm();

    private record Answer(int status, String out, String err) {}

    @AfterEach
    void remove() {
        caisson("rm", "-f", name);
    }

    private static Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void it_outlives_the_process_that_started_it_and_ends_with_its_container() throws Exception {
        caisson("run", "-d", "--name", name, "host", "sleep", "1000");
        Process exec = new ProcessBuilder(CommandProcess.words(
                        "exec",
                        "-d",
                        name,
                        "sh",
                        "-c",
                        "until test -e /go; do sleep 0.05; done; touch /late; exec sleep 1000"))
                .start();

        assertThat(exec.waitFor()).isZero();
        assertThat(caisson("exec", name, "sh", "-c", "test ! -e /late && touch /go")
                        .status())
                .isZero();
        assertThat(caisson("exec", "--timeout", "30s", name, "sh", "-c", "until test -e /late; do sleep 0.1; done")
                        .status())
                .isZero();

        Instant begun = Instant.now();
        caisson("stop", "-t", "0", name);
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        String events = "";
        while (!events.contains("137") && System.nanoTime() < until) {
            events = caisson(
                            "events",
                            "--since",
                            begun.toString(),
                            "--until",
                            "0s",
                            "--filter",
                            "event=exec_die",
                            "--format",
                            "{{index .Actor.Attributes \"exitCode\"}}")
                    .out();
            Thread.sleep(50);
        }
        assertThat(events).contains("137");
    }

    /// `script` gives it a terminal, and types.
    @Test
    void one_on_a_terminal_is_left_by_keys_and_goes_on() throws Exception {
        caisson("run", "-d", "--name", name, "host", "sleep", "1000");
        var words = CommandProcess.words(
                "exec", "-it", "--detach-keys", "ctrl-p,ctrl-q", name, "sh", "-c", "'read x; touch /$x; sleep 1000'");
        Process exec = new ProcessBuilder("script", "-qec", String.join(" ", words), "/dev/null")
                .redirectErrorStream(true)
                .start();
        exec.outputWriter().write("typed\n");
        exec.outputWriter().flush();
        assertThat(caisson("exec", "--timeout", "30s", name, "sh", "-c", "until test -e /typed; do sleep 0.1; done")
                        .status())
                .isZero();

        exec.outputWriter().write("\u0010\u0011");
        exec.outputWriter().flush();

        assertThat(exec.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(exec.exitValue()).isEqualTo(1);
        assertThat(new String(exec.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
                .contains("read escape sequence");
        assertThat(caisson("inspect", "--format", "{{len .ExecIDs}}", name).out())
                .isEqualTo("1\n");
    }

    @Test
    void calls_that_a_container_in_the_background_is_denied_are_seen_while_somebody_watches() {
        assumeTrue(PidNamespace.ofThisProcess().isInitial(), "the tests have a pid namespace of their own");
        String script = "if ! test -e /again; then touch /again; exit 1; fi;"
                + " while :; do mount -t tmpfs none /tmp; sleep 0.1; done";
        caisson("run", "-d", "--restart", "always", "--name", name, "host", "--", "sh", "-c", script);
        assertThat(caisson("exec", "--timeout", "30s", name, "sh", "-c", "until test -e /again; do sleep 0.1; done"))
                .isNotNull(); // it may end with the first run

        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        Answer watched = caisson("seccomp", "watch", "--for", "2s", name);
        while (!watched.out().contains("by mount") && System.nanoTime() < until) {
            watched = caisson("seccomp", "watch", "--for", "2s", name);
        }

        assertThat(watched.out()).contains("ERRNO(EPERM), by mount");
    }

    @Test
    void a_program_that_nobody_waits_for_goes_on_and_its_end_is_an_event() throws Exception {
        caisson("run", "-d", "--name", name, "host", "sleep", "1000");
        String begun = Instant.now().toString();

        assertThat(caisson("exec", "-d", name, "sh", "-c", "sleep 0.5; echo $0 >/made; exit 7"))
                .isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("exec", name, "sh", "-c", "until test -e /made; do sleep 0.05; done; exit 3")
                        .status())
                .isEqualTo(3);

        assertThat(caisson("exec", "-d", name, "no-such-program").status()).isEqualTo(127);
        assertThat(caisson("exec", "-d", "--timeout", "1s", name, "true").err()).contains("EXEC_DETACHED_REFUSED");
        Thread.sleep(300); // its end follows what it has made
        String events = caisson(
                        "events",
                        "--since",
                        begun,
                        "--until",
                        "0s",
                        "--filter",
                        "container=" + name,
                        "--format",
                        "{{.Action}} {{index .Actor.Attributes \"exitCode\"}}")
                .out();
        assertThat(events)
                .contains("exec_create: sh -c sleep 0.5; echo $0 >/made; exit 7", "exec_start: sh -c sleep 0.5")
                .contains("exec_die 7\n", "exec_die 3\n");
        assertThat(caisson("events", "--since", begun, "--until", "0s", "--filter", "event=exec_die")
                        .out())
                .contains("exec_die")
                .doesNotContain("exec_start");
    }
}
