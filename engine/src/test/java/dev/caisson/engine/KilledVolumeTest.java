package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.VolumeName;
import dev.caisson.state.State;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// When an engine is killed, volumes with names stay, whole and free, and those without go.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class KilledVolumeTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("killed-volume"), Path.of("/var/lib/caisson-test"));

    private static List<String> directories() throws IOException {
        Path own = OPTIONS.data().resolve("volumes").resolve(State.lastingName(OPTIONS.state()));
        try (Stream<Path> found = Files.list(own)) {
            return found.map(path -> path.getFileName().toString()).toList();
        }
    }

    @Test
    void the_next_engine_finds_those_with_names_alone(@TempDir Path directory) throws Exception {
        Volumes all = Volumes.of(OPTIONS);
        Process process = new EngineProcess(VolumeProcess.class, OPTIONS, directory, List.of()).start();
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).startsWith(EngineProcess.OPENED);
            assertThat(directories()).hasSize(2);
            assertThatThrownBy(() -> all.remove(new VolumeName(VolumeProcess.NAME)))
                    .hasMessageContaining("is in use");
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();

        try (var next = Engine.open(OPTIONS)) {
            assertThat(directories()).containsExactly(VolumeProcess.NAME);
            assertThat(next.run(ContainerSpec.onHost("cat", "/v/file")
                                    .mount(all.get(VolumeProcess.NAME).at("/v")))
                            .stdout())
                    .isEqualTo("kept\n");
            next.volumes().remove(new VolumeName(VolumeProcess.NAME));
        }
        assertThat(directories()).isEmpty();
        BusyboxEngine.removeTree(OPTIONS.state());
    }
}
