package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerId;
import dev.caisson.state.State;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// SIGKILL of the client and of the resident engine at random moments of a short command. Afterwards the command was
/// carried out or it was not, everybody who looks sees the same, and the container can be removed.
@Tag("root")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class KilledMomentsTest {
    private static final int ROUNDS = 6;
    /// A command by a resident engine takes no longer on a quiet machine.
    private static final int MOST_MILLIS = 40;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private final String name = "moment-" + ContainerId.random().shortForm();
    private final List<Process> started = new ArrayList<>();
    private final long seed = System.nanoTime();
    private final SplittableRandom random = new SplittableRandom(seed);

    @SuppressWarnings("NullAway.Init")
    private ServedProcess served;

    @BeforeEach
    void serve() {
        served = ServedProcess.start(home);
    }

    @AfterEach
    void end() throws Exception {
        started.forEach(Process::destroyForcibly);
        alone("rm", "-f", name, name + "-2");
        served.close();
        assertThat(alone("ps", "-aq").out()).isEmpty();
        String groups = State.cgroupParent(served.state());
        try (DirectoryStream<Path> left = Files.newDirectoryStream(Path.of("/sys/fs/cgroup"))) {
            assertThat(left).noneMatch(hierarchy -> Files.exists(hierarchy.resolve(groups)));
        }
    }

    private Process start(String variable, String... words) throws IOException {
        Process process = new ProcessBuilder(served.words(List.of(variable), words)).start();
        started.add(process);
        process.getOutputStream().close();
        return process;
    }

    /// Runs a command as a process of its own, beside the engine.
    private Answer alone(String... words) throws Exception {
        Process process = start("CAISSON_SERVE=off", words);
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Answer(process.waitFor(), out, err);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "exec NAME sh -c exit",
                "logs -f NAME",
                "rm -f NAME",
                "rename NAME NAME-2",
                "update --memory 128m --restart always NAME"
            })
    void a_command_was_carried_out_or_was_not(String line) throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            String as = "round " + round + " of seed " + seed;
            Answer run = alone(
                    "run", "-d", "-m", "64m", "--name", name, "host", "--", "sh", "-c", "echo ready; exec sleep 1000");
            assertThat(run.status()).as(run + " " + as).isZero();
            String id = run.out().strip();

            boolean ofEngine = round % 2 == 0;
            Process client =
                    start("CAISSON_SERVE=only", line.replace("NAME", name).split(" ", -1));
            TimeUnit.MILLISECONDS.sleep(random.nextInt(MOST_MILLIS));
            (ofEngine ? served.process() : client).destroyForcibly().waitFor();
            assertThat(client.waitFor(20, TimeUnit.SECONDS))
                    .as("the client ends: " + as)
                    .isTrue();
            if (!ofEngine) {
                TimeUnit.SECONDS.sleep(1); // the engine may carry it out yet
            }

            assertSeenAlike(id, as);
            if (ofEngine) {
                served = served.again();
            }
            assertSeenAlike(id, as);
            Answer removed = alone("rm", "-f", id);
            assertThat(removed.status()).as(removed + " " + as).isZero();
            assertThat(alone("ps", "-aq", "--filter", "id=" + id).out()).as(as).isEmpty();
        }
    }

    /// It is gone everywhere, or it runs under one name with what the command says or what was before it.
    private void assertSeenAlike(String id, String as) throws Exception {
        String listed = alone("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}")
                .out()
                .strip();
        Answer inspected = alone(
                "inspect",
                "-f",
                "{{.Id}} {{.Name}} {{.State.Status}} {{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}",
                id);
        if (listed.isEmpty()) {
            assertThat(inspected.err()).as(as).contains("CONTAINER_UNKNOWN");
            return;
        }
        String[] parts = listed.split(" ", -1);
        assertThat(parts).as(as).hasSize(3);
        assertThat(parts[0]).as(as).isEqualTo(id);
        assertThat(parts[1]).as(as).isIn(name, name + "-2");
        assertThat(parts[2]).as(as + ": " + inspected).isIn("running", "exited"); // while it is removed it ends first
        assertThat(inspected.out().strip())
                .as(as)
                .isIn(
                        id + " /" + parts[1] + " " + parts[2] + " " + (64 << 20) + " no",
                        id + " /" + parts[1] + " " + parts[2] + " " + (128 << 20) + " no",
                        id + " /" + parts[1] + " " + parts[2] + " " + (128 << 20) + " always");
        assertThat(alone("logs", parts[1]).out()).as(as).isEqualTo("ready\n");
        if (parts[2].equals("running")) {
            assertThat(alone("exec", parts[1], "true").status()).as(as).isZero();
        }
    }
}
