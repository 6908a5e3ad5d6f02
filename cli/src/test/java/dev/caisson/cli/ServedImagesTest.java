package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Builds, pulls and the commands for images, networks, volumes and secrets by a resident engine: they do what they do
/// in a JVM of their own, with what their caller has.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class ServedImagesTest {
    private static final String ONLY = "CAISSON_SERVE=only";
    /// Room for one large command.
    private static final String HEAP = "-Xmx160m";

    private static final String HELPER = """
            #!/bin/sh
            cat >/dev/null
            printf '{"Username":"%s","Secret":"%s"}' "$WHO-by-HERE" "$PWD"
            """;

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
        served = ServedProcess.start(home, List.of(HEAP));
    }

    @AfterAll
    static void end() {
        served.close();
    }

    @AfterEach
    void remove() throws Exception {
        answer("exec \"$@\" rmi -f " + name, served.words());
    }

    /// @param script whose words start the command
    private Answer answer(String script, List<String> words) throws Exception {
        Path errors = Files.createTempFile(directory, "errors", "");
        try {
            Process process = begin(script, words, errors);
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Answer(process.waitFor(), out, Files.readString(errors));
        } finally {
            Files.delete(errors);
        }
    }

    private Process begin(String script, List<String> words, Path errors) throws IOException {
        // a shell's command in the background ignores SIGINT, and so does all that it begins
        var all = new ArrayList<>(List.of("env", "--default-signal=INT", "bash", "-c", script, "bash"));
        all.addAll(words);
        return new ProcessBuilder(all)
                .directory(directory.toFile())
                .redirectError(errors.toFile())
                .start();
    }

    private Answer served(String script) throws Exception {
        return answer(script, served.words(List.of(ONLY)));
    }

    private Answer byJvm(String script) throws Exception {
        var words = new ArrayList<>(List.of("env", "CAISSON_STATE=" + served.state()));
        words.addAll(CommandProcess.ofJvm(List.of()));
        return answer(script, words);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "images none",
                "image ls --format {{.Nothing none",
                "image prune --filter colour=red",
                "tag none other",
                "rmi none",
                "save none",
                "load -i none",
                "commit none other",
                "pull --platform plan9/mips x",
                "login -u me --password-stdin 127.0.0.1:1",
                "logout 127.0.0.1:1",
                "build https://example.com/x.git",
                "network inspect none",
                "network create",
                "volume inspect none",
                "snapshot inspect none",
                "workspace inspect none",
                "secret inspect none",
                "system df --format {{.Type}}",
                "cp none:/x .",
            })
    void a_command_answers_as_in_a_process_of_its_own(String line) throws Exception {
        String script = "exec \"$@\" " + line.replace("{{", "'{{").replace("}}", "}}'");

        assertThat(served(script)).isEqualTo(byJvm(script));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "serve --idle x",
                "audit --help",
                "scan none",
                "info",
                "up --help",
                "plan run host true",
                "completion bash",
                "secret create none none",
                "secret rotate none none",
                "secret unlock --for x",
                "secret init --help",
                "secret rekey --help",
                "secret canary --help",
                "system info"
            })
    void what_is_not_served_says_so(String line) throws Exception {
        assertThat(served("exec \"$@\" " + line).err()).contains("SERVE_REFUSED", "a process of its own");
    }

    /// All that a build takes of its caller: directory, variables, standard input, files by relative paths, terminal.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"$@\" build -q -t NAME --iidfile id --metadata-file facts --build-arg FROM_CALLER ctx; cat id facts",
                "\"$@\" build --progress plain --no-cache ctx 2>&1 | sed 's/ [0-9.]*s$//; s/^\\(#[0-9]*\\) [0-9.]* /\\1 /'",
                "cd ctx; \"$@\" build -q -f ../ctx/Dockerfile .",
                "\"$@\" build -q - <ctx/Empty; echo $?",
                "tar -C ctx -c . | \"$@\" build -q --build-arg FROM_CALLER=b -",
                "\"$@\" build -q -f - ctx <ctx/Dockerfile",
                "\"$@\" build -o out --build-arg FROM_CALLER ctx 2>/dev/null; ls -lnR --time-style=+ out; rm -r out",
                "\"$@\" build -o - ctx 2>/dev/null | tar -tv",
                "\"$@\" build -f ctx/Bad ctx",
                "\"$@\" build -f ctx/Missing ctx 2>&1 | sed 's/ [0-9.]*s$//'",
                "HOME=/nowhere \"$@\" build --cache-to type=local,dest=cache -q ctx; ls cache | wc -l",
                "\"$@\" build -q -f ctx/Secret --secret id=s,src=ctx/b.txt --secret id=v,env=FROM_CALLER ctx",
            })
    void a_build_takes_all_of_its_caller(String script) throws Exception {
        Path context = Files.createDirectory(directory.resolve("ctx"));
        Files.writeString(context.resolve("a.txt"), "one\n");
        Files.writeString(context.resolve("b.txt"), "two\n");
        Files.writeString(context.resolve(".dockerignore"), "b.txt\n");
        Files.writeString(
                context.resolve("Dockerfile"),
                "FROM scratch\nARG FROM_CALLER=none\nLABEL from=$FROM_CALLER\nCOPY . /here/\nWORKDIR /there\n");
        Files.writeString(context.resolve("Empty"), "FROM scratch\nLABEL a=b\nWORKDIR /x\n");
        Files.writeString(context.resolve("Bad"), "FROM scratch\nCOPPY a b\n");
        Files.writeString(context.resolve("Missing"), "FROM scratch\nCOPY b.txt /\n");
        Files.writeString(context.resolve("Secret"), "FROM scratch\nCOPY a.txt /x\nLABEL a=c\nWORKDIR /y\n");
        String whole = "export SOURCE_DATE_EPOCH=1700000000 FROM_CALLER=caller; " + script.replace("NAME", name);

        Answer expected = byJvm(whole);

        assertThat(expected.out() + expected.err()).isNotEmpty();
        assertThat(served(whole)).isEqualTo(expected);
    }

    @Test
    void a_run_of_a_build_sees_its_mounts_and_nothing_of_the_engine_s_environment() throws Exception {
        Path context = Files.createDirectory(directory.resolve("ctx"));
        Files.writeString(context.resolve("a.txt"), "from the context\n");
        Path root = Files.createDirectory(directory.resolve("root"));
        Files.createDirectory(root.resolve("bin"));
        Files.copy(Path.of("/bin/busybox"), root.resolve("bin/busybox"));
        Files.createLink(root.resolve("bin/sh"), root.resolve("bin/busybox"));
        Files.writeString(
                context.resolve("Dockerfile"),
                "FROM " + name + "-base\n"
                        + "RUN --mount=type=bind,target=/ctx --mount=type=secret,id=s,target=/s,required=true "
                        + "busybox cat /ctx/a.txt /s >/seen; busybox env >/env\n");

        Answer built = served("tar -C root -c . | \"$@\" import - " + name + "-base >/dev/null; echo hush >secret; "
                + "\"$@\" build --no-cache -q -t " + name + " --secret id=s,src=secret ctx >/dev/null && "
                + "\"$@\" run --rm " + name + " /bin/busybox cat /seen /env; \"$@\" rmi -f " + name
                + "-base >/dev/null");

        assertThat(built.err()).isEmpty();
        assertThat(built.out()).startsWith("from the context\nhush\n").doesNotContain("CAISSON");
    }

    // ---- logins

    private Path helper(String caller, String directoryName) throws IOException {
        Path own = Files.createDirectories(directory.resolve(caller));
        Path config = Files.createDirectories(own.resolve(".docker"));
        Files.writeString(config.resolve("config.json"), "{\"credsStore\":\"who\"}");
        Path bin = Files.createDirectories(own.resolve(directoryName));
        Path helper = bin.resolve("docker-credential-who");
        Files.writeString(helper, HELPER.replace("HERE", caller));
        Files.setPosixFilePermissions(helper, PosixFilePermissions.fromString("rwxr-xr-x"));
        return bin;
    }

    @Test
    void callers_at_once_have_each_their_own_logins_and_helpers() throws Exception {
        try (var registry = new SmallRegistry();
                ServedProcess roomy =
                        ServedProcess.start(Files.createDirectory(directory.resolve("roomy")), List.of())) {
            registry.layers.release(1000);
            var callers = new ArrayList<Process>();
            for (String caller : List.of("one", "two", "three")) {
                Path bin = helper(caller, "bin");
                String script = "export WHO=" + caller + " HOME=" + directory.resolve(caller) + " PATH=" + bin
                        + ":$PATH\n" + "for i in 1 2 3 4 5 6; do \"$@\" pull -q " + registry.name() + "/" + caller
                        + ":$i || exit; done";
                callers.add(begin(script, roomy.words(List.of(ONLY)), directory.resolve(caller + ".err")));
            }
            for (Process caller : callers) {
                assertThat(caller.waitFor()).isZero();
            }

            assertThat(registry.asked)
                    .hasSizeGreaterThan(12)
                    .allSatisfy(asked ->
                            assertThat(asked.user()).isEqualTo(asked.repository() + "-by-" + asked.repository()));
            answer(
                    "\"$@\" images --format '{{.Repository}}:{{.Tag}}' | grep ^" + registry.name()
                            + " | xargs \"$@\" rmi",
                    roomy.words());
        }
    }

    /// A relative directory of PATH is one of the caller's directory, and a helper begins there.
    @Test
    void a_helper_is_found_and_begins_where_its_caller_is() throws Exception {
        helper("me", "bin");
        try (var registry = new SmallRegistry()) {
            String script =
                    "cd me; export WHO=me HOME=$PWD PATH=bin:$PATH LD_PRELOAD= LD_LIBRARY_PATH=/x; exec \"$@\" ";
            registry.layers.release(1);

            assertThat(served(script + "pull -q " + registry.name() + "/me:1").err())
                    .isEmpty();

            assertThat(registry.asked)
                    .allSatisfy(asked -> assertThat(asked.user()).isEqualTo("me-by-me"));
            assertThat(served("exec \"$@\" rmi " + registry.name() + "/me:1").status())
                    .isZero();
        }
    }

    @Test
    void a_login_is_kept_in_the_file_of_its_caller() throws Exception {
        try (var registry = new SmallRegistry()) {
            String script = "export HOME=$PWD DOCKER_CONFIG=$PWD/cfg; echo hush | \"$@\" login -u me --password-stdin "
                    + registry.name() + "; stat -c '%a %U' cfg cfg/config.json; cat cfg/config.json; \"$@\" logout "
                    + registry.name() + "; cat cfg/config.json; rm -r cfg";

            Answer expected = byJvm(script);

            assertThat(expected.out()).contains("Login Succeeded", "600 root", "700 root", "auth");
            assertThat(served(script)).isEqualTo(expected);
            assertThat(served("export DOCKER_CONFIG=cfg; exec \"$@\" logout").err())
                    .contains("SERVE_REFUSED", "relative");
        }
    }

    // ---- ends

    private void awaitServed(int clients) throws Exception {
        long begun = System.nanoTime();
        while (clients() != clients) {
            assertThat(System.nanoTime() - begun)
                    .as("%d clients in place of %d", clients(), clients)
                    .isLessThan(TimeUnit.SECONDS.toNanos(30));
            Thread.sleep(20);
        }
    }

    private long clients() throws IOException {
        try (Stream<Path> files =
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

    private static Set<String> threads(ServedProcess served) throws IOException {
        var names = new HashSet<String>();
        try (Stream<Path> tasks =
                Files.list(Path.of("/proc", Long.toString(served.process().pid()), "task"))) {
            for (Path task : tasks.toList()) {
                names.add(Files.readString(task.resolve("comm")).strip());
            }
        }
        return names;
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "KILL", "TERM", "HUP"})
    void a_pull_ends_with_its_caller_and_the_next_one_goes_on(String signal) throws Exception {
        try (var registry = new SmallRegistry()) {
            String config = "mkdir -p cfg; printf '{\"auths\":{\"" + registry.name()
                    + "\":{\"auth\":\"bWU6aHVzaA==\"}}}' >cfg/config.json; export DOCKER_CONFIG=$PWD/cfg; exec \"$@\" ";
            String image = registry.name() + "/" + name + ":1";
            Path errors = directory.resolve("pull.err");
            Process pull = begin(config + "pull " + image, served.words(List.of(ONLY)), errors);
            assertThat(registry.begun.tryAcquire(60, TimeUnit.SECONDS))
                    .as("half a layer")
                    .isTrue();

            new ProcessBuilder("kill", "-" + signal, Long.toString(pull.pid()))
                    .start()
                    .waitFor();

            assertThat(pull.waitFor()).isGreaterThan(128);
            awaitServed(0);
            assertThat(Files.readString(errors)).isEmpty();
            assertThat(served("exec \"$@\" images -q " + registry.name() + "/" + name)
                            .out())
                    .isEmpty();
            registry.layers.release(10);
            assertThat(served(config + "pull -q " + image)).isEqualTo(new Answer(0, image + "\n", ""));
            assertThat(served("exec \"$@\" rmi " + image).status()).isZero();
        }
    }

    @Test
    void the_memory_of_a_command_is_free_once_its_caller_knows_the_end() throws Exception {
        Answer answer = served("for i in $(seq 150); do \"$@\" load -i none; done");

        assertThat(answer.err().lines()).hasSize(150).allMatch(line -> line.startsWith("caisson: FILE_NOT_READ: "));
    }

    @Test
    void a_command_for_which_there_is_no_memory_runs_by_itself() throws Exception {
        try (var registry = new SmallRegistry()) {
            String config = "mkdir -p cfg; printf '{\"auths\":{\"" + registry.name()
                    + "\":{\"auth\":\"bWU6aHVzaA==\"}}}' >cfg/config.json; export DOCKER_CONFIG=$PWD/cfg; exec \"$@\" ";
            String image = registry.name() + "/" + name + ":1";
            Process pull =
                    begin(config + "pull -q " + image, served.words(List.of(ONLY)), directory.resolve("pull.err"));
            assertThat(registry.begun.tryAcquire(60, TimeUnit.SECONDS))
                    .as("half a layer")
                    .isTrue();

            assertThat(served("exec \"$@\" load -i none").err()).contains("SERVE_REFUSED", "its memory is taken");
            assertThat(served("exec \"$@\" image verify none").err()).contains("SERVE_REFUSED", "its memory is taken");
            assertThat(answer("exec \"$@\" load -i none", served.words()).err()).contains("FILE_NOT_READ");
            assertThat(served("exec \"$@\" images -q none").status()).isZero();

            registry.layers.release(10);
            assertThat(pull.waitFor()).isZero();
            assertThat(served("exec \"$@\" load -i none").err()).contains("FILE_NOT_READ");
            assertThat(served("exec \"$@\" rmi " + image).status()).isZero();
        }
    }

    /// The variables are as many and as long as they may be.
    @Test
    void memory_that_runs_out_ends_that_command_alone() throws Exception {
        var lines = new StringBuilder("FROM scratch\nARG A=")
                .append("b".repeat(130_000))
                .append('\n');
        for (int i = 0; i < 900; i++) { // what their values may have together is more than this engine's heap has left
            lines.append("ENV A").append(i).append("=$A-").append(i).append('\n');
        }
        Path context = Files.createDirectory(directory.resolve("context"));
        Files.writeString(context.resolve("Dockerfile"), lines);
        try (ServedProcess small = ServedProcess.start(directory.resolve("small"), List.of("-Xmx40m"))) {
            List<String> words = small.words(List.of(ONLY));

            Answer answer = answer("exec \"$@\" build -q context", words);

            assertThat(answer.err()).contains("OutOfMemoryError");
            assertThat(answer.status()).isEqualTo(1);
            assertThat(answer("exec \"$@\" version", words).status()).isZero();
            assertThat(answer("exec \"$@\" images -q none", words).status()).isZero();
            assertThat(threads(small)).contains("caisson-command");
        }
    }
}
