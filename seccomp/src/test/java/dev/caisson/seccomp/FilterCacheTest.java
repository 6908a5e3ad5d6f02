package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FilterCacheTest {
    /// Capabilities for which the build has compiled nothing.
    private final Target target = new Target(Architecture.X86_64, Calls.KERNEL, 1L);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    @Test
    void aKeptFilterIsTheCompiledOne() throws IOException {
        var cache = new FilterCache(directory.resolve("filters"));
        Filter compiled = cache.standard(target);
        Filter kept = new FilterCache(directory.resolve("filters")).standard(target);
        assertThat(kept.bytes()).isEqualTo(compiled.bytes());
        assertThat(kept.summary()).isEqualTo(compiled.summary());
        assertThat(cache.strict(target).bytes()).isNotEqualTo(compiled.bytes());
        assertThat(entries()).hasSize(2);
    }

    @Test
    void anotherKernelCapabilityOrProfileIsAnotherFilter() throws IOException {
        var cache = new FilterCache(directory.resolve("filters"));
        cache.standard(target);
        Filter old = cache.standard(new Target(Architecture.X86_64, KernelVersion.parse("4.19"), 1L));
        Filter more = cache.standard(new Target(Architecture.X86_64, Calls.KERNEL, -1L));
        assertThat(List.of(old.sha256(), more.sha256(), cache.standard(target).sha256()))
                .doesNotHaveDuplicates();
        assertThat(entries()).hasSize(3);
    }

    @Test
    void anEntryThatWasMadeFromSomethingElseOrCutShortIsNotUsed() throws IOException {
        var cache = new FilterCache(directory.resolve("filters"));
        byte[] compiled = cache.standard(target).bytes();
        cache.strict(target);
        List<Path> both = entries();
        byte[] first = Files.readAllBytes(both.getFirst());
        Files.write(both.getFirst(), Files.readAllBytes(both.getLast()));
        Files.write(both.getLast(), java.util.Arrays.copyOf(first, first.length - 3));
        assertThat(cache.standard(target).bytes()).isEqualTo(compiled);
        assertThat(cache.strict(target).bytes())
                .isEqualTo(Compiler.compile(Profile.strict(), target).bytes());
    }

    @Test
    void whatTheBuildHasCompiledIsWhatTheCompilerMakes() throws IOException {
        var cache = new FilterCache(directory.resolve("filters"));
        for (Architecture machine : Architecture.values()) {
            for (String kernel : List.of("5.10", "5.15", "6.1", "6.12", "6.18", "7.0", "9.9")) {
                if (machine.isNative()) {
                    var usual = new Target(machine, KernelVersion.parse(kernel), Calls.DEFAULT_CAPABILITIES);
                    assertSame(cache.standard(usual), Compiler.compile(Profile.standard(), usual));
                    assertSame(cache.strict(usual), Compiler.compile(Profile.strict(), usual));
                }
            }
        }
        assertThat(Files.exists(directory.resolve("filters"))).isFalse();
        assertThat(Precompiled.find("standard", target)).isEmpty();
        assertThat(Precompiled.find("other", Calls.target(Architecture.X86_64))).isEmpty();
        assertThat(Precompiled.find(
                        "standard",
                        new Target(Architecture.X86_64, KernelVersion.parse("5.4"), Calls.DEFAULT_CAPABILITIES)))
                .isEmpty();
    }

    private static void assertSame(Filter filter, Filter compiled) {
        assertThat(filter.bytes()).isEqualTo(compiled.bytes());
        assertThat(filter.summary()).isEqualTo(compiled.summary());
    }

    @Test
    void aWrongProfileIsNotKept() throws IOException {
        var cache = new FilterCache(directory.resolve("filters"));
        assertThatThrownBy(() -> cache.compile("{}", target)).isInstanceOf(SeccompException.class);
        assertThat(Files.exists(directory.resolve("filters"))).isFalse();
    }

    private List<Path> entries() throws IOException {
        try (var files = Files.list(directory.resolve("filters"))) {
            return files.sorted().toList();
        }
    }
}
