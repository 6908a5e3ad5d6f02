package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.launch.HostFacts;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.FilterCache;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.watch.Filters;
import dev.caisson.watch.WatchException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

    @Test
    void a_plan_says_whether_the_engine_is_asked_and_what_it_answers() {
        var plain = new SeccompChoice.Standard();
        Profile kills = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execveat"], "action": "SCMP_ACT_TRAP",
                  "args": [{"index": 4, "value": 4096, "op": "SCMP_CMP_EQ"}]}]}""");

        assertThat(summary(plain)).doesNotContain("asked", "told", "watched");
        assertThat(summary(new SeccompChoice.Watched(plain, SeccompChoice.Watch.TELL)))
                .endsWith(", the engine is asked before it denies");
        assertThat(summary(new SeccompChoice.Watched(plain, SeccompChoice.Watch.COMPLAIN)))
                .endsWith(", what it would deny passes and is told")
                .doesNotContain("asked");
        assertThat(summary(new SeccompChoice.Watched(plain, SeccompChoice.Watch.RECORD)))
                .endsWith(", the engine is asked about every call");
        assertThat(summary(new SeccompChoice.Watched(new SeccompChoice.Unconfined(), SeccompChoice.Watch.RECORD)))
                .isEqualTo("everything, the engine is asked about every call");
        for (SeccompChoice.Watch watch : List.of(SeccompChoice.Watch.COMPLAIN, SeccompChoice.Watch.RECORD)) {
            assertThatThrownBy(
                            () -> summary(new SeccompChoice.Watched(new SeccompChoice.Custom("kills", kills), watch)))
                    .isInstanceOfSatisfying(
                            WatchException.class, e -> assertThat(e.code()).isEqualTo("NOT_WATCHABLE"));
        }
        assertThat(summary(
                        new SeccompChoice.Watched(new SeccompChoice.Custom("kills", kills), SeccompChoice.Watch.TELL)))
                .contains(", not watched: it does more about some execveat");
    }

    private String summary(SeccompChoice choice) {
        var filters = new Filters(HostFacts.read(List.of(), List.of(), false), directory.resolve("filters"));
        return filters.of(ContainerSpec.of(Image.host(), "true").seccomp(choice))
                .orElseThrow()
                .summary();
    }
}
