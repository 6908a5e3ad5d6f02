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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// SIGKILL of the client and of the resident engine at random moments of a short command. Afterwards the command was
/// carried out or it was not, everybody who looks sees the same, and the container can be removed.
@Tag("root")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class KilledMomentsTest {
    private static final int ROUNDS = Integer.getInteger("caisson.test.moments", 2);
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
        alone("network", "rm", name + "-1", name + "-2");
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
        return answer("CAISSON_SERVE=off", words);
    }

    private Answer served(String... words) throws Exception {
        return answer("CAISSON_SERVE=only", words);
    }

    private Answer answer(String variable, String... words) throws Exception {
        Process process = start(variable, words);
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Answer(process.waitFor(), out, err);
    }

    /// Starts the program of each container here.
    private static final String RUN = "run -d -m 64m --name NAME PROGRAM";

    private static final String ON_NETWORK = "run -d -m 64m --name NAME --network NAME-1 PROGRAM";
    private static final List<String> PROGRAM = List.of("host", "--", "sh", "-c", "echo ready; exec sleep 1000");

    /// A command, what is done before it, and what the container may be after it: nothing if it may not be there.
    enum Moment {
        CREATE("create -m 64m --name NAME PROGRAM", "", ",created"),
        RUN_IN_BACKGROUND(RUN, "", ",created,running"),
        START("start NAME", "create -m 64m --name NAME PROGRAM", "created,running"),
        EXEC("exec NAME sh -c exit", RUN, "running"),
        LOGS("logs -f NAME", RUN, "running"),
        WAIT("wait NAME", RUN, "running"),
        COPY_OUT("cp NAME:/etc/hostname HOME/out", RUN, "running"),
        COPY_IN("cp /etc/services NAME:/tmp/in", RUN, "running"),
        RENAME("rename NAME NAME-2", RUN, "running"),
        UPDATE("update --memory 128m --restart always NAME", RUN, "running"),
        PAUSE("pause NAME", RUN, "running,paused"),
        UNPAUSE("unpause NAME", RUN + "; pause NAME", "running,paused"),
        CONNECT("network connect NAME-2 NAME", ON_NETWORK, "running"),
        DISCONNECT("network disconnect NAME-1 NAME", ON_NETWORK, "running"),
        KILL("kill NAME", RUN, "running,exited"),
        REMOVE("rm -f NAME", RUN, ",running,exited"); // while it is removed it ends first

        private final String line;
        private final String before;
        private final String after;

        Moment(String line, String before, String after) {
            this.line = line;
            this.before = before;
            this.after = after;
        }

        private List<String> linesBefore() {
            return before.isEmpty() ? List.of() : List.of(before.split("; ", -1));
        }

        private List<String> states() {
            return List.of(after.split(",", -1));
        }
    }

    private static final String[] LIST = {"ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}"};

    private String[] words(String line) {
        return Stream.of(line.split(" "))
                .flatMap(word -> word.equals("PROGRAM")
                        ? PROGRAM.stream()
                        : Stream.of(word.replace("NAME", name).replace("HOME", home.toString())))
                .toArray(String[]::new);
    }

    @ParameterizedTest
    @EnumSource
    void a_command_was_carried_out_or_was_not(Moment moment) throws Exception {
        if (moment.before.equals(ON_NETWORK)) {
            assertThat(served("network", "create", name + "-1").status()).isZero();
            assertThat(served("network", "create", name + "-2").status()).isZero();
        }
        for (int round = 0; round < ROUNDS; round++) {
            String as = "round " + round + " of seed " + seed;
            for (String line : moment.linesBefore()) {
                Answer prepared = served(words(line));
                assertThat(prepared.status()).as(prepared + " " + as).isZero();
            }

            boolean ofEngine = round % 2 == 0;
            Process client = start("CAISSON_SERVE=only", words(moment.line));
            TimeUnit.MILLISECONDS.sleep(random.nextInt(MOST_MILLIS));
            (ofEngine ? served.process() : client).destroyForcibly().waitFor();
            assertThat(client.waitFor(20, TimeUnit.SECONDS))
                    .as("the client ends: " + as)
                    .isTrue();
            if (!ofEngine) {
                TimeUnit.SECONDS.sleep(1); // the engine may carry it out yet
            }

            String first = alone(LIST).out().strip();
            if (ofEngine) {
                served = served.again();
            }
            String seen = seen(moment, as);
            assertThat(seen).as(as).startsWith(first);
            Answer removed = served("rm", "-f", name, name + "-2");
            assertThat(removed.out().lines().count()).as(removed + " " + as).isEqualTo(seen.isEmpty() ? 0 : 1);
            assertThat(served("ps", "-aq").out()).as(as).isEmpty();
        }
    }

    /// Returns how it stands, which everybody sees alike: it is gone everywhere, or it has one name, with what the
    /// command says or what was before it.
    private String seen(Moment moment, String as) throws Exception {
        String listed = served(LIST).out().strip();
        if (listed.isEmpty()) {
            assertThat(moment.states()).as(as).contains("");
            assertThat(served("inspect", name).err()).as(as).contains("CONTAINER_UNKNOWN");
            return "";
        }
        String[] parts = listed.split(" ", -1);
        assertThat(parts).as(as).hasSize(3);
        assertThat(parts[1]).as(as).isIn(name, name + "-2");
        assertThat(moment.states()).as(as + ": " + listed).contains(parts[2]);
        String inspected = served(
                        "inspect",
                        "-f",
                        "{{.Id}} {{.Name}} {{.State.Status}} {{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}",
                        parts[0])
                .out()
                .strip();
        String same = parts[0] + " /" + parts[1] + " " + parts[2] + " ";
        assertThat(inspected)
                .as(as)
                .isIn(same + (64 << 20) + " no", same + (128 << 20) + " no", same + (128 << 20) + " always");
        if (parts[2].equals("running")) {
            assertThat(served("exec", parts[1], "true").status()).as(as).isZero();
            assertThat(served("logs", parts[1]).out()).as(as).isEqualTo("ready\n");
        }
        if (moment == Moment.COPY_IN) {
            String copied = served("exec", parts[1], "sh", "-c", "cat /tmp/in 2>/dev/null || true")
                    .out();
            assertThat(Files.readString(Path.of("/etc/services"))).as(as).startsWith(copied);
        }
        return listed + (moment.line.startsWith("network") ? networks(parts[0], as) : "");
    }

    /// Returns the links that it has, which are those of the networks that it is told to be on.
    private String networks(String id, String as) throws Exception {
        String told = served("inspect", "-f", "{{json .NetworkSettings.Networks}}", id)
                .out();
        long networks = Stream.of(name + "-1", name + "-2")
                .filter(network -> told.contains("\"" + network + "\":{"))
                .count();
        long links = served("exec", id, "sh", "-c", "ls /sys/class/net")
                .out()
                .lines()
                .filter(link -> link.startsWith("eth"))
                .count();
        assertThat(links).as(told + " " + as).isEqualTo(networks);
        return " " + networks;
    }
}
