package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A container that reads files of the host shares the memory in which the kernel keeps them.
@Tag("root")
@Timeout(60)
final class PageCacheTest {
    private static final String FILE = "/usr/bin/bash";

    @TempDir
    private Path directory;

    @Test
    void a_container_does_not_take_the_hosts_files_out_of_memory() throws Exception {
        Files.readAllBytes(Path.of(FILE));
        long before = cached();
        assertThat(before).isPositive();
        try (var engine = Engine.open(new EngineOptions(directory.resolve("state"), directory.resolve("data")))) {
            assertThat(engine.run(ContainerSpec.of(
                                    Image.host(), List.of("/bin/dd", "if=" + FILE, "iflag=nocache", "count=0")))
                            .isOk())
                    .isTrue();
        }

        assertThat(cached()).isEqualTo(before);
    }

    private static long cached() throws IOException {
        Process fincore = new ProcessBuilder("fincore", "--bytes", "--noheadings", "--output", "RES", FILE).start();
        return Long.parseLong(fincore.inputReader().readLine().strip());
    }
}
