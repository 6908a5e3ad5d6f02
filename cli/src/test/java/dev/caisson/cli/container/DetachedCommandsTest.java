package dev.caisson.cli.container;

import static dev.caisson.cli.Answer.caisson;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.caisson.cli.Answer;
import dev.caisson.cli.CommandProcess;
import dev.caisson.cli.Main;
import dev.caisson.spec.ContainerId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Containers that outlive the command, from create to rm.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class DetachedCommandsTest {
    private final String name = "detached-" + ContainerId.random().shortForm();

    @AfterEach
    void remove() {
        caisson("rm", "-f", name, name + "-2");
    }

    private static void awaitLog(String container, String text) throws InterruptedException {
        long begun = System.nanoTime();
        while (!caisson("logs", container).out().contains(text)) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(60));
            Thread.sleep(50);
        }
    }

    private String inspected(String template) {
        return caisson("inspect", "-f", template, name).out().strip();
    }

    @Test
    void one_runs_in_the_background_and_is_seen_stopped_started_and_removed(@TempDir Path directory) throws Exception {
        Path idFile = directory.resolve("id");
        Answer run = caisson(
                "run",
                "-d",
                "--name",
                name,
                "--cidfile",
                idFile.toString(),
                "-l",
                "team=core",
                "-e",
                "A=b",
                "host",
                "--",
                "sh",
                "-c",
                "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.1; done");

        assertThat(run.err()).isEmpty();
        assertThat(run.out()).matches("[0-9a-f]{64}\n");
        assertThat(Files.readString(idFile)).isEqualTo(run.out().strip());
        assertThat(caisson("run", "-d", "--cidfile", idFile.toString(), "host", "true")
                        .err())
                .contains("container ID file found");
        awaitLog(name, "ready");
        assertThat(caisson("ps", "--filter", "name=" + name, "--format", "{{.Names}} {{.State}} {{.Status}}")
                        .out())
                .matches(name + " running Up .*\n");
        assertThat(caisson("ps", "-q", "--no-trunc", "--filter", "label=team=core")
                        .out())
                .contains(run.out());
        assertThat(inspected("{{.State.Status}} {{.Name}} {{.Config.Labels.team}} {{index .Config.Env 0}}"))
                .startsWith("running /" + name + " core ");
        assertThat(inspected("{{range .Config.Env}}{{println .}}{{end}}")).contains("A=b");
        assertThat(caisson("inspect", name).out())
                .startsWith("[\n    {\n        \"Id\": \"" + run.out().strip());
        assertThat(caisson("top", name).out()).contains("UID", "PID", "CMD").contains("sleep 0.1");
        topTakesOptionsOfPs();
        assertThat(caisson("rm", name).err()).contains("container is running: stop the container before removing");
        assertThat(caisson("verify", name).status()).isZero();

        assertThat(caisson("stop", name)).isEqualTo(new Answer(0, name + "\n", ""));

        assertThat(caisson("wait", name)).isEqualTo(new Answer(0, "3\n", ""));
        assertThat(caisson("stop", name).status()).isZero();
        assertThat(caisson("top", name).err()).startsWith("caisson: CONTAINER_NOT_RUNNING: ");
        assertThat(caisson("kill", name).status()).isEqualTo(1);
        assertThat(caisson("kill", name).err()).contains("is not running");
        assertThat(caisson("ps", "-a", "--filter", "exited=3").out())
                .contains(name)
                .contains("Exited (3)");
        assertThat(caisson("ps").out()).doesNotContain(name);
        assertThat(inspected("{{.State.ExitCode}} {{.State.Running}}")).isEqualTo("3 false");

        assertThat(caisson("start", name)).isEqualTo(new Answer(0, name + "\n", ""));
        assertThat(caisson("restart", "-t", "0", name).out()).isEqualTo(name + "\n");
        assertThat(caisson("pause", name).out()).isEqualTo(name + "\n");
        assertThat(caisson("ps", "--filter", "status=paused").out())
                .contains(name)
                .contains("(Paused)");
        assertThat(caisson("start", name).err()).contains("try unpause instead");
        assertThat(caisson("unpause", name).status()).isZero();
        assertThat(caisson("unpause", name).err()).contains("is not paused");
        assertThat(caisson("rename", name, name + "-2").status()).isZero();
        assertThat(caisson("update", "--restart", "always", name + "-2").out()).isEqualTo(name + "-2\n");
        assertThat(caisson("rm", "-f", name + "-2")).isEqualTo(new Answer(0, name + "-2\n", ""));
        assertThat(caisson("ps", "-a").out()).doesNotContain(name);
        assertThat(caisson("inspect", name).status()).isEqualTo(1);
        assertThat(caisson("top", name).err()).startsWith("caisson: CONTAINER_UNKNOWN: ");
    }

    /// It shows the container's own processes alone, also with options that select all of the host.
    private void topTakesOptionsOfPs() {
        assertThat(caisson("top", name, "-o", "pid,args").out().lines())
                .first(STRING)
                .matches(" *PID COMMAND");
        for (String[] options : new String[][] {
            {"-eo", "pid,comm"},
            {"aux"},
            {"-ef"},
            {"f"},
            {"-o", "pid", "-o", "comm"},
            {"-o", "ppid,pid,comm", "--sort=-rss"},
            {"-ef", "--sort", "pid"}
        }) {
            assertThat(caisson(with(options, "top", name)).out().lines())
                    .hasSizeBetween(2, 4)
                    .anySatisfy(line -> assertThat(line).containsPattern(" sh( |$)"))
                    .noneMatch(line -> line.contains("java") || line.contains("kthreadd"));
        }
        assertThat(caisson("top", name, "-eo", "comm").err())
                .startsWith("caisson: PS_FAILED: ")
                .contains("add pid");
        assertThat(caisson("top", name, "-eo", "comm,pid").err())
                .startsWith("caisson: PS_FAILED: ")
                .contains("COMMAND before PID");
        assertThat(caisson("top", name, "-o", "uid=PID").err()).startsWith("caisson: OPTION_REFUSED: ");
        assertThat(caisson("top", name, "--format=uid=PID").err()).startsWith("caisson: OPTION_REFUSED: ");
        assertThat(caisson("top", name, "--nonsense").err())
                .startsWith("caisson: PS_FAILED: ")
                .contains("unknown gnu long option");
    }

    private static String[] with(String[] options, String... words) {
        return Stream.concat(Stream.of(words), Stream.of(options)).toArray(String[]::new);
    }

    @Test
    void one_that_is_started_attached_ends_with_what_run_tells_of_denied_calls_and_limits() {
        caisson("create", "--name", name, "host", "--", "sh", "-c", "echo in; unshare -U true 2>/dev/null; exit 3");
        for (int time = 0; time < 2; time++) {
            Answer answer = caisson("start", "-a", name);
            assertThat(answer.status()).isEqualTo(3);
            assertThat(answer.out()).isEqualTo("in\n");
            assertThat(answer.err())
                    .startsWith("caisson: DENIED: ")
                    .contains("unshare(CLONE_NEWUSER) → ERRNO(EPERM)")
                    .containsOnlyOnce("DENIED");
        }
        caisson("create", "--name", name + "-2", "host", "--", "sh", "-c", "unshare -U true 2>/dev/null; true");
        assertThat(caisson("start", "-a", name + "-2")).isEqualTo(new Answer(0, "", ""));
    }

    @Test
    void a_lost_one_is_shown_as_exited_with_the_reason_and_up_starts_what_its_policy_asks_for() throws Exception {
        caisson("run", "-d", "--restart", "unless-stopped", "--name", name, "host", "sleep", "1000");
        caisson("run", "-d", "--name", name + "-2", "host", "sleep", "1000");
        loseMonitor(name);
        loseMonitor(name + "-2");

        assertThat(caisson("ps", "-a", "--filter", "name=" + name, "--format", "{{.State}} {{.Status}}")
                        .out())
                .isEqualTo("exited Exited (unknown), its monitor was killed\n".repeat(2));
        assertThat(inspected("{{.State.Status}} {{.State.Error}}"))
                .isEqualTo("exited its monitor was killed: nobody knows how it ended");
        assertThat(caisson("exec", name, "true").err()).contains("CONTAINER_");

        Answer up = caisson("up");

        assertThat(up.status()).isZero();
        assertThat(up.out()).isEqualTo(name + "\n");
        assertThat(up.err())
                .isEqualTo("caisson: gone with the monitor of " + name
                        + ": what it had written into /, which was in memory\n");
        assertThat(caisson("up")).isEqualTo(new Answer(0, "", "")); // it runs
        assertThat(inspected("{{.State.Status}} {{.State.Error}}")).isEqualTo("running");
        assertThat(caisson("restart", name + "-2").err()).contains("gone with the monitor of " + name + "-2");
        assertThat(caisson("ps", "--filter", "name=" + name, "--format", "{{.State}}")
                        .out())
                .isEqualTo("running\n".repeat(2));
    }

    @Test
    void streams_that_are_not_attached_are_logged_alone() throws Exception {
        Process run = new ProcessBuilder(CommandProcess.words(
                        "run", "--name", name, "-a", "stderr", "host", "--", "sh", "-c", "echo out; echo bad >&2"))
                .start();

        assertThat(new String(run.getInputStream().readAllBytes(), UTF_8)).isEmpty();
        assertThat(new String(run.getErrorStream().readAllBytes(), UTF_8)).isEqualTo("bad\n");
        assertThat(run.waitFor()).isZero();
        assertThat(caisson("logs", name).out()).isEqualTo("out\n");
    }

    @Test
    void a_run_that_may_be_left_is_kept_by_a_monitor_and_exits_as_its_program() {
        Answer run = caisson(
                "run",
                "--name",
                name,
                "--sig-proxy=false",
                "-a",
                "stdout",
                "host",
                "--",
                "sh",
                "-c",
                "echo out; echo bad >&2; exit 4");

        assertThat(run).isEqualTo(new Answer(4, "out\n", ""));
        assertThat(inspected("{{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}}"))
                .isEqualTo("4 no");
        Answer removed = caisson("run", "--rm", "--name", name + "-2", "--sig-proxy=false", "host", "true");
        assertThat(removed).isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("ps", "-a").out()).doesNotContain(name + "-2");
    }

    @Test
    void what_a_container_has_written_is_shown_while_it_runs_and_after_its_end() throws Exception {
        String script = "head -c 3000000 /dev/zero >/written; echo done";
        caisson("run", "-d", "--name", name, "host", "--", "sh", "-c", script + "; sleep 1000");
        awaitLog(name, "done");

        assertThat(caisson("ps", "-s", "--filter", "name=" + name).out())
                .contains("SIZE")
                .containsPattern(" 3(\\.[0-9]+)?MB\n");
        assertThat(caisson("inspect", "-s", "-f", "{{.SizeRw}}", name).out()).matches("3[0-9]{6}\n");
        caisson("stop", "-t", "0", name);
        assertThat(caisson("ps", "-a", "--filter", "name=" + name, "--format", "{{.Size}}")
                        .out())
                .matches("3(\\.[0-9]+)?MB\n");

        assertThat(caisson("system", "df", "--format", "{{.Type}}:{{.TotalCount}}:{{.Active}}")
                        .out())
                .containsPattern("Images:[0-9]+:[0-9]+\nContainers:[0-9]+:[0-9]+\nLogs:");
        assertThat(caisson("system", "df").out()).contains("TYPE", "RECLAIMABLE", "MB (");
        assertThat(caisson("system", "df", "--format", "json").out()).contains("\"Type\":\"Containers\"");
        assertThat(caisson("system", "df", "-v").out())
                .containsPattern("host +3(\\.[0-9]+)?MB +[0-9.]+k?B +ended +" + name);
        assertThat(caisson("run", "-d", "--read-only", "--name", name + "-2", "host", "sleep", "1000")
                        .status())
                .isZero();
        assertThat(caisson("ps", "--filter", "name=" + name + "-2", "--format", "{{.Size}}")
                        .out())
                .matches("[0-9.]+k?B\n");
    }

    private static void loseMonitor(String container) throws Exception {
        String pid = caisson("inspect", "-f", "{{.State.Pid}}", container).out().strip();
        long monitor = ProcessHandle.of(Long.parseLong(pid))
                .flatMap(ProcessHandle::parent)
                .orElseThrow()
                .pid();
        new ProcessBuilder("kill", "-9", Long.toString(monitor)).start().waitFor();
        while (ProcessHandle.of(Long.parseLong(pid)).isPresent()) {
            Thread.sleep(5);
        }
    }

    @Test
    void the_unit_of_the_host_calls_a_command_that_there_is() throws Exception {
        String unit = Files.readString(Path.of("../deploy/systemd/caisson-up.service"));

        assertThat(unit).contains("\nExecStart=/usr/local/bin/caisson up\n", "\nKillMode=process\n");
        assertThat(Main.commandLine().getSubcommands()).containsKey("up");
    }

    @Test
    void limits_change_while_it_runs_and_hold_after_a_restart() {
        caisson("run", "-d", "--name", name, "-m", "256m", "--pids-limit", "50", "host", "sleep", "1000");

        assertThat(caisson("update", "-m", "128m", "--cpus", "0.5", "--pids-limit", "20", name))
                .isEqualTo(new Answer(0, name + "\n", ""));

        assertThat(inspected("{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"))
                .isEqualTo("134217728 20");
        assertThat(caisson("verify", name).out()).contains("134217728", "50000", "20");
        assertThat(caisson("verify", name).status()).isZero();
        assertThat(caisson("restart", "-t", "0", name).status()).isZero();
        assertThat(caisson("verify", name).out()).contains("134217728");

        caisson("update", "--pids-limit", "30", name); // the others stay
        assertThat(inspected("{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"))
                .isEqualTo("134217728 30");

        assertThat(caisson("update", "-m", "4k", name).err()).contains("too small");
        assertThat(caisson("update", "--cpuset-cpus", "4000", name).status()).isEqualTo(1);
        assertThat(inspected("{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"))
                .isEqualTo("134217728 30");
        assertThat(caisson("verify", name).status()).isZero();
    }

    @Test
    void memory_below_what_is_used_is_refused_or_taken_as_the_kernel_does_it() throws Exception {
        caisson(
                "run",
                "-d",
                "--name",
                name,
                "-m",
                "256m",
                "host",
                "--",
                "perl",
                "-e",
                "$x = 'x' x (100 << 20); print qq(ready\\n); $| = 1; print qq(\\n); sleep 1000");
        awaitLog(name, "ready");

        Answer shrunk = caisson("update", "-m", "32m", name);

        String limit = inspected("{{.HostConfig.Memory}}");
        if (shrunk.status() == 0) { // version 2 takes it, and kills what does not fit
            assertThat(limit).isEqualTo("33554432");
        } else {
            assertThat(shrunk.err()).contains("memory");
            assertThat(limit).isEqualTo("268435456");
            assertThat(inspected("{{.State.Status}}")).isEqualTo("running");
            assertThat(caisson("verify", name).status()).isZero();
        }
    }

    @Test
    void one_that_is_created_is_started_attached_and_ends_with_its_status() {
        Answer made = caisson("create", "--name", name, "host", "--", "sh", "-c", "echo out; echo bad >&2; exit 5");
        assertThat(made.err()).isEmpty();
        assertThat(caisson("ps", "-a", "--filter", "status=created").out())
                .contains(name)
                .contains("Created");
        assertThat(caisson("logs", name).out()).isEmpty();
        assertThat(caisson("wait", name).out()).isEqualTo("0\n");

        assertThat(caisson("start", "-a", name)).isEqualTo(new Answer(5, "out\n", "bad\n"));

        assertThat(caisson("logs", "--tail", "1", name).err()).contains("bad");
        assertThat(caisson("container", "prune", "-f", "--filter", "name=" + name)
                        .out())
                .startsWith("Deleted Containers:\n" + made.out() + "\nTotal reclaimed space: ");
    }

    @Test
    void a_program_that_is_not_there_leaves_a_created_container_or_none() {
        Answer run = caisson("run", "-d", "--name", name, "host", "no-such-program");

        assertThat(run.status()).isEqualTo(127);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("no-such-program");
        assertThat(caisson("ps", "-a", "--filter", "name=" + name).out()).contains("Created");
        assertThat(caisson("rm", name).status()).isZero();
        assertThat(caisson("run", "-d", "--rm", "--name", name, "host", "no-such-program")
                        .status())
                .isEqualTo(127);
        assertThat(caisson("ps", "-a").out()).doesNotContain(name);
    }

    @Test
    void one_with_a_lease_or_rm_is_gone_by_itself() throws Exception {
        caisson("run", "-d", "--lease", "5m", "--name", name, "host", "sleep", "1000");
        assertThat(caisson("renew", "--lease", "300ms", name).out()).isEqualTo(name + "\n");
        caisson("wait", name); // it may be over already
        assertThat(caisson("ps", "-a").out()).doesNotContain(name);

        assertThat(caisson("run", "-d", "--rm", "--name", name, "host", "sleep", "0.1")
                        .status())
                .isZero();
        caisson("wait", name);
        assertThat(caisson("ps", "-a").out()).doesNotContain(name);
    }

    /// As a service or a session of systemd is ended.
    @Test
    void one_survives_the_end_of_the_group_of_whoever_started_it() throws Exception {
        Path unified = Path.of("/sys/fs/cgroup/unified");
        Path tree = Files.isDirectory(unified) ? unified : Path.of("/sys/fs/cgroup");
        Path group = Files.createDirectory(tree.resolve("caisson-test-" + name));
        try {
            var words = new java.util.ArrayList<>(
                    java.util.List.of("sh", "-c", "echo 0 > \"$0/cgroup.procs\"; exec \"$@\"", group.toString()));
            words.addAll(CommandProcess.words("run", "-d", "--name", name, "host", "--", "sleep", "1000"));
            Process run = new ProcessBuilder(words).redirectErrorStream(true).start();
            String said = new String(run.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(run.waitFor()).as(said).isZero();

            Files.writeString(group.resolve("cgroup.kill"), "1");
            assertThat(Files.readString(group.resolve("cgroup.procs"))).isEmpty();
            assertThat(inspected("{{.State.Status}}")).isEqualTo("running");
        } finally {
            caisson("rm", "-f", name);
            Files.delete(group);
        }
    }

    @Test
    void its_health_is_listed_filtered_and_inspected() throws Exception {
        String words = "run -d --name NAME --health-interval 200ms --health-timeout 20s --health-retries 1"
                + " --health-start-period 0s --health-start-interval 1s --health-on-failure none --health-cmd LINE"
                + " host sleep 1000";
        Answer run = caisson(Stream.of(words.split(" ", -1))
                .map(word -> word.equals("NAME") ? name : word.equals("LINE") ? "echo fine; test -e /tmp/fine" : word)
                .toArray(String[]::new));
        assertThat(run.status()).as(run.err()).isZero();
        long begun = System.nanoTime();
        while (!caisson("ps", "--filter", "health=unhealthy").out().contains(name)) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(60));
        }

        assertThat(caisson("ps", "--filter", "name=" + name, "--format", "{{.Status}}")
                        .out())
                .matches("Up .* \\(unhealthy\\)\n");
        assertThat(inspected("{{(index .State.Health.Log 0).ExitCode}} {{(index .State.Health.Log 0).Output}}"))
                .isEqualTo("1 fine");
        assertThat(inspected("{{index .Config.Healthcheck.Test 0}} {{.Config.Healthcheck.Retries}}"
                        + " {{.Config.Healthcheck.Interval}}"))
                .isEqualTo("CMD-SHELL 1 200000000");
        assertThat(caisson("exec", name, "touch", "/tmp/fine").status()).isZero();
        while (!caisson("ps", "--filter", "health=healthy").out().contains(name)) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(60));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "run --restart always host true|--restart: a container in the foreground ends with this command",
                "run --lease 1m host true|--lease: a container in the foreground ends with this command",
                "run -d --rm --restart always host true|conflicting options",
                "run -d --restart sometimes host true|invalid restart policy 'sometimes'",
                "run -d --restart always:3 host true|maximum retry count cannot be used",
                "run -d --cpu-time 1s host true|--cpu-time",
                "run -d --output-limit 1m host true|--output-limit",
                "run -d --lease 0 host true|a lease of 0 ms",
                "run --detach-keys a host true|OPTION_REFUSED: --detach-keys",
                "run --detach-keys ctrl-1 -it host true|--detach-keys takes",
                "run -d -a stdout host true|conflicting options: -d",
                "run -d --sig-proxy=false host true|conflicting options: -d",
                "run -a stdin host true|-a stdin and -i belong together",
                "run -a stdout -i host true|-a stdin and -i belong together",
                "run -a log host true|--attach takes stdin",
                "create -a stdout host true|attaches, in 'caisson run' and 'start'",
                "exec -d -t x true|OPTION_REFUSED: --tty",
                "exec -d -i x true|OPTION_REFUSED: --interactive",
                "exec -it --detach-keys ctrl-1 x true|--detach-keys takes",
                "exec -it -d --detach-keys ctrl-p x true|OPTION_REFUSED: --detach-keys",
                "system frobnicate|unknown command",
                "ps -a --format {{.Nmae}}|can't evaluate field Nmae",
                "ps -a --format {{.ID|unclosed action",
                "ps --filter before=nobody|knows no container 'nobody'",
                "attach --detach-keys ctrl-1 x|--detach-keys takes",
                "start -a x y|cannot start and attach multiple containers",
                "update x|you must provide one or more flags",
                "run --health-cmd true host true|--health-cmd: health is checked of containers that outlive",
                "run -d --health-cmd true --no-healthcheck host true|--no-healthcheck conflicts with --health-*",
                "run -d --health-retries 4 host true|HEALTH_NO_COMMAND",
                "run -d --health-interval -1s --health-cmd true host true|cannot be negative",
                "run -d --health-on-failure pray --health-cmd true host true|give none, kill, restart or stop",
                "ps --filter health=fine|--filter health takes",
                "update --memory much x|much",
                "update --cpus 1000 x|processors are available",
                "update --memory 1g no-such-container|CONTAINER_UNKNOWN",
                "start no-such-container|CONTAINER_UNKNOWN",
                "pause no-such-container|CONTAINER_UNKNOWN",
                "container frobnicate|unknown command"
            })
    void what_is_not_possible_is_refused_by_name(String words, String reason) {
        caisson("create", "--name", name, "host", "true"); // so that there is one to compare with
        Answer answer = caisson(words.split(" ", -1));

        assertThat(answer.status()).isNotZero();
        assertThat(answer.err()).contains(reason);
        assertThat(caisson("ps", "-a").out()).contains(name);
    }
}
