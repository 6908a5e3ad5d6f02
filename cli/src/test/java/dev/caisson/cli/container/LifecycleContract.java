package dev.caisson.cli.container;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.spec.ContainerId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The life of a container as Docker's users know it. The same tests run against Caisson and against a dockerd
/// of the test's own. Whatever Caisson does otherwise on purpose is a [Difference] with its reason; nothing else
/// may differ.
@Timeout(value = 240, unit = TimeUnit.SECONDS)
abstract class LifecycleContract {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
    /// A program that ends with 3 when it is asked to, and prints when it begins.
    private static final String POLITE = "trap 'exit 3' TERM; echo begun; while :; do sleep 0.1; done";

    /// Deliberate differences from Docker.
    enum Difference {
        /// A create or exec that is refused ends with 125, as a run does: 1 may be a program's own status.
        REFUSAL_IS_125,
        /// A missing program ends an exec with 127, as it ends a run; Docker's exec ends with 126.
        EXEC_OF_A_MISSING_PROGRAM_IS_127,
        /// A small init is process 1, so that a program may kill itself; Docker has one with `--init` only.
        INIT_IS_PROCESS_1
    }

    private final String name = "contract-" + ContainerId.random().shortForm();
    private final List<String> names = new ArrayList<>(List.of(name));

    /// Runs a command of the engine's.
    abstract Answer engine(String... words);

    /// Returns the image of the tests: a busybox.
    abstract String image();

    /// Returns true if the engine does what the difference says.
    abstract boolean has(Difference difference);

    @AfterEach
    void removeAll() {
        for (String left : names) {
            engine("rm", "-f", left);
        }
    }

    @Test
    void one_that_was_created_is_started_stopped_and_started_again() throws Exception {
        succeeds(make("create", POLITE));
        assertThat(state("Status")).isEqualTo("created");
        assertThat(engine("ps", "-a", "--filter", "name=" + name, "--format", "{{.State}} {{.Status}}")
                        .out())
                .isEqualTo("created Created\n");
        assertThat(engine("ps", "--filter", "name=" + name, "-q").out()).isEmpty();

        assertThat(engine("start", name)).isEqualTo(printsItsName());
        awaitLog("begun\n");
        assertThat(state("Status")).isEqualTo("running");
        assertThat(engine("start", name)).isEqualTo(printsItsName());

        assertThat(engine("stop", name)).isEqualTo(printsItsName());
        assertThat(state("Status") + state("ExitCode")).isEqualTo("exited3");
        assertThat(engine("stop", name)).isEqualTo(printsItsName());
        assertThat(engine("wait", name)).isEqualTo(new Answer(0, "3\n", ""));

        succeeds(engine("start", name));
        awaitLog("begun\nbegun\n");
        assertThat(state("Status") + state("ExitCode")).isEqualTo("running0");
    }

    @Test
    void stopping_one_that_never_ran_leaves_it_created() throws Exception {
        succeeds(make("create", POLITE));

        assertThat(engine("stop", name)).isEqualTo(printsItsName());

        assertThat(state("Status")).isEqualTo("created");
    }

    @Test
    void one_that_ignores_the_request_is_killed_when_its_time_is_over() throws Exception {
        succeeds(make("run -d --stop-timeout 200", "trap '' TERM; echo begun; while :; do sleep 0.1; done"));
        awaitLog("begun\n");

        long begun = System.nanoTime();
        assertThat(engine("stop", "-t", "1", name)).isEqualTo(printsItsName());
        assertThat(System.nanoTime() - begun).isLessThan(PATIENCE_NANOS);

        assertThat(state("ExitCode")).isEqualTo("137");
    }

    @Test
    void a_signal_reaches_one_that_runs_and_no_other() throws Exception {
        succeeds(make("run -d", "trap 'exit 7' USR1; echo begun; while :; do sleep 0.1; done"));
        awaitLog("begun\n");

        assertThat(engine("kill", "-s", "USR1", name)).isEqualTo(printsItsName());

        awaitState("exited");
        assertThat(state("ExitCode")).isEqualTo("7");
        fails(1, "is not running", engine("kill", name));
        fails(1, name + "-unknown", engine("kill", name + "-unknown"));
    }

    @Test
    void one_that_runs_or_is_paused_is_removed_by_force_only() throws Exception {
        succeeds(make("run -d", POLITE));
        fails(1, "container is running: stop the container before removing", engine("rm", name));
        succeeds(engine("pause", name));
        fails(1, "container is paused", engine("rm", name));

        assertThat(engine("rm", "-f", name)).isEqualTo(printsItsName());

        fails(1, name, engine("inspect", name));
        fails(1, name, engine("rm", name));
        assertThat(engine("rm", "-f", name).status()).isZero();
    }

    @Test
    void one_that_is_paused_runs_nothing_and_takes_no_further_program() throws Exception {
        succeeds(make("run -d", POLITE));
        awaitLog("begun\n");
        fails(1, "is not paused", engine("unpause", name));

        assertThat(engine("pause", name)).isEqualTo(printsItsName());

        assertThat(state("Status") + state("Paused") + state("Running")).isEqualTo("pausedtruetrue");
        fails(1, "is already paused", engine("pause", name));
        fails(refused(), "is paused", engine("exec", name, "true"));
        fails(1, "try unpause instead", engine("start", name));
        assertThat(engine("unpause", name)).isEqualTo(printsItsName());
        assertThat(state("Status")).isEqualTo("running");
        succeeds(engine("pause", name));
        assertThat(engine("stop", name)).isEqualTo(printsItsName());
        assertThat(state("Status") + state("ExitCode")).isEqualTo("exited3");
        fails(1, "is not running", engine("pause", name));
    }

    @Test
    void restarting_begins_the_program_anew_whatever_the_state() throws Exception {
        succeeds(make("create", POLITE));
        assertThat(engine("restart", name)).isEqualTo(printsItsName());
        awaitLog("begun\n");
        String before = state("StartedAt");

        assertThat(engine("restart", name)).isEqualTo(printsItsName());

        awaitLog("begun\nbegun\n");
        assertThat(state("StartedAt")).isNotEqualTo(before);
        assertThat(inspected("{{.RestartCount}}")).isEqualTo("0");
        succeeds(engine("stop", name));
        assertThat(engine("restart", name)).isEqualTo(printsItsName());
        assertThat(state("Status")).isEqualTo("running");
    }

    @Test
    void a_name_belongs_to_one_container_and_moves_with_it() {
        String other = name + "-2";
        names.add(other);
        succeeds(make("create", "true"));
        fails(refused(), name, make("create", "true"));
        fails(125, name, make("run -d", "true"));
        String id = inspected("{{.Id}}");

        succeeds(engine("rename", name, other));

        fails(1, name, engine("inspect", name));
        assertThat(engine("inspect", "-f", "{{.Id}} {{.Name}}", other).out()).isEqualTo(id + " /" + other + "\n");
        succeeds(make("create", "true"));
        fails(1, other, engine("rename", name, other));
        fails(1, name + "-unknown", engine("rename", name + "-unknown", name + "-3"));
    }

    @Test
    void a_run_ends_with_the_status_of_its_program() {
        assertThat(make("run --rm", "exit 5").status()).isEqualTo(5);
        assertThat(make("run --rm", "kill -9 $$; exit 6").status())
                .isEqualTo(either(Difference.INIT_IS_PROCESS_1, 137, 6));
        assertThat(program("run", "--rm", "/bin/no-such-program").status()).isEqualTo(127);
        assertThat(program("run", "--rm", "/etc").status()).isEqualTo(126);
        fails(125, "--no-such-option", engine("run", "--no-such-option", image(), "true"));
        fails(1, name, engine("inspect", name));
    }

    @Test
    void a_further_program_has_its_own_end() throws Exception {
        succeeds(make("run -d", POLITE));
        awaitLog("begun\n");

        assertThat(engine("exec", name, "sh", "-c", "echo out; echo err >&2; exit 9"))
                .isEqualTo(new Answer(9, "out\n", "err\n"));
        assertThat(engine("exec", "-e", "A=b", "-w", "/tmp", name, "sh", "-c", "echo $A; pwd")
                        .out())
                .isEqualTo("b\n/tmp\n");
        assertThat(engine("exec", name, "/bin/no-such-program").status())
                .isEqualTo(either(Difference.EXEC_OF_A_MISSING_PROGRAM_IS_127, 127, 126));
        assertThat(state("Status")).isEqualTo("running");
        succeeds(engine("stop", name));
        fails(refused(), "is not running", engine("exec", name, "true"));
        fails(refused(), name + "-unknown", engine("exec", name + "-unknown", "true"));
    }

    @Test
    void a_program_that_fails_is_restarted_as_often_as_its_policy_says() throws Exception {
        succeeds(make("run -d --restart on-failure:2", "echo begun; exit 4"));

        awaitLog("begun\nbegun\nbegun\n");
        await("exited 4 2", () -> inspected("{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}"));
    }

    @Test
    void whoever_waits_is_told_the_end_of_a_run_that_its_policy_follows_by_another() throws Exception {
        succeeds(make("run -d --restart always", "echo begun; sleep 2; exit 4"));

        for (int i = 0; i < 2; i++) {
            assertThat(engine("wait", name)).isEqualTo(new Answer(0, "4\n", ""));
            assertThat(state("Status")).isIn("running", "restarting");
        }
    }

    @Test
    void one_that_was_stopped_or_killed_by_hand_is_not_restarted() throws Exception {
        succeeds(make("run -d --restart always", POLITE));
        awaitLog("begun\n");
        succeeds(engine("kill", name));
        awaitState("exited");
        TimeUnit.SECONDS.sleep(1);
        assertThat(state("Status") + state("ExitCode")).isEqualTo("exited137");

        succeeds(engine("start", name));
        awaitLog("begun\nbegun\n");
        succeeds(engine("stop", name));
        TimeUnit.SECONDS.sleep(1);

        assertThat(state("Status") + state("ExitCode")).isEqualTo("exited3");
    }

    @Test
    void a_policy_may_change_while_it_runs() throws Exception {
        succeeds(make("run -d", POLITE));
        assertThat(engine("update", "--restart", "on-failure:3", name).out()).isEqualTo(name + "\n");

        assertThat(inspected("{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}"))
                .isEqualTo("on-failure 3");
    }

    @Test
    void one_that_is_to_be_removed_at_its_end_is_gone_then() throws Exception {
        succeeds(make("run -d --rm", "exit 1"));

        await("", () -> engine("ps", "-aq", "--filter", "name=" + name).out());
        fails(1, name, engine("start", name));
    }

    @Test
    void several_are_acted_on_and_one_that_is_unknown_is_named() {
        String unknown = name + "-unknown";
        succeeds(make("run -d", POLITE));

        Answer answer = engine("stop", unknown, name);

        assertThat(answer.status()).isEqualTo(1);
        assertThat(answer.out()).isEqualTo(name + "\n");
        assertThat(answer.err()).contains(unknown);
        assertThat(state("Status")).isEqualTo("exited");
    }

    @Test
    void a_list_is_filtered_and_printed_by_templates() {
        succeeds(engine(words("create -l team=" + name + " -l empty=", "sh", "-c", "exit 3")));
        String only = "label=team=" + name;

        assertThat(listed("{{.Command}} {{.Label \"team\"}}|{{.Label \"none\"}}", only))
                .isEqualTo("\"sh -c 'exit 3'\" " + name + "|\n");
        for (String accepting : List.of("network=none", "ancestor=" + image(), "label=empty")) {
            assertThat(listed("{{.Names}}", only, accepting)).as(accepting).isEqualTo(name + "\n");
        }
        for (String refusing : List.of("network=host", "ancestor=x", "publish=80", "expose=80-90/udp", "exited=3")) {
            assertThat(listed("{{.Names}}", only, refusing)).as(refusing).isEmpty();
        }
        assertThat(inspected("{{.HostConfig.RestartPolicy}} {{.Config.Entrypoint}} {{.Config.Cmd}}"))
                .isEqualTo("{no 0} [] [sh -c exit 3]");
    }

    private String listed(String format, String... filters) {
        var words = new ArrayList<>(List.of("ps", "-a", "--format", format));
        for (String filter : filters) {
            words.addAll(List.of("--filter", filter));
        }
        return engine(words.toArray(String[]::new)).out();
    }

    @Test
    void those_that_do_not_run_are_removed_if_the_filter_says_so() {
        succeeds(engine(words("create -l team=" + name + " -l keep=yes", "true")));
        String only = "label=team=" + name;

        for (String keeping : List.of("label!=keep=yes", "label!=keep", "until=2020-01-01", "until=1h")) {
            assertThat(engine("container", "prune", "-f", "--filter", only, "--filter", keeping))
                    .as(keeping)
                    .isEqualTo(new Answer(0, "Total reclaimed space: 0B\n", ""));
        }
        String id = inspected("{{.Id}}");
        assertThat(engine("container", "prune", "-f", "--filter", only, "--filter", "label!=keep=no"))
                .isEqualTo(new Answer(0, "Deleted Containers:\n" + id + "\n\nTotal reclaimed space: 0B\n", ""));
        fails(1, name, engine("inspect", name));
    }

    @Test
    void events_are_filtered_and_printed_by_templates() throws Exception {
        succeeds(engine(words("create -l team=" + name + " -l empty=", "true")));
        TimeUnit.SECONDS.sleep(1); // to Docker, 0s ago is the second's beginning
        var words = new ArrayList<>(List.of("events", "--since", "1h", "--until", "0s"));
        for (String filter : List.of("container=" + name, "event=create", "scope=local", "image=" + image())) {
            words.addAll(List.of("--filter", filter));
        }

        assertThat(engine(words.toArray(String[]::new)).out()).contains("empty=,", "team=" + name + ")");
        words.addAll(List.of("--format", "{{.Status}} {{.ID}} {{.From}} {{.Scope}}"));
        assertThat(engine(words.toArray(String[]::new)).out())
                .isEqualTo("create " + inspected("{{.Id}}") + " " + image() + " local\n");
    }

    private int either(Difference difference, int status, int dockers) {
        return has(difference) ? status : dockers;
    }

    private int refused() {
        return either(Difference.REFUSAL_IS_125, 125, 1);
    }

    private Answer printsItsName() {
        return new Answer(0, name + "\n", "");
    }

    /// Makes a container of this name without a network that runs a shell script.
    private Answer make(String command, String script) {
        return engine(words(command, "sh", "-c", script));
    }

    private Answer program(String command, String option, String program) {
        return engine(words(command + " " + option, program));
    }

    private String[] words(String command, String... program) {
        return Stream.of(
                        Arrays.stream(command.split(" ")),
                        Stream.of("--name", name, "--network", "none", image()),
                        Arrays.stream(program))
                .flatMap(all -> all)
                .toArray(String[]::new);
    }

    private String state(String field) {
        return inspected("{{.State." + field + "}}");
    }

    private String inspected(String template) {
        return engine("inspect", "-f", template, name).out().strip();
    }

    private void awaitState(String status) throws InterruptedException {
        await(status, () -> state("Status"));
    }

    private void awaitLog(String text) throws InterruptedException {
        await(text, () -> engine("logs", name).out());
    }

    private static void await(String wanted, Supplier<String> shown) throws InterruptedException {
        long begun = System.nanoTime();
        for (String now = shown.get(); !now.equals(wanted); now = shown.get()) {
            assertThat(System.nanoTime() - begun).as("it is " + now).isLessThan(PATIENCE_NANOS);
            Thread.sleep(50);
        }
    }

    private static void succeeds(Answer answer) {
        assertThat(answer.status()).as(answer.toString()).isZero();
    }

    private static void fails(int status, String message, Answer answer) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
        assertThat(answer.err()).contains(message);
    }
}
