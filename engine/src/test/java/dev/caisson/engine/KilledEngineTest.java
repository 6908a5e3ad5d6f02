package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An engine that is killed takes its containers with it, and what it left is gone when the next one is open.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class KilledEngineTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("killed"), Path.of("/var/lib/caisson-test"));
    private static final long RUNNING = 100_000;
    private static final String PROGRAM = "86413";

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(longs = {0, 20, 50, 80, 120, 180, 260, 400, RUNNING})
    void the_next_engine_finds_nothing_after(long millis) throws Exception {
        Path root = BusyboxEngine.makeRoot(directory.resolve("root"));
        Process process = new EngineProcess(
                        OPTIONS, root, List.of("sh", "-c", "sleep " + PROGRAM + " & exec sleep " + PROGRAM))
                .start();
        List<ProcessHandle> family;
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).isEqualTo(EngineProcess.OPENED);
            if (millis == RUNNING) {
                awaitProgram();
            } else {
                Thread.sleep(millis);
            }
            family = process.descendants().toList();
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();

        try (var next = Engine.open(OPTIONS)) {
            assertThat(next.host()).isNotNull();
            Traces left = Traces.of(OPTIONS);
            assertThat(left.groups()).isEmpty();
            assertThat(left.records()).isEmpty();
            assertThat(left.mounts()).noneMatch(line -> line.contains(directory.toString()));
            assertThat(engines()).hasSize(1);
        }
        for (ProcessHandle member : family) {
            member.onExit().get(5, TimeUnit.SECONDS);
        }
        assertThat(programs()).isEmpty();
        assertThat(engines()).isEmpty();
    }

    private static void awaitProgram() throws IOException, InterruptedException {
        while (programs().size() < 2) {
            Thread.sleep(10);
        }
    }

    private static List<String> engines() throws IOException {
        try (Stream<Path> engines = Files.list(OPTIONS.state().resolve("engines"))) {
            return engines.map(Path::toString).toList();
        }
    }

    /// Processes that have the program's argument, wherever they are.
    private static List<Path> programs() throws IOException {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes.filter(KilledEngineTest::isProgram).toList();
        }
    }

    private static boolean isProgram(Path process) {
        try {
            return Files.readString(process.resolve("cmdline")).equals("sleep\0" + PROGRAM + "\0");
        } catch (IOException e) {
            // No process, or one that has ended.
            return false;
        }
    }
}
