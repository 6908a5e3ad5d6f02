package dev.caisson.engine;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A host whose process 1 reaps nobody, as a service that is process 1 of its pod: a program that comes to it
/// stays, and with it the container, as the kernel ends no pid namespace before its last process is reaped.
/// This process stands for it: prctl(2), PR_SET_CHILD_SUBREAPER.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class OrphanedProgramTest {
    private static final int PR_SET_CHILD_SUBREAPER = 36;
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("orphan"), OwnDirectories.data("orphan"));

    private Set<Long> before = Set.of();

    @BeforeEach
    void getAllOrphans() throws IOException {
        reap(1);
        before = zombies();
    }

    @AfterEach
    void getNoMore() throws Exception {
        reap(0);
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
    }

    @SuppressWarnings("restricted") // a function of libc that takes and gives numbers
    private static void reap(int value) {
        try {
            int result = (int) Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().findOrThrow("prctl"),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                            Linker.Option.firstVariadicArg(1))
                    .invokeExact(PR_SET_CHILD_SUBREAPER, (long) value, 0L, 0L, 0L);
            assertThat(result).isZero();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Those of programs in containers that have come to this process.
    private static Set<Long> zombies() throws IOException {
        try (var tasks = Files.list(Path.of("/proc/self/task"))) {
            return tasks.flatMap(task -> lines(task.resolve("children")).stream())
                    .flatMap(children -> List.of(children.strip().split(" ")).stream())
                    .filter(child -> !child.isEmpty())
                    .filter(child -> lines(Path.of("/proc", child, "status")).stream()
                            .anyMatch(line -> line.matches("NSpid:\t\\d+\t\\d+")))
                    .filter(child -> lines(Path.of("/proc", child, "status")).contains("State:\tZ (zombie)"))
                    .map(Long::valueOf)
                    .collect(Collectors.toSet());
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of(); // it has ended
        }
    }

    private void assertThatNobodyCame() throws IOException {
        assertThat(zombies()).isEqualTo(before);
    }

    @Test
    void a_program_that_is_killed_is_reaped_by_who_keeps_it() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            Container box = engine.start(ContainerSpec.onHost("sleep", "1000"), Streams.capture());
            for (int round = 0; round < 5; round++) {
                ExecResult result = box.exec(
                        Exec.of("sh", "-c", "setsid sleep 777 & exec sleep 777").timeout(Duration.ofMillis(200)));
                assertThat(result.verdict()).isEqualTo(Verdict.WALL_CLOCK);
                assertThatNobodyCame();
            }
            box.close();
            assertThat(box.await(Duration.ofSeconds(10))).isPresent();
        }
    }

    @Test
    void a_health_check_that_exceeds_its_timeout_is_reaped() throws Exception {
        DetachedContainer made;
        try (Engine engine = Engine.open(OPTIONS)) {
            made = engine.create(
                    ContainerSpec.onHost("sleep", "1000").name("probed"),
                    DetachedOptions.STANDARD.health(HealthCheck.shell("sleep 50")
                            .interval(Duration.ofMillis(50))
                            .timeout(Duration.ofMillis(100))
                            .retries(1)));
        }
        made.start();
        long begun = System.nanoTime();
        while (made.health().streak() < 3) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(30));
            Thread.sleep(20);
        }
        assertThatNobodyCame();
        made.remove(true);
        assertThatNobodyCame();
    }
}
