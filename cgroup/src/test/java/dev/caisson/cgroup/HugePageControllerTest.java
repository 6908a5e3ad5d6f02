package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HugePageControllerTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private void size(String name, int pages, int more) throws IOException {
        Path size = Files.createDirectory(directory.resolve(name));
        Files.writeString(size.resolve("nr_hugepages"), pages + "\n");
        Files.writeString(size.resolve("nr_overcommit_hugepages"), more + "\n");
    }

    @Test
    void sizes_that_the_host_keeps_pages_of_have_the_kernels_names() throws IOException {
        size("hugepages-64kB", 1, 0);
        size("hugepages-2048kB", 0, 5);
        size("hugepages-32768kB", 0, 0);
        size("hugepages-1048576kB", 3, 0);

        assertThat(HugePageController.kept(directory)).containsExactlyInAnyOrder("64KB", "2MB", "1GB");
        assertThat(HugePageController.kept(directory.resolve("none"))).isEmpty();
    }
}
