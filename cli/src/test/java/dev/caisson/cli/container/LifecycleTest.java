package dev.caisson.cli.container;

import static dev.caisson.cli.Answer.caisson;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.CommandProcess;
import dev.caisson.cli.ServedProcess;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Containers that another process runs: listed, asked to end, killed and removed.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class LifecycleTest {
    private final String name = "lifecycle-" + ContainerId.random().shortForm();
    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void remove() {
        caisson("rm", "-f", name);
        started.forEach(Process::destroyForcibly);
    }

    /// Another process runs it, and it has printed "ready".
    private Process runs(String script, String... options) throws IOException {
        var words = new ArrayList<>(List.of("run", "--name", name));
        words.addAll(List.of(options));
        words.addAll(List.of("host", "--", "bash", "-c", script));
        Process process = new ProcessBuilder(CommandProcess.words(words.toArray(String[]::new))).start();
        started.add(process);
        process.getOutputStream().close();
        assertThat(process.inputReader().readLine()).isEqualTo("ready");
        return process;
    }

    @Test
    void stop_asks_by_the_runs_own_signal_and_waits() throws Exception {
        Process process = runs(
                "trap 'echo asked; exit 3' USR1; echo ready; while :; do sleep 0.1; done",
                "--stop-signal",
                "USR1",
                "--rm");

        assertThat(caisson("stop", name)).isEqualTo(new Answer(0, name + "\n", ""));

        assertThat(process.inputReader().lines()).containsExactly("asked");
        assertThat(process.waitFor()).isEqualTo(3);
        assertThat(caisson("stop", name).status()).isEqualTo(1);
        assertThat(caisson("stop", name).err()).startsWith("caisson: CONTAINER_UNKNOWN: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--rm", "--read-only"})
    void its_process_and_how_it_is_stopped_are_shown(String option) throws Exception {
        Process process = runs(
                "trap 'exit 3' USR1; echo ready; while :; do sleep 0.1; done",
                "--stop-signal",
                "USR1",
                "--stop-timeout",
                "7",
                option);

        String[] shown = caisson("inspect", "-f", "{{.State.Pid}} {{.Config.StopSignal}} {{.Config.StopTimeout}}", name)
                .out()
                .strip()
                .split(" ");

        assertThat(Files.readString(Path.of("/proc", shown[0], "status"))).contains("NSpid:\t" + shown[0] + "\t1\n");
        assertThat(shown).endsWith("SIGUSR1", "7");
        caisson("stop", name);
        assertThat(process.waitFor()).isEqualTo(3);
        if (!option.equals("--rm")) {
            assertThat(caisson("inspect", "-f", "{{.State.Pid}} {{.Config.StopSignal}}", name))
                    .isEqualTo(new Answer(0, "0 SIGUSR1\n", ""));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--stop-timeout", "-t"})
    void stop_kills_what_does_not_end_in_time(String option) throws Exception {
        String[] ofRun = option.equals("-t") ? new String[0] : new String[] {"--stop-timeout", "1"};
        Process process = runs("trap '' TERM; echo ready; while :; do sleep 0.1; done", ofRun);
        long begun = System.nanoTime();

        Answer answer = option.equals("-t") ? caisson("stop", "-t", "1", name) : caisson("stop", name);

        assertThat(answer).isEqualTo(new Answer(0, name + "\n", ""));
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun)).isBetween(900L, 9_000L);
        assertThat(process.waitFor()).isEqualTo(137);
        assertThat(caisson("ps", "-a").out()).contains(name).contains("Exited (137)");
        assertThat(caisson("stop", name)).isEqualTo(new Answer(0, name + "\n", "")); // it has ended, as was asked
        assertThat(caisson("kill", name).err()).startsWith("caisson: CONTAINER_ENDED: ");
    }

    @Test
    void kill_sends_a_signal_and_without_one_ends_everything() throws Exception {
        Process process = runs("trap 'echo hup' HUP; echo ready; while :; do sleep 0.1; done", "--rm");

        assertThat(caisson("kill", "-s", "SIGHUP", name)).isEqualTo(new Answer(0, name + "\n", ""));
        assertThat(process.inputReader().readLine()).isEqualTo("hup");
        assertThat(caisson("kill", "-s", "NONE", name).err()).contains("knows no signal 'NONE'");

        assertThat(caisson("kill", name).status()).isZero();
        assertThat(process.waitFor()).isEqualTo(137);
        assertThat(caisson("ps").out()).doesNotContain(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--rm", "--read-only"})
    void rm_removes_one_that_runs_by_force_alone_whether_it_is_kept_or_not(String option) throws Exception {
        Process process = runs("echo ready; sleep 1000", option);
        if (!option.equals("--rm")) {
            assertThat(caisson("rm", name).err()).startsWith("caisson: CONTAINER_RUNNING: ");
        }

        assertThat(caisson("rm", "-f", name)).isEqualTo(new Answer(0, name + "\n", ""));

        assertThat(process.waitFor()).isEqualTo(137);
        assertThat(caisson("ps", "-a").out()).doesNotContain(name);
        Answer again = caisson("rm", "-f", name);
        assertThat(again.status()).isZero();
        assertThat(again.out()).isEmpty();
        assertThat(again.err()).startsWith("caisson: CONTAINER_UNKNOWN: ");
    }

    @Test
    void several_are_ended_and_only_those_that_could_not_be_are_told() throws Exception {
        Process process = runs("echo ready; sleep 1000", "--rm");

        Answer answer = caisson("kill", "no-such-container", name);

        assertThat(answer.status()).isEqualTo(1);
        assertThat(answer.out()).isEqualTo(name + "\n");
        assertThat(answer.err()).startsWith("caisson: CONTAINER_UNKNOWN: ");
        assertThat(process.waitFor()).isEqualTo(137);
    }

    @Test
    void labels_and_states_filter_what_is_listed() throws Exception {
        runs("echo ready; sleep 1000", "--rm", "--label", "team=" + name, "-l", "plain", "--stop-timeout", "0");

        assertThat(caisson("ps", "--format", "json", "--filter", "label=team=" + name)
                        .out()
                        .lines())
                .singleElement()
                .asString()
                .contains("\"name\":\"" + name + "\"", "\"team\":\"" + name + "\"", "\"plain\":\"\"")
                .contains("\"state\":\"running\"", "\"command\":[\"bash\",\"-c\",\"echo ready; sleep 1000\"]");
        assertThat(caisson("ps", "--filter", "label=plain", "--filter", "label=team=" + name)
                        .out())
                .contains(name);
        assertThat(caisson("ps", "--filter", "label=plain", "--filter", "label=team=x")
                        .out())
                .doesNotContain(name);
        assertThat(caisson("ps", "--filter", "name=" + name.substring(3)).out()).contains(name);
        assertThat(caisson("ps", "--filter", "status=running").out()).contains(name);
        assertThat(caisson("ps", "--filter", "status=exited").out()).doesNotContain(name);
        assertThat(caisson("ps", "--filter", "status=gone").err()).contains("not 'gone'");
        assertThat(caisson("ps", "--filter", "colour=red").err()).contains("not 'colour'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--rm", "--read-only"})
    void after_a_kill_of_its_client_nobody_takes_it_for_running(String option) throws Exception {
        Process process = runs("echo ready; sleep 1000", option);
        String id = caisson("ps", "-q", "--filter", "name=" + name).out().strip();

        process.destroyForcibly().waitFor();
        Thread.sleep(200);

        assertThat(caisson("ps").out()).doesNotContain(name);
        assertThat(caisson("stats", "--no-stream", "--interval", "100ms").out()).doesNotContain(id);
        String code = option.equals("--rm") ? "CONTAINER_UNKNOWN" : "CONTAINER_NOT_RUNNING";
        assertThat(caisson("verify", name).err()).startsWith("caisson: " + code + ": ");
        assertThat(groups(id)).isEmpty();
        if (!option.equals("--rm")) {
            String status = ServedProcess.IS_WANTED ? "Exited (137)" : "Killed with its engine"; // which lives on
            assertThat(caisson("ps", "-a").out()).contains(name).contains(status);
            assertThat(caisson("ps", "--filter", "status=dead").out().contains(name))
                    .isNotEqualTo(ServedProcess.IS_WANTED);
        }
    }

    private static List<String> groups(String id) throws IOException {
        Process find = new ProcessBuilder("find", "/sys/fs/cgroup", "-name", id + "*").start();
        return find.inputReader().lines().toList();
    }

    @Test
    void who_gives_no_name_gets_one() throws Exception {
        Process process = new ProcessBuilder(CommandProcess.words(
                        "run", "--rm", "-l", name, "host", "--", "sh", "-c", "echo ready; sleep 1000"))
                .start();
        started.add(process);
        assertThat(process.inputReader().readLine()).isEqualTo("ready");

        String line = caisson("ps", "--filter", "label=" + name)
                .out()
                .lines()
                .toList()
                .getLast();
        String made = line.substring(line.lastIndexOf(' ') + 1);

        assertThat(made).matches("[a-z]+_[a-z]+[0-9]*");
        assertThat(caisson("kill", made).out()).isEqualTo(made + "\n");
        assertThat(process.waitFor()).isEqualTo(137);
    }
}
