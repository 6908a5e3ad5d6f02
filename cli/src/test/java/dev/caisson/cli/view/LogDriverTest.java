package dev.caisson.cli.view;

import static dev.caisson.cli.Answer.caisson;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.CommandProcess;
import dev.caisson.spec.ContainerId;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Logs on the disk and in memory, of sizes that were asked for.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LogDriverTest {
    private final String name = "logged-" + ContainerId.random().shortForm();

    @AfterEach
    void remove() {
        caisson("rm", "-f", name);
    }

    private String run(String script, String... options) {
        Answer run = caisson(Stream.of(
                        List.of("run", "-d", "--name", name),
                        List.of(options),
                        List.of("host", "--", "sh", "-c", script))
                .flatMap(List::stream)
                .toArray(String[]::new));
        assertThat(run.err()).isEmpty();
        return run.out().strip();
    }

    private void awaitEnd() {
        assertThat(caisson("wait", name).status()).isZero();
    }

    private String inspected(String template) {
        return caisson("inspect", "-f", template, name).out().strip();
    }

    /// The files of its log on any disk, by name.
    private static List<Path> files(String id) throws IOException {
        var found = new ArrayList<Path>();
        for (String root : List.of("/var/lib/caisson", "/run/caisson")) {
            if (Files.exists(Path.of(root))) {
                try (Stream<Path> all = Files.walk(Path.of(root))) {
                    all.filter(file -> file.getFileName().toString().startsWith(id + "-json.log"))
                            .forEach(found::add);
                }
            }
        }
        return found;
    }

    @Test
    void one_in_memory_is_read_while_it_runs_and_after_its_end_and_is_on_no_disk() throws Exception {
        String id = run("echo one; echo two >&2; read line", "-i", "--log-driver", "none");

        Answer logs = caisson("logs", name);
        while (!logs.err().contains("two")) {
            logs = caisson("logs", name);
        }
        assertThat(logs).isEqualTo(new Answer(0, "one\n", "two\n"));
        assertThat(caisson("kill", name).status()).isZero();
        awaitEnd();
        assertThat(caisson("logs", name)).satisfies(ended -> {
            assertThat(ended.out()).isEqualTo("one\n");
            assertThat(ended.err()).startsWith("two\n").contains("KILLED");
        });
        assertThat(inspected("{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}} {{.LogPath}}"))
                .isEqualTo("none {}");
        assertThat(files(id)).isEmpty();
    }

    @Test
    void one_in_memory_keeps_the_last_of_what_was_written() {
        run("i=0; while [ $i -lt 40000 ]; do echo line $i; i=$((i+1)); done", "--log-driver", "none");
        awaitEnd();

        Answer logs = caisson("logs", name);

        assertThat(logs.out()).doesNotContain("line 0\n").endsWith("line 39999\n");
        // 4 files of 256 KiB, of lines that take some 90 bytes each
        assertThat(logs.out().lines().count()).isBetween(8_000L, 12_500L);
    }

    @Test
    void files_have_the_size_and_are_as_many_as_was_asked_for() throws Exception {
        String id = run(
                "i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done",
                "--log-opt",
                "max-size=100k",
                "--log-opt",
                "max-file=5");
        awaitEnd();

        List<Path> files = files(id);
        assertThat(files).hasSize(5);
        for (Path file : files) {
            assertThat(Files.size(file)).isBetween(1L, 100L << 10);
        }
        assertThat(caisson("logs", name).out()).endsWith("line 8999\n");
        assertThat(caisson("logs", name).out().lines().count()).isGreaterThan(4 * 900L);
        assertThat(inspected("{{json .HostConfig.LogConfig}}"))
                .contains("\"Type\":\"json-file\"", "\"max-size\":\"102400\"", "\"max-file\":\"5\"");
    }

    @Test
    void a_command_in_the_foreground_shows_what_is_in_memory() {
        Answer run = caisson(
                "run",
                "--log-driver",
                "none",
                "--name",
                name,
                "host",
                "--",
                "sh",
                "-c",
                "echo out; echo err >&2; exit 3");

        assertThat(run).isEqualTo(new Answer(3, "out\n", "err\n"));
        assertThat(inspected("{{.HostConfig.LogConfig.Type}}")).isEqualTo("none");
    }

    @Test
    void memory_that_nobody_holds_any_more_is_told() throws Exception {
        run("echo said; exec sleep 1000", "--log-driver", "none");
        long pid = Long.parseLong(inspected("{{.State.Pid}}"));
        for (ProcessHandle process = ProcessHandle.of(pid).orElseThrow();
                process != null;
                process = process.parent().orElse(null)) {
            if (Files.readString(Path.of("/proc", Long.toString(process.pid()), "comm"))
                    .startsWith("caisson-monit")) {
                process.destroyForcibly();
                process.onExit().get(10, TimeUnit.SECONDS);
                break;
            }
        }

        Answer logs = caisson("logs", name);

        assertThat(logs.status()).isNotZero();
        assertThat(logs.err()).contains("LOG_GONE").hasLineCount(1);
    }

    /// Its pipe is full soon, and nobody waits for it.
    @ParameterizedTest
    @ValueSource(strings = {"attach --no-stdin NAME", "logs -f NAME", "start -a NAME"})
    void a_client_that_does_not_read_stops_nobody_and_is_told_what_it_missed(String line) throws Exception {
        boolean starts = line.startsWith("start");
        String script = "(while :; do echo waits; sleep 0.1; done) & waits=$!; read line; kill $waits; i=0;"
                + " while [ $i -lt 60000 ]; do echo line $i; i=$((i+1)); done";
        caisson("create", "-i", "--name", name, "--log-driver", "none", "host", "--", "sh", "-c", script);
        if (!starts) {
            caisson("start", name);
        }
        Process client = new ProcessBuilder(
                        CommandProcess.words(line.replace("NAME", name).split(" ", -1)))
                .start();
        client.getOutputStream().close();
        BufferedReader read = client.inputReader(StandardCharsets.UTF_8);
        assertThat(read.readLine()).as("it follows").isEqualTo("waits");

        Process input = new ProcessBuilder(CommandProcess.words("attach", name)).start();
        input.getInputStream().close();
        input.outputWriter(StandardCharsets.UTF_8).append("go\n").close();
        awaitEnd();
        assertThat(client.isAlive()).as("nobody has read what it writes").isTrue();
        List<String> lines =
                read.lines().dropWhile(waits -> waits.equals("waits")).toList();
        String errors = new String(client.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(client.waitFor()).isZero();
        assertThat(lines)
                .extracting(one -> Integer.parseInt(one.substring("line ".length())))
                .isSorted()
                .doesNotHaveDuplicates();
        assertThat(lines.getLast()).isEqualTo("line 59999");
        assertThat(lines.size()).isLessThan(60_000);
        assertThat(errors).contains("lines are missing here");
    }

    @Test
    void size_and_number_of_files_are_judged_together() {
        Answer fits = caisson(
                "create",
                "--log-driver",
                "none",
                "--log-opt",
                "max-size=40m",
                "--log-opt",
                "max-file=1",
                "host",
                "true");
        assertThat(fits.err()).isEmpty();
        caisson("rm", fits.out().strip());

        Answer tooMuch = caisson(
                "create",
                "--log-driver",
                "none",
                "--log-opt",
                "max-file=2",
                "--log-opt",
                "max-size=40m",
                "host",
                "true");
        assertThat(tooMuch.err())
                .contains("OPTION_REFUSED: --log-opt", "64 MiB")
                .hasLineCount(1);
        assertThat(tooMuch.status()).isEqualTo(125);
    }

    @ParameterizedTest
    @CsvSource({
        "--log-driver,syslog,json-file",
        "--log-driver,local,json-file",
        "--log-opt,max-size=1k,64 KiB",
        "--log-opt,max-size=lots,lots",
        "--log-opt,max-file=0,1 to 100",
        "--log-opt,max-file=x,number",
        "--log-opt,tag=x,max-size",
        "--log-opt,max-size,max-size"
    })
    void what_a_log_cannot_be_is_refused(String option, String value, String told) {
        Answer run = caisson("run", "-d", "--name", name, option, value, "host", "true");

        assertThat(run.status()).isEqualTo(125);
        assertThat(run.err()).contains(option, told).hasLineCount(1);
        assertThat(caisson("inspect", name).status()).isNotZero();
    }
}
