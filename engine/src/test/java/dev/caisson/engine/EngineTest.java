package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.State;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class EngineTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("engine"), Path.of("/var/lib/caisson-test"));

    private Engine engine;

    @BeforeEach
    void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void a_program_runs_and_its_output_and_exit_code_are_told() throws InterruptedException {
        RunResult result = engine.run(ContainerSpec.of(Image.host(), "sh", "-c", "echo hello; echo oops >&2; exit 3"));

        assertThat(result.stdout()).isEqualTo("hello\n");
        assertThat(result.stderr()).isEqualTo("oops\n");
        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.verdict()).isEqualTo(Verdict.EXIT);
    }

    @Test
    void only_the_containers_own_processes_are_seen_and_the_privileges_are_the_standard_ones()
            throws InterruptedException {
        RunResult result = engine.run(ContainerSpec.of(
                Image.host(),
                "sh",
                "-c",
                "ls -d /proc/[0-9]* | wc -l; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status"));

        String[] lines = result.stdout().split("\n", -1);
        assertThat(Integer.parseInt(lines[0].strip())).isLessThanOrEqualTo(4);
        assertThat(result.stdout()).contains("CapEff:\t00000000000405fb", "NoNewPrivs:\t1", "Seccomp:\t2");
    }

    @Test
    void added_groups_are_had_inside() throws InterruptedException {
        RunResult result = engine.run(ContainerSpec.onHost("id", "-G")
                .user("1000:1000")
                .addGroup("nogroup")
                .addGroup("4242"));

        assertThat(result.stdout().strip().split(" ", -1)).containsExactlyInAnyOrder("1000", "65534", "4242");
    }

    @Test
    void verdicts_tell_why_a_run_ended() throws InterruptedException {
        ContainerSpec sleep = ContainerSpec.of(Image.host(), "sleep", "60");
        assertThat(engine.run(sleep.wallClock(Duration.ofMillis(200))).verdict())
                .isEqualTo(Verdict.WALL_CLOCK);
        assertThat(engine.run(ContainerSpec.of(Image.host(), "sh", "-c", "while :; do :; done")
                                .cpuTime(Duration.ofMillis(200)))
                        .verdict())
                .isEqualTo(Verdict.CPU_TIME);
        assertThat(engine.run(ContainerSpec.of(Image.host(), "sh", "-c", "yes").outputLimit(Bytes.kibibytes(64)))
                        .verdict())
                .isEqualTo(Verdict.OUTPUT);
        assertThat(engine.run(ContainerSpec.of(Image.host(), "sh", "-c", "head -c 200m /dev/zero | tail")
                                .memory(Bytes.mebibytes(32)))
                        .verdict())
                .isEqualTo(Verdict.OUT_OF_MEMORY);
        assertThat(engine.run(ContainerSpec.of(Image.host(), "sh", "-c", "kill -SEGV $$"))
                        .verdict())
                .isEqualTo(Verdict.SIGNAL);
        assertThat(engine.run(ContainerSpec.of(Image.host(), "true")).verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void many_virtual_threads_run_at_once() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var runs = new ArrayList<Future<RunResult>>();
            for (int i = 0; i < 64; i++) {
                runs.add(threads.submit(() -> engine.run(ContainerSpec.of(Image.host(), "true"))));
            }
            for (Future<RunResult> run : runs) {
                assertThat(run.get().verdict()).isEqualTo(Verdict.OK);
            }
        }
    }

    @Test
    void a_container_whose_observer_breaks_ends_and_does_not_hold_up_the_end() throws Exception {
        assertThatThrownBy(() -> engine.start(
                        ContainerSpec.of(Image.host(), "sleep", "100"),
                        Streams.capture(),
                        ProgressListener.none(),
                        c -> {
                            throw new AssertionError("broken");
                        }))
                .isInstanceOf(AssertionError.class);

        engine.close();
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    @Test
    void a_caller_that_cannot_take_output_does_not_keep_a_container() throws Exception {
        OutputStream broken = new OutputStream() {
            @Override
            public void write(int b) {
                throw new IllegalStateException("broken");
            }
        };
        var streams = new Streams.Copy(Optional.empty(), broken, broken, Bytes.mebibytes(1));

        assertThat(engine.start(ContainerSpec.of(Image.host(), "sh", "-c", "echo a; echo b >&2"), streams)
                        .await()
                        .verdict())
                .isEqualTo(Verdict.OK);
    }

    @Test
    void closing_ends_what_is_being_launched_meanwhile() throws Exception {
        var refused = new CountDownLatch(4);
        for (int i = 0; i < 4; i++) {
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (true) {
                        engine.start(ContainerSpec.of(Image.host(), "sleep", "100"), Streams.capture());
                    }
                } catch (EngineException e) {
                    if (e.code().equals("ENGINE_CLOSED")) {
                        refused.countDown();
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        TimeUnit.MILLISECONDS.sleep(150);

        engine.close();

        assertThat(refused.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    private static List<String> openFiles(Path below) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(Files::isSymbolicLink)
                    .map(link -> {
                        try {
                            return Files.readSymbolicLink(link).toString();
                        } catch (IOException e) {
                            return ""; // another thread's, closed meanwhile
                        }
                    })
                    .filter(target -> target.startsWith(below.toString()))
                    .toList();
        }
    }

    private static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("caisson-reactor"))
                .collect(Collectors.toSet());
    }

    /// Before and behind the opening of most of its parts: it has no thread, no file, no helper and no place any more.
    @ParameterizedTest
    @EnumSource(
            value = Probe.Moment.class,
            names = {"ENGINE_STANDS", "LEFTOVER_REMOVED"})
    void an_engine_that_cannot_be_opened_leaves_nothing(Probe.Moment when, @TempDir Path directory) throws Exception {
        var options = new EngineOptions(directory.resolve("state"), OPTIONS.data());
        new State(options.state()).close();
        Path engines = options.state().resolve("engines");
        Path killed = Files.createDirectories(engines.resolve("0123456789abcdef"));
        Files.createFile(killed.resolve("lock"));
        Files.createFile(killed.resolve("ab".repeat(32) + ".json"));
        Set<Thread> before = threads();
        List<Long> children =
                ProcessHandle.current().children().map(ProcessHandle::pid).toList();

        assertThatThrownBy(() -> new Engine(options, new Probe() {
                            @Override
                            public void reached(Moment moment) {
                                if (moment == when) {
                                    throw new IllegalStateException("of the test");
                                }
                            }

                            @Override
                            public OptionalInt pauseBefore() {
                                return OptionalInt.empty();
                            }
                        })
                        .close())
                .hasMessage("of the test");

        assertThat(openFiles(directory)).isEmpty();
        assertThat(threads()).isEqualTo(before);
        assertThat(ProcessHandle.current().children().map(ProcessHandle::pid)).hasSameElementsAs(children);
        try (Stream<Path> places = Files.list(engines)) {
            assertThat(places).containsExactly(killed);
        }
        Engine.open(options).close();
        assertThat(State.isEmpty(options.state())).isTrue();
        assertThat(openFiles(directory)).isEmpty();
        assertThat(threads()).isEqualTo(before);
    }

    @Test
    void a_closed_engine_leaves_nothing_and_is_closed_once(@TempDir Path directory) throws Exception {
        var options = new EngineOptions(directory.resolve("state"), OPTIONS.data());
        Set<Thread> before = threads();
        Engine own = Engine.open(options);
        own.run(ContainerSpec.of(Image.host(), "true"));
        assertThat(own.statistics().ends().get(Verdict.OK)).isEqualTo(1);
        Container container = own.start(ContainerSpec.of(Image.host(), "sleep", "100"), Streams.capture());
        assertThat(own.containers()).containsExactly(container);
        assertThat(own.queued()).isZero();
        assertThat(own.statistics().running()).isEqualTo(1);
        assertThat(own.statistics().launches()).isEqualTo(2);

        Thread.currentThread().interrupt();
        own.close();
        assertThat(Thread.interrupted()).as("the interrupt stays").isTrue();
        own.close();
        assertThat(Thread.interrupted()).isFalse();

        assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
        assertThat(own.containers()).isEmpty();
        assertThat(openFiles(directory)).isEmpty();
        assertThat(threads()).isEqualTo(before);
        assertThat(State.isEmpty(options.state())).isTrue();
    }

    /// The container that it has then is known to nobody else.
    @Test
    void an_engine_that_breaks_while_it_launches_leaves_no_container(@TempDir Path directory) throws Exception {
        var options = new EngineOptions(directory.resolve("state"), OPTIONS.data());
        var self = new AtomicReference<Engine>();
        try (var own = new Engine(options, new Probe() {
            @Override
            public void reached(Moment moment) {
                if (moment == Moment.VERIFIED) {
                    Objects.requireNonNull(self.get()).broke(new IllegalStateException("of the test"));
                }
            }

            @Override
            public OptionalInt pauseBefore() {
                return OptionalInt.empty();
            }
        })) {
            self.set(own);
            assertThatThrownBy(() -> own.run(ContainerSpec.of(Image.host(), "sleep", "100")))
                    .isInstanceOfSatisfying(
                            CaissonException.class, e -> assertThat(e.code()).isEqualTo("ENGINE_BROKEN"));
            assertThat(own.containers()).isEmpty();
            assertThat(State.recordsIn(options.state())).isEmpty();
            try (var hierarchy = Hierarchy.detect()) {
                assertThat(hierarchy.leftovers(State.cgroupParent(options.state())))
                        .isEmpty();
            }
        }
    }

    @Test
    void the_program_of_monitors_is_closed_with_the_engine(@TempDir Path directory) throws Exception {
        var options = new EngineOptions(directory.resolve("state"), Files.createDirectory(directory.resolve("data")));
        List<String> before = openFiles(Path.of("/memfd:"));
        try (Engine own = Engine.open(options)) {
            DetachedContainer made = own.create(ContainerSpec.of(Image.host(), "true"), DetachedOptions.STANDARD);
            assertThat(openFiles(Path.of("/memfd:"))).hasSizeGreaterThan(before.size());
            made.remove(true);
        }

        assertThat(openFiles(Path.of("/memfd:"))).isEqualTo(before);
        assertThat(openFiles(directory)).isEmpty();
    }
}
