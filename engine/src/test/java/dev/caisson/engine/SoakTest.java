package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.Processes;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A long life of one engine, made short: sessions, runs, programs, attaches and restarts in a random order, and
/// processes that are killed meanwhile. Descriptors, groups, records, mounts, files and memory do not grow.
///
/// `./check soak` tries 10,000 acts (`-Dcaisson.test.soak`); a failure names its seed for `-Dcaisson.test.seed`.
@Tag("root")
@Timeout(value = 4, unit = TimeUnit.HOURS)
class SoakTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("soak"), OwnDirectories.data("soak"));
    private static final int ACTS = Integer.getInteger("caisson.test.soak", 48);
    private static final long SEED = Long.getLong("caisson.test.seed", 1);
    private static final int WARM = 24;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long SPARE_HEAP = 24L << 20;
    private static final long SPARE_HELPER = 256L << 10;
    private static final int SIGKILL = 9;
    private static final ContainerSpec WAITING = ContainerSpec.onHost("sleep", "1000");

    private enum Act {
        SESSION,
        EXEC,
        RUN,
        ATTACH,
        RESTART,
        LEAVE_EXEC,
        KILL_CONTAINER,
        KILL_MONITOR,
        KILL_SESSION
    }

    /// The resources of the process and its helper, at rest.
    ///
    /// @param heap bytes in use after a collection
    /// @param helper bytes of the zygote that are its own
    private record Held(Traces traces, int files, long heap, long helper) {}

    private final Map<Act, Integer> done = new TreeMap<>();

    @Test
    void nothing_grows_in_a_long_life() throws Exception {
        var random = new SplittableRandom(SEED);
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer box = engine.create(WAITING.name("soaked"), DetachedOptions.STANDARD);
            box.start();
            live(engine, box, random, WARM);
            Held before = held();
            live(engine, box, random, Math.max(0, ACTS - WARM));
            Held after = new Held(Traces.awaited(OPTIONS, before.traces()), files(), heap(), helper());

            assertThat(after.traces()).as("seed %d, %s", SEED, done).isEqualTo(before.traces());
            assertThat(after.files())
                    .as("files of the container, seed %d", SEED)
                    .isLessThanOrEqualTo(before.files());
            assertThat(after.heap()).as("heap").isLessThan(before.heap() + SPARE_HEAP);
            assertThat(after.helper()).as("memory of the zygote").isLessThan(before.helper() + SPARE_HELPER);
            box.remove(true);
        }
        assertThat(KeptContainer.all(OPTIONS)).isEmpty();
        assertThat(OPTIONS.state().resolve("names")).isEmptyDirectory();
    }

    private void live(Engine engine, DetachedContainer box, SplittableRandom random, int acts) throws Exception {
        for (int i = 0; i < acts; i++) {
            Act act = i < Act.values().length ? Act.values()[i] : Act.values()[random.nextInt(Act.values().length)];
            try {
                act(act, engine, box);
                if (!(box.state() instanceof ContainerState.Running)) {
                    box.start();
                }
            } catch (CaissonException | AssertionError e) {
                throw new AssertionError("seed " + SEED + ", act " + i + ", " + act + " after " + done, e);
            }
            done.merge(act, 1, Integer::sum);
        }
        act(Act.RUN, engine, box); // behind which the next container is begun ahead
        act(Act.EXEC, engine, box); // whose helper's answer has that one's descriptor before it
    }

    private static void act(Act act, Engine engine, DetachedContainer box) throws Exception {
        String name = box.name();
        switch (act) {
            case SESSION -> {
                try (Session session = engine.session(ContainerSpec.onHost())) {
                    session.files().write("/tmp/in", "20\n".getBytes(StandardCharsets.UTF_8));
                    ExecResult result = session.exec(Exec.of("sh", "-c", "expr $(cat /tmp/in) + 22 >/tmp/out"));
                    assertThat(result.isOk()).isTrue();
                    assertThat(session.files().read("/tmp/out", Bytes.kibibytes(1)))
                            .asString(StandardCharsets.UTF_8)
                            .isEqualTo("42\n");
                }
            }
            case EXEC ->
                assertThat(engine.exec(name, Exec.of("echo", "said"), Streams.capture())
                                .stdout())
                        .isEqualTo("said\n");
            case RUN ->
                assertThat(engine.run(ContainerSpec.onHost("sh", "-c", "exit 3"))
                                .exitCode())
                        .isEqualTo(3);
            case ATTACH -> {
                try (Attachment attachment = box.attach()) {
                    assertThat(attachment).isNotNull();
                }
            }
            case RESTART -> box.restart(OptionalInt.of(SIGKILL), Optional.empty());
            case LEAVE_EXEC -> {
                RunningExec exec = engine.startExec(name, Exec.of("sleep", "0.05"), Streams.capture());
                boolean _ = exec.leave();
            }
            case KILL_CONTAINER -> kill(box.state().pid(), box);
            case KILL_MONITOR -> kill(monitor(box), box);
            case KILL_SESSION -> {
                try (Session session = engine.session(ContainerSpec.onHost())) {
                    int pid = RunningContainer.find(session.name(), OPTIONS)
                            .orElseThrow()
                            .processes()
                            .getFirst()
                            .pid();
                    signal(pid);
                    awaitEnd(() -> session.isRunning());
                }
            }
        }
    }

    private static int monitor(DetachedContainer box) throws InterruptedException {
        return Math.toIntExact(DetachedPlace.find(box.name(), OPTIONS)
                .orElseThrow()
                .told()
                .orElseThrow()
                .monitorPid());
    }

    private static void kill(int pid, DetachedContainer box) throws Exception {
        signal(pid);
        awaitEnd(() -> box.state() instanceof ContainerState.Running);
    }

    private static void signal(int pid) {
        try (var process = Processes.open(pid)) {
            boolean _ = Processes.signal(process, SIGKILL);
        }
    }

    private interface Going {
        boolean on() throws InterruptedException;
    }

    private static void awaitEnd(Going going) throws InterruptedException {
        long begun = System.nanoTime();
        while (going.on()) {
            assertThat(System.nanoTime() - begun).isLessThan(PATIENCE_NANOS);
            Thread.sleep(1);
        }
    }

    private static Held held() throws Exception {
        return new Held(Traces.settled(OPTIONS), files(), heap(), helper());
    }

    /// Rotated logs, and what a revival leaves, would be more of them.
    private static int files() throws IOException {
        try (var all = Files.walk(OPTIONS.data())) {
            return Math.toIntExact(all.count());
        }
    }

    private static long heap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(
                    least,
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
        }
        return least;
    }

    private static long helper() throws IOException {
        var sizes = new ArrayList<Long>();
        for (ProcessHandle child : ProcessHandle.current().children().toList()) {
            if (FailpointEngine.isZygote(child)) {
                sizes.add(privateBytes(Path.of("/proc/" + child.pid() + "/smaps_rollup")));
            }
        }
        return sizes.stream().mapToLong(size -> size).sum();
    }

    private static long privateBytes(Path rollup) throws IOException {
        List<String> lines = Files.readAllLines(rollup);
        return lines.stream()
                        .filter(line -> line.startsWith("Private_"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .sum()
                << 10;
    }
}
