package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.TerminalSize;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One more program in a container that runs.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ExecTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("exec"), Path.of("/var/lib/caisson-test"));
    private static final ContainerSpec SLEEP = ContainerSpec.of(Image.host(), "sleep", "1000");

    private static Engine engine;
    private static Container box;

    @BeforeAll
    static void open() throws InterruptedException {
        engine = Engine.open(OPTIONS);
        box = engine.start(
                ContainerSpec.of(Image.host(), "sh", "-c", "echo made >/tmp/file; exec sleep 1000")
                        .environment("COLOUR", "blue")
                        .workingDirectory("/tmp")
                        .hostName("boxed"),
                Streams.capture());
        while (!box.exec(Exec.of("cat", "/tmp/file")).stdout().equals("made\n")) {
            Thread.sleep(5);
        }
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static ExecResult sh(String script) throws InterruptedException {
        return box.exec(Exec.of("sh", "-c", script));
    }

    /// How many processes of a container have this as an argument.
    private static int running(Container container, int argument) throws InterruptedException {
        // a pattern that is not what it finds, so that grep does not count itself
        String pattern = "[" + Integer.toString(argument).charAt(0) + "]"
                + Integer.toString(argument).substring(1);
        String counted = container
                .exec(Exec.of("sh", "-c", "grep -lxz '" + pattern + "' /proc/[0-9]*/cmdline 2>/dev/null | wc -l"))
                .stdout();
        return Integer.parseInt(counted.strip());
    }

    private static int running(int argument) throws InterruptedException {
        return running(box, argument);
    }

    private static String codeOf(Throwable failure) {
        return ((CaissonException) failure).code();
    }

    @Test
    void it_sees_the_files_the_name_the_variables_and_the_directory_of_the_container() throws InterruptedException {
        ExecResult result = sh("cat file; hostname; echo $COLOUR; pwd; echo oops >&2; exit 7");

        assertThat(result.stdout()).isEqualTo("made\nboxed\nblue\n/tmp\n");
        assertThat(result.stderr()).isEqualTo("oops\n");
        assertThat(result.exitCode()).isEqualTo(7);
        assertThat(result.verdict()).isEqualTo(Verdict.EXIT);
        assertThat(result.peakMemory()).isGreaterThan(Bytes.kibibytes(100));
    }

    @Test
    void it_has_the_privileges_limits_and_filter_of_the_containers_program() throws InterruptedException {
        String look = "grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):' /proc/$1/status; "
                + "grep -E 'open files|pending|core' /proc/$1/limits; cat /proc/$1/oom_score_adj; cat /proc/$1/cgroup | sed 's,/exec-.*,/,'";
        ExecResult own = box.exec(Exec.of("sh", "-c", look, "sh", "self"));
        ExecResult program = box.exec(Exec.of("sh", "-c", look, "sh", "2"));

        assertThat(own.stdout()).contains("CapEff:\t00000000000405fb", "NoNewPrivs:\t1", "Seccomp:\t2");
        assertThat(own.stdout()).isEqualTo(program.stdout());
    }

    @ParameterizedTest
    @ValueSource(strings = {"unshare -U true", "mount -t tmpfs x /srv", "ls /proc/1/fd", "cat /proc/locks | grep ."})
    void what_the_container_may_not_do_it_may_not(String command) throws InterruptedException {
        assertThat(sh(command).isOk()).isFalse();
    }

    @Test
    void its_processes_are_the_containers_and_nothing_of_the_host_is_open() throws InterruptedException {
        assertThat(box.exec(Exec.of("ls", "/proc/self/fd")).stdout()).isEqualTo("0\n1\n2\n3\n"); // ls itself opens 3
        assertThat(sh("for p in /proc/[0-9]*; do cat $p/comm; done 2>/dev/null | sort -u | tr '\\n' ' '")
                        .stdout())
                .doesNotContain("java", "systemd")
                .contains("caisson-init", "sleep");
    }

    @Test
    void another_user_by_name_or_number_has_no_capability() throws InterruptedException {
        ExecResult named = box.exec(Exec.of("sh", "-c", "id; echo $HOME; grep CapEff /proc/self/status")
                .user("nobody"));
        ExecResult numbered = box.exec(Exec.of("id").user("1234:5"));

        assertThat(named.stdout()).startsWith("uid=65534(nobody)").contains("CapEff:\t0000000000000000");
        assertThat(numbered.stdout()).startsWith("uid=1234 gid=5");
        assertThatThrownBy(() -> box.exec(Exec.of("id").user("no-such-user")))
                .satisfies(failure -> assertThat(codeOf(failure)).isEqualTo("UNKNOWN_USER"));
    }

    @Test
    void variables_and_directory_can_be_its_own() throws InterruptedException {
        ExecResult result = box.exec(Exec.of("sh", "-c", "echo $COLOUR $SIZE; pwd")
                .environment("COLOUR", "red")
                .environment("SIZE", "9")
                .workingDirectory("/usr"));

        assertThat(result.stdout()).isEqualTo("red 9\n/usr\n");
    }

    @Test
    void input_and_binary_output_pass() throws InterruptedException {
        byte[] all = new byte[70_000];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        ExecResult result =
                engine.exec(box.id().value(), Exec.of("cat"), Streams.capture().input(all));

        assertThat(result.output().bytes()).isEqualTo(all);
        assertThat(result.isOk()).isTrue();
    }

    @Test
    void a_terminal_has_the_size_that_was_asked_for() throws InterruptedException {
        ExecResult result = box.exec(Exec.of("sh", "-c", "tty; stty size").terminal(new TerminalSize(33, 101)));

        assertThat(result.stdout()).matches("/dev/pts/[0-9]+\r\n33 101\r\n");
    }

    @Test
    void a_timeout_kills_it_with_all_its_children_and_leaves_the_container() throws InterruptedException {
        ExecResult result =
                box.exec(Exec.of("sh", "-c", "setsid sleep 777 & sleep 777").timeout(Duration.ofMillis(300)));

        assertThat(result.verdict()).isEqualTo(Verdict.WALL_CLOCK);
        assertThat(result.wallClock()).isLessThan(Duration.ofSeconds(20));
        assertThat(running(777)).isZero();
        assertThat(box.signal(0)).isTrue();
    }

    @Test
    void too_much_output_ends_it() throws InterruptedException {
        ExecResult result = box.exec(Exec.of("yes").outputLimit(Bytes.kibibytes(64)));

        assertThat(result.verdict()).isEqualTo(Verdict.OUTPUT);
    }

    @Test
    void what_it_leaves_in_the_background_runs_on_in_the_container() throws InterruptedException {
        ExecResult result = sh("sleep 888 & echo $!");
        String pid = result.stdout().strip();

        assertThat(result.isOk()).isTrue();
        assertThat(result.wallClock()).isLessThan(Duration.ofSeconds(20));
        ExecResult killed = sh("kill " + pid);
        assertThat(killed.isOk()).as("%s %s", killed, killed.stderr()).isTrue();
    }

    @Test
    void a_program_that_is_not_there_and_one_that_cannot_be_run_have_dockers_exit_codes() {
        assertThatThrownBy(() -> box.exec(Exec.of("/no/such/program")))
                .isInstanceOfSatisfying(
                        CaissonException.class,
                        failure -> assertThat(failure.exitStatus()).isEqualTo(127));
        assertThatThrownBy(() -> box.exec(Exec.of("/etc/passwd")))
                .isInstanceOfSatisfying(
                        CaissonException.class,
                        failure -> assertThat(failure.exitStatus()).isEqualTo(126));
        assertThatThrownBy(() -> box.exec(Exec.of("true").workingDirectory("/no/such")))
                .isInstanceOf(CaissonException.class);
        assertThatThrownBy(() -> engine.exec("no-such-container", Exec.of("true"), Streams.capture()))
                .satisfies(failure -> assertThat(codeOf(failure)).isEqualTo("CONTAINER_UNKNOWN"));
    }

    @Test
    void another_engine_of_the_host_can_run_one_too() throws InterruptedException {
        RunningExec left;
        try (Engine other = Engine.open(OPTIONS)) {
            ExecResult result =
                    other.exec(box.id().shortForm(), Exec.of("sh", "-c", "hostname; echo $COLOUR"), Streams.capture());

            assertThat(result.stdout()).isEqualTo("boxed\nblue\n");
            left = other.startExec(box.id().value(), Exec.of("sleep", "666"), Streams.capture());
        }
        assertThat(left.onExit()).succeedsWithin(Duration.ofSeconds(20));
        assertThat(running(666)).isZero();
    }

    @Test
    void it_ends_with_the_container() throws InterruptedException {
        try (Container other = engine.start(SLEEP, Streams.capture())) {
            RunningExec exec = other.startExec(Exec.of("sleep", "555"), Streams.capture());
            while (running(other, 555) == 0) {
                Thread.sleep(5);
            }
            other.kill();

            assertThat(exec.await(Duration.ofSeconds(20)).orElseThrow().signal())
                    .isEqualTo(9);
            assertThat(other.await().verdict()).isEqualTo(Verdict.KILLED);
        }
    }

    @Test
    void one_that_comes_while_the_container_ends_is_told_so() throws InterruptedException {
        Container other = engine.start(SLEEP, Streams.capture());
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> _ = threads.submit(other::kill);
            for (int i = 0; i < 1000; i++) {
                try {
                    other.exec(Exec.of("true"));
                } catch (CaissonException e) {
                    assertThat(e.code()).isIn("CONTAINER_NOT_RUNNING", "CONTAINER_UNKNOWN");
                    return;
                }
            }
        }
        throw new AssertionError("the container has not ended");
    }

    @Test
    void a_paused_container_and_one_that_has_ended_are_told_by_name() throws InterruptedException {
        Container other = engine.start(SLEEP, Streams.capture());
        other.pause();
        assertThatThrownBy(() -> other.exec(Exec.of("true")))
                .satisfies(failure -> assertThat(codeOf(failure)).isEqualTo("CONTAINER_PAUSED"));
        other.resume();
        assertThat(other.exec(Exec.of("true")).isOk()).isTrue();
        other.close();
        assertThatThrownBy(() -> other.exec(Exec.of("true")))
                .satisfies(failure -> assertThat(codeOf(failure)).isEqualTo("CONTAINER_NOT_RUNNING"));
    }

    @Test
    void an_interrupt_ends_it() throws Exception {
        try (var threads = Executors.newSingleThreadExecutor()) {
            Future<ExecResult> waiting = threads.submit(() -> box.exec(Exec.of("sleep", "444")));
            while (running(444) == 0) {
                Thread.sleep(10);
            }
            waiting.cancel(true);
        }
        assertThat(running(444)).isZero();
    }

    @Test
    @Timeout(value = 300, unit = TimeUnit.SECONDS) // a thousand programs, on a machine that may be busy
    void many_at_once_leave_nothing() throws Exception {
        long before = descriptors();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = new ArrayList<Future<ExecResult>>();
            for (int i = 0; i < 1000; i++) {
                int number = i;
                all.add(threads.submit(() -> box.exec(Exec.of("echo", Integer.toString(number)))));
            }
            for (int i = 0; i < all.size(); i++) {
                assertThat(all.get(i).get().stdout()).isEqualTo(i + "\n");
            }
        }
        assertThat(descriptors()).isLessThanOrEqualTo(before + 3);
        assertThat(sh("ls -d /proc/[0-9]* | wc -l").stdout().strip()).isLessThanOrEqualTo("6");
        assertThat(parts()).hasSizeLessThanOrEqualTo(2); // what is on its way out now
    }

    /// Parts of the container's group that are left on this host.
    private static List<Path> parts() throws Exception {
        var found = new ArrayList<Path>();
        try (Stream<Path> roots = Files.walk(Path.of("/sys/fs/cgroup"), 1)) {
            for (Path root : roots.filter(Files::isDirectory).toList()) {
                try (Stream<Path> groups = Files.find(
                        root,
                        5,
                        (path, _) -> path.toString().contains(box.id().value())
                                && path.getFileName().toString().startsWith("exec-"))) {
                    groups.forEach(found::add);
                } catch (java.io.UncheckedIOException e) {
                    // a group that went meanwhile
                }
            }
        }
        return found.stream().distinct().toList();
    }

    private static long descriptors() throws Exception {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }

    @Test
    void the_part_of_a_client_that_was_killed_goes_with_the_next_program_and_no_other_does() throws Exception {
        Path tree = Files.isDirectory(Path.of("/sys/fs/cgroup/unified"))
                ? Path.of("/sys/fs/cgroup/unified")
                : Path.of("/sys/fs/cgroup");
        Path group;
        try (Stream<Path> groups =
                Files.find(tree, 5, (path, _) -> path.endsWith(box.id().value()))) {
            group = groups.findFirst().orElseThrow();
        }
        Path dead = Files.createDirectory(group.resolve("exec-999999999-1-0123456789abcdef"));
        Path living = Files.createDirectory(group.resolve("exec-1-" + ProcessTimes.startTime(1) + "-0123456789abcdef"));
        Path others = Files.createDirectory(group.resolve("somebody"));
        try {
            assertThat(box.exec(Exec.of("true")).isOk()).isTrue();

            assertThat(dead).doesNotExist();
            assertThat(living).exists();
            assertThat(others).exists();
        } finally {
            Files.deleteIfExists(living);
            Files.deleteIfExists(others);
        }
    }

    @Test
    void what_no_program_can_be_given_is_refused_before_anything_is_done() {
        for (Runnable wrong : List.<Runnable>of(
                () -> Exec.of(),
                () -> Exec.of(""),
                () -> Exec.of("a\0b"),
                () -> Exec.of("a").environment("", "x"),
                () -> Exec.of("a").environment("A=B", "x"),
                () -> Exec.of("a").environment("A", "\0"),
                () -> Exec.of("a").workingDirectory("relative"),
                () -> Exec.of("a").timeout(Duration.ZERO))) {
            assertThatThrownBy(wrong::run).isInstanceOf(CaissonException.class);
        }
        assertThat(Exec.of("a").environment("KEY", "secret").toString())
                .contains("KEY")
                .doesNotContain("secret");
        assertThat(new Exec(
                                List.of("a"),
                                Optional.empty(),
                                Optional.empty(),
                                java.util.Map.of(),
                                Optional.empty(),
                                Optional.empty(),
                                Bytes.mebibytes(1))
                        .outputLimit())
                .isEqualTo(Bytes.mebibytes(1));
    }
}
