package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.engine.FailpointEngine.Point;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.ProgressListener;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.state.State;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The engine is killed at every step of a launch. The next one that opens leaves the host as it was before.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FailpointTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("failpoint"), OwnDirectories.data("failpoint"));
    /// Steps are dealt out to so many processes, each with that many launches at once.
    private static final int PROCESSES = 6;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    @TempDir
    Path directory;

    private Path root;
    private HostTraces before;
    private int mark;

    @BeforeEach
    void look() throws Exception {
        root = BusyboxEngine.makeRoot(directory.resolve("root"));
        Files.createDirectory(directory.resolve("volume"));
        mark = ThreadLocalRandom.current().nextInt(100_000, 800_000);
        // Whatever was first made here, as the filters' cache, is there before.
        try (var engine = Engine.open(OPTIONS)) {
            RunResult result = engine.run(FailpointEngine.spec(root));
            assertThat(result.verdict()).as(result.stderr()).isEqualTo(Verdict.OK);
        }
        before = HostTraces.of(OPTIONS, directory, 0);
        assertThat(before.locks()).isEmpty();
        assertThat(before.groups()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"INIT_PAUSED", "LEFTOVER_REMOVED"},
            mode = EnumSource.Mode.EXCLUDE)
    void between_two_acts_of_the_engine(Moment moment) throws Exception {
        killedAt(new Point.At(moment)).waitFor();

        assertNextEngineClears();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void in_front_of_a_step_of_init(int process) throws Exception {
        killedAt(points(process)).waitFor();

        assertNextEngineClears();
    }

    private Point[] points(int process) {
        LaunchPlan plan = Engine.plan(FailpointEngine.spec(root), OPTIONS, ProgressListener.none());
        return IntStream.range(0, plan.steps().size())
                .filter(step -> step % PROCESSES == process)
                .mapToObj(Point.Step::new)
                .toArray(Point[]::new);
    }

    @Test
    void with_a_group_in_one_of_several_hierarchies() throws Exception {
        killedAt(new Point.HalfGroup()).waitFor();

        assertNextEngineClears();
    }

    /// The zygote finds the launch in its socket when nobody is there any more who could want it.
    @Test
    void with_a_launch_that_the_zygote_has_not_looked_at() throws Exception {
        Process killed = killedAt(new Point.Asked());
        killed.waitFor();
        FailpointEngine.signal("CONT", zygote());

        assertNextEngineClears();
    }

    @Test
    void with_a_launch_that_the_zygote_looks_at_when_all_is_cleared() throws Exception {
        killedAt(new Point.Asked()).waitFor();
        long zygote = zygote();
        try (var next = Engine.open(OPTIONS)) {
            assertThat(next.host()).isNotNull();
            FailpointEngine.signal("CONT", zygote);
            assertCleared();
        }
        assertAsBefore();
    }

    @Test
    void and_the_next_one_while_it_clears() throws Exception {
        killedAt(new Point.At(Moment.VERIFIED)).waitFor();
        killedAt(new Point.At(Moment.LEFTOVER_REMOVED)).waitFor();

        assertNextEngineClears();
    }

    private long zygote() {
        return marked().stream()
                .filter(FailpointEngine::isZygote)
                .findFirst()
                .orElseThrow()
                .pid();
    }

    /// Ends an engine as soon as all its launches stand still.
    private Process killedAt(Point... points) throws IOException {
        List<String> texts = Stream.of(points).map(Point::text).toList();
        Process process = new EngineProcess(FailpointEngine.class, OPTIONS, root, texts)
                .marked(mark)
                .start();
        try (BufferedReader output = process.inputReader()) {
            for (Point point : points) {
                assertThat(output.readLine()).as("reached %s", point).isIn(texts);
            }
            assertThat(marked()).as("processes that are told by their mark").isNotEmpty();
        } finally {
            process.destroyForcibly();
        }
        return process;
    }

    private void assertNextEngineClears() throws Exception {
        try (var next = Engine.open(OPTIONS)) {
            assertThat(next.host()).isNotNull();
            assertCleared();
            assertThat(next.run(FailpointEngine.spec(root)).verdict()).isEqualTo(Verdict.OK);
        }
        assertAsBefore();
    }

    /// While the next engine is there: only the group that holds all is, perhaps, not gone.
    private void assertCleared() throws Exception {
        awaitEndOfMarked();
        HostTraces left = HostTraces.of(OPTIONS, directory, 1);
        assertThat(left.groups()).allMatch(group -> group.endsWith(State.cgroupParent(OPTIONS.state())));
        assertThat(left.mounts()).isEqualTo(before.mounts());
        assertThat(left.links()).isEqualTo(before.links());
        assertThat(left.files()).isEqualTo(before.files());
        assertThat(left.locks()).isEmpty();
    }

    private void assertAsBefore() throws IOException {
        assertThat(HostTraces.of(OPTIONS, directory, 0)).isEqualTo(before);
    }

    /// What is not in a group any more ends by itself: nobody holds the other end of its socket.
    private void awaitEndOfMarked() throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!marked().isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        assertThat(marked()).as("processes of the engine that was killed").isEmpty();
    }

    /// Processes that come from the engine, wherever they are: the limit is inherited.
    private List<ProcessHandle> marked() {
        return ProcessHandle.allProcesses().filter(this::isMarked).toList();
    }

    /// One that has ended and waits for the host's process 1 to reap it does not count.
    private boolean isMarked(ProcessHandle process) {
        Path entry = Path.of("/proc/" + process.pid());
        try (Stream<String> limits = Files.lines(entry.resolve("limits"))) {
            return !Files.readString(entry.resolve("stat")).contains(") Z ")
                    && limits.anyMatch(line -> line.matches("Max msgqueue size +" + mark + " .*"));
        } catch (IOException | UncheckedIOException e) {
            // It has ended.
            return false;
        }
    }
}
