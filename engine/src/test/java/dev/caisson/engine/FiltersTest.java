package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.CapabilitySet;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.FilterCache;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FiltersTest {
    @TempDir
    Path directory;

    /// The cache would be written to if the filter had to be compiled.
    @Test
    void the_filters_of_a_usual_container_are_those_that_the_build_has_compiled() throws Exception {
        var target = new Target(
                Architecture.host(),
                KernelVersion.parse(System.getProperty("os.version")),
                CapabilitySet.STANDARD.mask());
        var cache = new FilterCache(directory.resolve("filters"));

        assertThat(cache.standard(target).length()).isPositive();
        assertThat(cache.strict(target).length()).isPositive();

        assertThat(Files.exists(directory.resolve("filters"))).isFalse();
    }
}
