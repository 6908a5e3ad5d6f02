package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A layer on disk goes with an engine that is killed while it is written to.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class KilledDiskLayerTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("killed-layer"), Path.of("/var/lib/caisson-test"));

    @TempDir
    Path directory;

    @Test
    void nothing_of_it_is_left_for_the_next_engine() throws Exception {
        Path root = BusyboxEngine.makeRoot(directory.resolve("root"));
        Process process = new EngineProcess(DiskLayerProcess.class, OPTIONS, root, List.of()).start();
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).startsWith(EngineProcess.OPENED);
            assertThat(DiskTraces.attached()).isNotEmpty();
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();

        try (var next = Engine.open(OPTIONS)) {
            assertThat(next.host()).isNotNull();
            assertThat(Traces.of(OPTIONS).groups()).isEmpty();
            assertThat(DiskTraces.loopDevices()).isEmpty();
            assertThat(DiskTraces.files(OPTIONS.data())).isEmpty();
        }
        BusyboxEngine.removeTree(OPTIONS.state());
    }
}
