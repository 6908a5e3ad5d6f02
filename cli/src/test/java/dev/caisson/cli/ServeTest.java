package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Commands that a resident engine runs: they do what they do in a JVM of their own, and have all of their caller.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class ServeTest {
    private static final String ONLY = "CAISSON_SERVE=only";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path home;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    @SuppressWarnings("NullAway.Init")
    private static ServedProcess served;

    private final String name = "served-" + ContainerId.random().shortForm();

    @BeforeAll
    static void serve() {
        served = ServedProcess.start(home);
    }

    @AfterAll
    static void end() {
        served.close();
    }

    @AfterEach
    void remove() throws Exception {
        answer(served.words("rm", "-f", name));
    }

    private Answer answer(List<String> words) throws Exception {
        return answer("exec \"$@\"", words);
    }

    /// @param script whose words start the command
    private Answer answer(String script, List<String> words) throws Exception {
        Path errors = Files.createTempFile(directory, "errors", "");
        var all = new ArrayList<>(List.of("bash", "-c", script, "bash"));
        all.addAll(words);
        Process process = new ProcessBuilder(all)
                .directory(directory.toFile())
                .redirectError(errors.toFile())
                .start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Answer(process.waitFor(), out, Files.readString(errors));
    }

    private Answer served(String... arguments) throws Exception {
        return answer(served.words(List.of(ONLY), arguments));
    }

    private static List<String> byJvm(String... arguments) {
        var words = new ArrayList<>(List.of("env", "CAISSON_STATE=" + served.state()));
        words.addAll(CommandProcess.ofJvm(List.of("-Dcaisson.terminal="), arguments));
        return words;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "version",
                "ps",
                "ps -a --format json",
                "ps --filter colour=red",
                "run --rm host -- sh -c printf%so;printf%se>&2;exit%s7",
                "run --rm host -- sh -c kill%s-TERM%s$$",
                "run --rm host no-such-program",
                "run --no-such-option host true",
                "run --rm -t host true",
                "run --help",
                "exec none true",
                "logs none",
                "inspect none",
                "wait none",
                "stop none",
                "rm none",
                "container ls -q",
                "container prune -f --filter name=none",
                "stats --no-stream --interval 100ms",
                "events --since 1h --until 0s --filter event=none",
                "verify none",
                "top none",
                "rename none other",
                "update -m 1g none"
            })
    void a_command_answers_as_in_a_process_of_its_own(String line) throws Exception {
        String[] words = line.split(" ");
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i].replace("%s", " ");
        }

        assertThat(served(words)).isEqualTo(answer(byJvm(words)));
    }

    @Test
    void a_container_in_the_background_is_seen_by_both_and_outlives_the_engine_that_made_it() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"));
        try (ServedProcess shortLived = ServedProcess.start(other)) {
            assertThat(answer(shortLived.words(List.of(ONLY), "run", "-d", "--name", name, "host", "sleep", "1000"))
                            .status())
                    .isZero();
            shortLived.end();
            var jvm = new ArrayList<>(List.of("env", "CAISSON_STATE=" + shortLived.state()));
            jvm.addAll(CommandProcess.ofJvm(List.of(), "ps", "--format", "{{.Names}} {{.State}}"));
            assertThat(answer(jvm).out()).isEqualTo(name + " running\n");
            assertThat(answer(shortLived.words("rm", "-f", name)).out()).isEqualTo(name + "\n");
            assertThat(shortLived.state().resolve("serve/socket")).doesNotExist();
        }
    }

    @Test
    void paths_variables_and_bytes_are_the_callers() throws Exception {
        Answer answer = answer(
                "export FROM_CALLER=$'\\xe4' CAISSON_CALLER_FROM_CALLER=no; printf 'IN_FILE=file\\n' > $'vars\\xf6'\n"
                        + "exec \"$@\" run --rm -e FROM_CALLER --env-file $'vars\\xf6' -v \"$PWD:/here:ro\" -v ./:/there:ro host --"
                        + " sh -c 'echo $IN_FILE; ls /here /there | cat -v; printf \"$FROM_CALLER\" | od -An -tx1'",
                served.words(List.of(ONLY)));

        assertThat(answer.err()).isEmpty();
        assertThat(answer.out()).contains("file\n", "varsM-v", " e4\n").doesNotContain("no");
        assertThat(answer.status()).isZero();
    }

    /// A JVM does not start there.
    @Test
    void a_directory_that_is_gone_is_told_as_that() throws Exception {
        String script = "mkdir gone; cd gone; rmdir ../gone; exec \"$@\" run --rm -v ./x:/x host true";

        Answer answer = answer(script, served.words(List.of(ONLY)));

        assertThat(answer.err())
                .contains("MOUNT_INVALID", "the working directory is gone")
                .hasLineCount(1);
        assertThat(answer.status()).isEqualTo(125);
    }

    /// What belongs to a process and cannot be handed over keeps the command away from the engine.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "umask 077; exec \"$@\"",
                "export TZ=Asia/Tokyo; exec \"$@\"",
                "exec nice -n 3 \"$@\"",
                "exec taskset 1 \"$@\"",
                "ulimit -f 1000; exec \"$@\"",
                "exec setpriv --bounding-set=-sys_boot \"$@\"",
                "exec unshare -m \"$@\"",
                "exec \"$@\" -f label=a=/dev/fd/3",
                "cd /proc; exec \"$@\"",
                "export CAISSON_STATE=/proc/none; exec \"$@\"",
                "export CAISSON_CGROUP_DRIVER=wrong; exec \"$@\""
            })
    void a_caller_that_differs_from_the_engine_is_not_served(String script) throws Exception {
        assertThat(answer(script, served.words(List.of(ONLY), "ps"))).satisfies(answer -> {
            boolean ofStateAlone = script.contains("CAISSON_STATE"); // set again by the words
            assertThat(answer.status()).isEqualTo(ofStateAlone ? 0 : 125);
            assertThat(answer.err()).contains(ofStateAlone ? "" : "SERVE_REFUSED");
        });
    }

    @Test
    void what_is_not_served_is_run_by_a_process_of_its_own() throws Exception {
        Answer answer = answer(
                "umask 077; exec \"$@\" run -d --cidfile id --name " + name + " --env-file <(echo A=b) host sleep 1000",
                served.words());

        assertThat(answer.err()).isEmpty();
        assertThat(Files.getPosixFilePermissions(directory.resolve("id"))).hasSize(2);
        assertThat(served("inspect", "-f", "{{json .Config.Env}}", name).out()).contains("A=b");
        assertThat(answer(served.words(List.of(ONLY), "seccomp", "compile", "strict"))
                        .err())
                .contains("SERVE_REFUSED", "a process of its own");
        assertThat(answer(served.words("seccomp", "compile", "strict")).status())
                .isZero();
        assertThat(answer(served.words(List.of("CAISSON_SERVE=off"), "version")).out())
                .startsWith("caisson ");
    }

    @Test
    void another_build_and_newer_sources_are_not_served() throws Exception {
        var words = new ArrayList<>(served.words(List.of(ONLY), "version"));
        words.set(words.indexOf("build-of-test"), "another-build");
        assertThat(answer(words).err()).contains("SERVE_REFUSED", "another build");

        Files.createFile(served.source());
        try {
            assertThat(served("version").err()).contains("SERVE_REFUSED", "newer");
            assertThat(answer(served.words("version")).status()).isZero();
        } finally {
            Files.delete(served.source());
        }
        assertThat(served("version").status()).isZero();
    }

    @Test
    void closed_streams_are_no_files_of_the_engine() throws Exception {
        assertThat(answer("exec \"$@\" run --rm -i host cat <&-", served.words(List.of(ONLY))))
                .isEqualTo(new Answer(0, "", ""));
        assertThat(answer(
                        "exec \"$@\" run --rm host -- sh -c 'echo lost; echo kept >&2' >&-",
                        served.words(List.of(ONLY))))
                .isEqualTo(new Answer(0, "", "kept\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"version", "run --rm host -- yes", "run --rm host -- sh -c exit"})
    void lost_output_is_told_as_by_a_process_of_its_own(String command) throws Exception {
        for (String to : List.of(">/dev/full", "| true; exit ${PIPESTATUS[0]}")) {
            String script = "\"$@\" " + to;
            assertThat(answer(script, served.words(List.of(ONLY), command.split(" "))))
                    .isEqualTo(answer(script, byJvm(command.split(" "))));
        }
    }

    /// A regular file is written where the caller's descriptor is, which others share.
    @Test
    void output_to_files_pipes_and_sockets_arrives_in_order() throws Exception {
        Answer answer = answer(
                "{ echo before; \"$@\" version; echo after; } 1<>file; wc -l <file; head -1 file; tail -1 file\n"
                        + "\"$@\" run --rm host -- sh -c 'seq 200000' | tail -1",
                served.words(List.of(ONLY)));

        assertThat(answer.err()).isEmpty();
        assertThat(answer.out()).isEqualTo("5\nbefore\nafter\n200000\n");
    }

    @Test
    void signals_end_a_command_that_takes_none_as_they_end_a_process() throws Exception {
        assertThat(served("run", "-d", "--name", name, "host", "sleep", "1000").status())
                .isZero();
        Process logs = new ProcessBuilder(served.words(List.of(ONLY), "logs", "-f", name))
                .directory(directory.toFile())
                .start();
        awaitServed(1);

        logs.destroy(); // SIGTERM

        assertThat(logs.waitFor()).isEqualTo(128 + 15);
        awaitServed(0);
    }

    private void awaitServed(int clients) throws Exception {
        long begun = System.nanoTime();
        while (clients() != clients) {
            assertThat(System.nanoTime() - begun)
                    .as("%d clients in place of %d", clients(), clients)
                    .isLessThan(TimeUnit.SECONDS.toNanos(60));
            Thread.sleep(20);
        }
    }

    /// The engine has the working directory of each client open.
    private long clients() throws IOException {
        try (var files =
                Files.list(Path.of("/proc", Long.toString(served.process().pid()), "fd"))) {
            return files.filter(this::isDirectoryOfAClient).count();
        }
    }

    private boolean isDirectoryOfAClient(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).equals(directory);
        } catch (IOException e) {
            return false; // closed by now
        }
    }

    @Test
    void the_front_end_blocks_the_signals_that_the_launcher_blocks() throws Exception {
        var front = served.words().get(served.words().indexOf("build-of-test") - 2);
        Answer blocked = answer(List.of(
                "env",
                "--block-signal=" + CommandProcess.passedOn(),
                "sed",
                "-n",
                "s/SigBlk:\t//p",
                "/proc/self/status"));

        assertThat(answer(List.of(front, "--signals"))).isEqualTo(blocked);
    }

    @Test
    void a_second_engine_for_a_directory_is_refused() throws Exception {
        var words = new ArrayList<>(List.of("env", "CAISSON_STATE=" + served.state()));
        words.addAll(
                CommandProcess.ofJvm(List.of("-Dcaisson.home=" + home.resolve(".caisson/build-of-test")), "serve"));

        Answer answer = answer(words);

        assertThat(answer.status()).isEqualTo(125);
        assertThat(answer.err()).startsWith("caisson: SERVE_RUNNING: ");
        assertThat(served("version").status()).isZero();
    }
}
