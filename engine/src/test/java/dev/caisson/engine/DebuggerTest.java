package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.SeccompChoice.Standard;
import dev.caisson.spec.SeccompChoice.Watch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Debuggers work on processes of their own user, and get no further than the filter and the user let them.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class DebuggerTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("debugger"), Path.of("/var/lib/caisson-test"));
    private static final String AS_NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups ";

    private Engine engine;

    @BeforeEach
    void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private RunResult run(String script) throws InterruptedException {
        return engine.run(ContainerSpec.of(Image.host(), "sh", "-c", script)
                .seccomp(new SeccompChoice.Watched(new Standard(), Watch.TELL)));
    }

    private static void requires(String program) {
        assumeTrue(Files.exists(Path.of(program)), program + " is not installed");
    }

    @Test
    void strace_shows_the_calls_of_a_child() throws InterruptedException {
        requires("/usr/bin/strace");

        RunResult result = run("strace -f -e trace=execve sh -c 'true; /usr/bin/true'");

        assertThat(result.exitCode()).as(result.toString()).isZero();
        assertThat(result.stderr()).contains("execve(\"/usr/bin/true\"").contains("+++ exited with 0 +++");
        assertThat(result.denials()).isEmpty();
    }

    @Test
    void gdb_runs_a_program_without_a_warning() throws InterruptedException {
        requires("/usr/bin/gdb");

        RunResult result = run("gdb -q -batch -ex 'break exit' -ex run -ex bt /usr/bin/true </dev/null");

        assertThat(result.stdout()).as(result.toString()).contains("Breakpoint 1,");
        assertThat(result.stderr()).doesNotContain("randomization");
        assertThat(result.denials()).isEmpty();
    }

    @Test
    void a_tracer_cannot_turn_an_allowed_call_into_a_denied_one() throws InterruptedException {
        requires("/usr/bin/gdb");
        // unshare(CLONE_NEWUSER) in place of the call that the program is about to make
        String script = """
                catch syscall getppid
                run
                set $orig_rax = 272
                set $rdi = 0x10000000
                finish
                printf "result %ld\\n", $rax
                kill
                """;

        RunResult result = run("cat >/tmp/script <<'END'\n" + script + "END\n"
                + " gdb -q -batch -x /tmp/script --args perl -e 'getppid' </dev/null 2>&1");

        assumeTrue(System.getProperty("os.arch").equals("amd64"), "the script names registers of x86_64");
        assertThat(result.stdout()).as(result.toString()).contains("Catchpoint 1");
        assertThat(result.stdout()).as(result.toString()).contains("result -1");
    }

    @Test
    void the_first_process_and_those_of_other_users_cannot_be_traced() throws InterruptedException {
        requires("/usr/bin/strace");

        RunResult result =
                run("strace -p 1 2>&1; sleep 30 & sleep 0.2; " + AS_NOBODY + "strace -p $! 2>&1; kill $!; exit 0");

        assertThat(result.stdout().lines().filter(line -> line.contains("Operation not permitted")))
                .as(result.toString())
                .hasSize(2);
    }
}
