package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.State;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Clients of the resident engine that misbehave or are killed, and the engine itself killed in the middle of commands.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class ServedClientsTest {
    private static final String ONLY = "CAISSON_SERVE=only";
    private static final int HELLO_BYTES = 76;
    private static final int VERSION = 2;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private final String name = "client-" + ContainerId.random().shortForm();
    private final List<Process> started = new ArrayList<>();

    @SuppressWarnings("NullAway.Init")
    private ServedProcess served;

    @BeforeEach
    void serve() throws Exception {
        served = ServedProcess.start(home);
    }

    @AfterEach
    void end() throws Exception {
        started.forEach(Process::destroyForcibly);
        assertThat(start("CAISSON_SERVE=off", "rm", "-f", name).waitFor()).isZero();
        served.close();
        assertThat(start("CAISSON_SERVE=off", "ps").waitFor()).isZero(); // clears what a killed engine has left
        String groups = State.cgroupParent(served.state());
        try (DirectoryStream<Path> left = Files.newDirectoryStream(Path.of("/sys/fs/cgroup"))) {
            assertThat(left).noneMatch(hierarchy -> Files.exists(hierarchy.resolve(groups)));
        }
    }

    private Process start(String variable, String... words) throws IOException {
        return start(served.words(List.of(variable), words));
    }

    private Process start(List<String> words) throws IOException {
        Process process =
                new ProcessBuilder(words).directory(directory.toFile()).start();
        started.add(process);
        return process;
    }

    private static String output(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static String errors(Process process) throws IOException {
        return new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private String listed() throws Exception {
        Process ps = start("CAISSON_SERVE=off", "ps", "--format", "{{.Names}} {{.State}}");
        String out = output(ps);
        assertThat(ps.waitFor()).isZero();
        return out;
    }

    /// The engine has the working directory of each client open.
    private void awaitServed(int clients) throws Exception {
        long begun = System.nanoTime();
        while (clients() != clients) {
            assertThat(System.nanoTime() - begun)
                    .as("%d clients in place of %d", clients(), clients)
                    .isLessThan(TimeUnit.SECONDS.toNanos(60));
            Thread.sleep(20);
        }
    }

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

    private void runsInBackground() throws Exception {
        Process run = start(
                ONLY,
                "run",
                "-d",
                "-i",
                "--name",
                name,
                "host",
                "--",
                "sh",
                "-c",
                "trap '' TERM; echo ready; sleep 1000");
        assertThat(run.waitFor()).as(errors(run)).isZero();
        long begun = System.nanoTime();
        while (!output(start(ONLY, "logs", name)).equals("ready\n")) { // until then it ends by SIGTERM
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(60));
        }
    }

    private void stillServes() throws Exception {
        Process version = start(ONLY, "version");
        assertThat(output(version)).startsWith("caisson ");
        assertThat(version.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"logs -f NAME", "events", "wait NAME", "attach NAME", "exec -i NAME cat", "stop -t 1000 NAME"})
    void a_command_that_waits_ends_with_its_client(String line) throws Exception {
        runsInBackground();
        Process client = start(ONLY, line.replace("NAME", name).split(" "));
        awaitServed(1);
        Thread.sleep(300); // it waits by then

        client.destroyForcibly();

        awaitServed(0);
        stillServes();
        assertThat(listed()).isEqualTo(name + " running\n");
    }

    @Test
    void a_client_that_is_killed_ends_its_run() throws Exception {
        Process client = start(ONLY, "run", "--rm", "--name", name, "host", "--", "sh", "-c", "echo ready; sleep 1000");
        assertThat(client.inputReader().readLine()).isEqualTo("ready");

        client.destroyForcibly();

        awaitServed(0);
        assertThat(listed()).isEmpty();
    }

    /// Whoever writes to them waits in the engine, in a thread that nobody else needs.
    @Test
    void clients_that_read_nothing_hold_up_nobody_and_are_let_go() throws Exception {
        for (int i = 0; i < 12; i++) {
            start(ONLY, "run", "--rm", "-i", "host", "--", "sh", "-c", "yes & yes >&2 & cat");
        }
        awaitServed(12);
        Thread.sleep(1000); // their pipes are full by then

        stillServes();
        Process echo = start(ONLY, "run", "--rm", "host", "echo", "hello");
        assertThat(output(echo)).isEqualTo("hello\n");
        started.forEach(Process::destroyForcibly);

        awaitServed(0);
        assertThat(listed()).isEmpty();
    }

    @Test
    void two_hundred_at_once_are_all_answered() throws Exception {
        runsInBackground();
        var clients = new ArrayList<Process>();
        for (int i = 0; i < 200; i++) {
            clients.add(start(ONLY, "ps", "-q", "--filter", "name=" + name));
        }
        for (Process client : clients) {
            assertThat(output(client)).as(errors(client)).matches("[0-9a-f]{12}\n");
            assertThat(client.waitFor()).isZero();
        }
        awaitServed(0);
    }

    private Fd connect() {
        try (Fd below = FileSystem.open(served.state().resolve("serve").toString(), FileSystem.O_PATH)) {
            return Sockets.connect(below, "socket");
        }
    }

    @Test
    void too_many_are_refused_and_run_by_themselves() throws Exception {
        var idle = new ArrayList<Fd>();
        for (int i = 0; i < 256; i++) {
            idle.add(connect());
        }
        Process refused = start(ONLY, "version");
        assertThat(errors(refused)).contains("SERVE_REFUSED", "too many");
        Process alone = start("CAISSON_SERVE=", "version");
        assertThat(output(alone)).startsWith("caisson ");
        idle.forEach(Fd::close);

        Thread.sleep(500);

        stillServes();
    }

    private static byte[] message(int op, int version, byte[] payload) {
        return ByteBuffer.allocate(8 + payload.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) op)
                .putShort((short) version)
                .putInt(0)
                .put(payload)
                .array();
    }

    private static byte[] hello(int arguments, int variables, int bytes) {
        return ByteBuffer.allocate(HELLO_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("build-of-test".getBytes(StandardCharsets.US_ASCII))
                .position(64)
                .putInt(arguments)
                .putInt(variables)
                .putInt(bytes)
                .array();
    }

    private static boolean isHungUpOn(Fd socket) {
        Sockets.receiveTimeout(socket, 5000);
        try (Sockets.Message answer = Sockets.receive(socket, 40_000)) {
            return answer.isEnd();
        }
    }

    @Test
    void whoever_does_not_keep_to_the_protocol_is_hung_up_on() throws Exception {
        byte[] text = "ps\0A=b\0".getBytes(StandardCharsets.US_ASCII);
        var random = new Random(20_261_127);
        var noise = new byte[4096];
        random.nextBytes(noise);
        List<List<byte[]>> conversations = List.of(
                List.of(noise),
                List.of(new byte[] {1}),
                List.of(message(1, VERSION - 1, hello(1, 1, 7))),
                List.of(message(1, VERSION, hello(-1, 1, 7))),
                List.of(message(1, VERSION, hello(1, 1, Integer.MAX_VALUE))),
                List.of(message(1, VERSION, hello(70_000, 1, 80_000))),
                List.of(message(1, VERSION, hello(5, 5, 7))),
                List.of(message(1, VERSION, new byte[HELLO_BYTES - 1])),
                List.of(message(1, VERSION, new byte[HELLO_BYTES + 8193])),
                List.of(message(1, VERSION, hello(1, 1, 7)), message(2, VERSION, noise)),
                List.of(message(1, VERSION, hello(1, 1, 7)), message(3, VERSION, text)),
                List.of(message(1, VERSION, hello(2, 1, 7)), message(2, VERSION, text)),
                List.of(
                        message(1, VERSION, hello(1, 1, 6)),
                        message(2, VERSION, "ps\0A=b".getBytes(StandardCharsets.US_ASCII))),
                List.of(message(3, VERSION, new byte[0])));
        try (Fd file = FileSystem.open(directory.toString(), FileSystem.O_PATH)) {
            List<Fd> four = List.of(file, file, file, file);
            for (List<byte[]> conversation : conversations) {
                try (Fd socket = connect()) {
                    try {
                        Sockets.send(socket, conversation.getFirst(), four);
                        for (byte[] more : conversation.subList(1, conversation.size())) {
                            Sockets.send(socket, more, List.of());
                        }
                    } catch (ErrnoException e) {
                        assertThat(Sockets.isClosed(e)).as(e.getMessage()).isTrue();
                    }
                    assertThat(isHungUpOn(socket))
                            .as("conversation %d", conversations.indexOf(conversation))
                            .isTrue();
                }
            }
            for (List<Fd> others : List.of(List.<Fd>of(), List.of(file), List.of(file, file, file, file, file))) {
                try (Fd socket = connect()) {
                    Sockets.send(socket, message(1, VERSION, hello(1, 1, 7)), others);
                    assertThat(isHungUpOn(socket)).isTrue();
                }
            }
        }
        awaitServed(0);
        stillServes();
    }

    @Test
    void a_client_that_says_nothing_is_let_go() throws Exception {
        try (Fd socket = connect()) {
            Sockets.receiveTimeout(socket, 20_000);
            try (Sockets.Message answer = Sockets.receive(socket, 100)) {
                assertThat(answer.isEnd()).isTrue();
            }
        }
    }

    /// Also where somebody has opened the directory to all.
    @Test
    void only_root_is_served() throws Exception {
        List<String> asNobody = new ArrayList<>(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
        String script =
                "use Socket; socket(S, AF_UNIX, 5, 0) or die; connect(S, pack_sockaddr_un($ARGV[0])) or die qq($!\\n);"
                        + " sysread(S, $x, 10) == 0 or die qq(answered\\n); print qq(hung up\\n)";
        asNobody.addAll(List.of(
                "perl", "-e", script, served.state().resolve("serve/socket").toString()));

        assertThat(errors(start(asNobody))).isEqualTo("Permission denied\n");

        for (Path open : List.of(
                home,
                served.state(),
                served.state().resolve("serve"),
                served.state().resolve("serve/socket"))) {
            assertThat(new ProcessBuilder("chmod", "0777", open.toString())
                            .start()
                            .waitFor())
                    .isZero();
        }
        assertThat(output(start(asNobody))).isEqualTo("hung up\n");
        Process open = start(ONLY, "version");
        assertThat(errors(open)).contains("SERVE_REFUSED", "none listens"); // anybody could listen there
        assertThat(new ProcessBuilder("chmod", "-R", "go=", served.state().toString())
                        .start()
                        .waitFor())
                .isZero();
        stillServes();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "run --rm host -- sh -c echo%sready;sleep%s1000",
                "exec NAME sh -c echo%sready;exec%ssleep%s1000",
                "logs -f NAME"
            })
    void the_engine_killed_in_the_middle_leaves_what_a_killed_client_leaves(String line) throws Exception {
        runsInBackground();
        String[] words = line.replace("NAME", name).split(" ");
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i].replace("%s", " ");
        }
        Process client = start(ONLY, words);
        assertThat(client.inputReader().readLine()).isEqualTo("ready");

        served.process().destroyForcibly().waitFor();

        assertThat(errors(client)).startsWith("caisson: SERVE_GONE: ").hasLineCount(1);
        assertThat(client.waitFor()).isEqualTo(125);
        Process alone = start("CAISSON_SERVE=", "version"); // nobody listens at the socket that is left
        assertThat(output(alone)).startsWith("caisson ");
        assertThat(listed()).isEqualTo(name + " running\n");
        Process top = start("CAISSON_SERVE=off", "top", name);
        assertThat(output(top).lines().skip(1)).hasSize(3); // its first process, its program and what that started
    }

    /// Each of them waits in the engine for a program that does not end.
    @ParameterizedTest
    @ValueSource(strings = {"stop -t 600 NAME", "restart -t 600 NAME", "attach NAME"})
    void the_engine_killed_while_a_command_waits_leaves_the_container_as_it_was(String line) throws Exception {
        runsInBackground();
        Process client = start(ONLY, line.replace("NAME", name).split(" "));
        awaitServed(1);

        served.process().destroyForcibly().waitFor();

        // it may not have told yet that it takes the command
        assertThat(errors(client)).matches("caisson: SERVE_(GONE|REFUSED): .*\n");
        assertThat(client.waitFor()).isEqualTo(125);
        assertThat(listed()).isEqualTo(name + " running\n");
        Process remove = start("CAISSON_SERVE=off", "rm", "-f", name);
        assertThat(output(remove)).isEqualTo(name + "\n");
        assertThat(listed()).isEmpty();
    }

    @Test
    void an_engine_that_is_asked_to_end_takes_its_runs_along_and_the_next_one_serves() throws Exception {
        runsInBackground();
        Process client = start(ONLY, "run", "--rm", "host", "--", "sh", "-c", "echo ready; sleep 1000");
        assertThat(client.inputReader().readLine()).isEqualTo("ready");

        served.process().destroy();

        assertThat(served.process().waitFor()).isZero();
        assertThat(client.waitFor()).isEqualTo(125);
        assertThat(listed()).isEqualTo(name + " running\n");
    }
}
