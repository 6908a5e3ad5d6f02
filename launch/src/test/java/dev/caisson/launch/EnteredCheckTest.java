package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a process that entered a container must have of the kernel before its program is run: processes of this machine
/// that setpriv(1) and unshare(1) make, each with one thing that differs.
@Tag("root")
@Timeout(60)
class EnteredCheckTest {
    private static final IdRange IDS = new IdRange(IdRange.FIRST, IdRange.WIDTH);
    private static final int OWN = (int) ProcessHandle.current().pid();
    private static final CapabilitySet BOUNDING = CapabilitySet.of(Capability.CHOWN, Capability.KILL);
    private static final List<String> AS_PLANNED = List.of(
            "setpriv",
            "--reuid=" + (IdRange.FIRST + 7),
            "--regid=" + (IdRange.FIRST + 8),
            "--clear-groups",
            "--no-new-privs",
            "--inh-caps=-all",
            "--bounding-set=-all,+chown,+kill");

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        for (Process each : started) {
            each.descendants().forEach(ProcessHandle::destroyForcibly);
            each.destroyForcibly().waitFor();
        }
    }

    /// Starts `command` with a program that says that it is there; a shell would change its ids.
    private int start(List<String> command) throws IOException {
        return start(command, "perl", "-e", "$| = 1; print qq(it\\n); <STDIN>");
    }

    private int start(List<String> command, String... program) throws IOException {
        var all = new ArrayList<>(command);
        all.addAll(List.of(program));
        Process process = new ProcessBuilder(all)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(process);
        String said = process.inputReader().readLine();
        assertThat(said).isNotNull();
        return (int) process.pid();
    }

    private static ExecPlan plan(boolean locked, CapabilitySet permitted) {
        var steps = new ArrayList<Step>();
        if (locked) {
            steps.add(new Step.NoNewPrivileges());
        }
        steps.add(new Step.SetPrivileges(BOUNDING, permitted, 7, 8, List.of()));
        return new ExecPlan(IDS, EnumSet.of(Namespace.UTS, Namespace.PID, Namespace.MOUNT), 0, 0, steps);
    }

    private static void assertDiffers(int pid, int first, ExecPlan plan, String subject) {
        assertThatThrownBy(() -> EnteredCheck.require(pid, first, plan))
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("NOT_AS_PLANNED"))
                .hasMessageMatching("the kernel made something else than planned: " + subject.replace("\\t", "\t"));
    }

    @Test
    void a_process_that_has_all_of_its_plan_is_let_go_on() throws IOException {
        int pid = start(AS_PLANNED);
        assertThatCode(() -> EnteredCheck.require(pid, OWN, plan(true, CapabilitySet.NONE)))
                .doesNotThrowAnyException();
        assertDiffers(pid, OWN, plan(false, CapabilitySet.NONE), "no_new_privs is 1 instead of 0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--no-new-privs||false|no_new_privs is 0 instead of 1",
                "+kill|+kill,+fowner|false|bounding set is 0000000000000029 instead of 0000000000000021",
                "+chown,+kill|+kill|false|bounding set is 0000000000000020 instead of 0000000000000021",
                "--inh-caps=-all|--inh-caps=-all,+kill|false|inheritable capabilities is 0000000000000020 instead of"
                        + " 0000000000000000",
                "--clear-groups|--clear-groups|true|capabilities is 0000000000000000 instead of 0000000000000021",
                "--reuid=|--euid=|true|effective capabilities is 0000000000000000 instead of 0000000000000021",
                "--reuid=|--ruid=|true|user is 1879048199\t0\t0\t0 instead of"
                        + " 1879048199\t1879048199\t1879048199\t1879048199",
                "--regid=|--rgid=|false|group is 1879048200\t0\t0\t0 instead of"
                        + " 1879048200\t1879048200\t1879048200\t1879048200",
                "--regid=|--egid=|false|group is 0\t1879048200\t1879048200\t1879048200 instead of"
                        + " 1879048200\t1879048200\t1879048200\t1879048200",
            })
    void a_process_that_differs_is_not(String planned, String instead, boolean permitted, String said)
            throws IOException {
        var command = new ArrayList<>(AS_PLANNED);
        command.replaceAll(word -> word.replace(planned, instead == null ? "" : instead));
        command.removeIf(String::isEmpty);
        assertDiffers(start(command), OWN, plan(true, permitted ? BOUNDING : CapabilitySet.NONE), said);
    }

    @Test
    void each_namespace_must_be_that_of_the_first_process() throws IOException {
        var unshared = new ArrayList<>(List.of("unshare", "--uts"));
        unshared.addAll(AS_PLANNED);
        assertDiffers(
                start(unshared), OWN, plan(true, CapabilitySet.NONE), "uts namespace is uts:.* instead of uts:.*");
        unshared.set(1, "--mount");
        assertDiffers(
                start(unshared), OWN, plan(true, CapabilitySet.NONE), "mount namespace is mnt:.* instead of mnt:.*");
    }

    /// The process itself stays outside of the container's namespace of processes; its children are inside.
    @Test
    void the_namespace_of_processes_is_that_of_its_children() throws IOException {
        var command = new ArrayList<>(List.of("unshare", "--pid"));
        command.addAll(AS_PLANNED);
        int outside = start(command, "sh", "-c", "sleep 1000 & echo it; wait");
        int inside =
                (int) started.getLast().descendants().findFirst().orElseThrow().pid();
        assertThatCode(() -> EnteredCheck.require(outside, inside, plan(true, CapabilitySet.NONE)))
                .doesNotThrowAnyException();
        assertDiffers(outside, OWN, plan(true, CapabilitySet.NONE), "pid namespace is pid:.* instead of pid:.*");
    }

    @Test
    void a_process_that_is_gone_cannot_be_asked() {
        ExecPlan plan = plan(true, CapabilitySet.NONE);
        assertThatThrownBy(() -> EnteredCheck.require(Integer.MAX_VALUE, OWN, plan))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("ESRCH");
        ExecPlan of = new ExecPlan(IDS, EnumSet.noneOf(Namespace.class), 0, 0, plan.steps());
        assertThatThrownBy(() -> EnteredCheck.require(Integer.MAX_VALUE, OWN, of))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("ESRCH");
    }
}
