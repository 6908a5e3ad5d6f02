package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
    void a_kept_filter_is_the_compiled_one() throws IOException {
        var cache = new FilterCache(directory.resolve("filters"));
        Filter compiled = cache.standard(target);
        Filter kept = new FilterCache(directory.resolve("filters")).standard(target);
        assertThat(kept.bytes()).isEqualTo(compiled.bytes());
        assertThat(kept.summary()).isEqualTo(compiled.summary());
        assertThat(kept.sentence()).isEqualTo(compiled.summary().toString());
        assertThat(cache.strict(target).bytes()).isNotEqualTo(compiled.bytes());
        assertThat(entries()).hasSize(2).allMatch(entry -> entry.toString().endsWith(".bpf"));
    }

    /// What is asked of a filter before a start is kept with it, and is what the program itself says.
    @Test
    void a_kept_filter_starts_and_asks_as_the_compiled_one() throws IOException {
        String rule = """
                {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
                  {"names": ["execveat"], "action": "SCMP_ACT_ALLOW"},
                  {"names": ["execveat"], "action": "SCMP_ACT_TRAP",
                    "args": [{"index": 4, "value": 4096, "op": "SCMP_CMP_EQ"}]}]}""";
        for (String json : List.of(
                "{\"defaultAction\": \"SCMP_ACT_ERRNO\"}",
                "{\"defaultAction\": \"SCMP_ACT_KILL\"}",
                "{\"defaultAction\": \"SCMP_ACT_LOG\"}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}",
                rule)) {
            Filter compiled = new FilterCache(directory.resolve("filters")).compile(json, target);
            Filter kept = new FilterCache(directory.resolve("filters")).compile(json, target);
            Filter read = Filter.of(Architecture.X86_64, compiled.bytes());
            assertThat(kept).isNotSameAs(compiled);
            assertThat(kept.letsTheProgramStart()).as(json).isEqualTo(read.letsTheProgramStart());
            assertThat(kept.canAsk()).as(json).isEqualTo(read.canAsk());
            if (kept.canAsk()) {
                assertThat(kept.asking().bytes())
                        .as(json)
                        .isEqualTo(read.asking().bytes());
                assertThat(kept.asking().letsTheProgramStart()).as(json).isFalse();
            }
        }
        assertThat(entries()).hasSize(5);
    }

    @Test
    void another_kernel_capability_or_profile_is_another_filter() throws IOException {
        var cache = new FilterCache(directory.resolve("filters"));
        cache.standard(target);
        Filter old = cache.standard(new Target(Architecture.X86_64, KernelVersion.parse("4.19"), 1L));
        Filter more = cache.standard(new Target(Architecture.X86_64, Calls.KERNEL, -1L));
        assertThat(List.of(old.sha256(), more.sha256(), cache.standard(target).sha256()))
                .doesNotHaveDuplicates();
        assertThat(entries()).hasSize(3);
    }

    @Test
    void an_entry_that_was_made_from_something_else_or_cut_short_is_not_used() throws IOException {
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
    void what_the_build_has_compiled_is_what_the_compiler_makes() throws IOException {
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

    /// What a filter is made by can change while profile, kernel and capabilities stay.
    @Test
    void a_filter_that_another_compiler_or_table_has_made_is_not_used() throws IOException {
        Path kept = directory.resolve("filters");
        new FilterCache(kept, new byte[] {1}).standard(target);
        new FilterCache(kept, new byte[] {2}).standard(target);
        assertThat(entries()).hasSize(2);
        new FilterCache(kept, new byte[0]).strict(target);
        assertThat(entries()).hasSize(2);
        assertThat(Precompiled.stamp()).hasSize(32);
    }

    @Test
    void the_stamp_is_another_for_another_table_or_class() throws IOException {
        Files.writeString(directory.resolve("syscalls.tsv"), "read\t0");
        Files.writeString(directory.resolve("Compiler.class"), "a");
        byte[] before = Precompiled.stamp(directory);
        Files.writeString(directory.resolve("Stamp.class"), "no part of it");
        assertThat(Precompiled.stamp(directory)).isEqualTo(before);
        Files.writeString(directory.resolve("syscalls.tsv"), "read\t1");
        byte[] table = Precompiled.stamp(directory);
        Files.writeString(directory.resolve("Compiler.class"), "b");
        assertThat(List.of(before, table, Precompiled.stamp(directory))).doesNotHaveDuplicates();
        assertThat(table).isNotEqualTo(before);
        byte[] named = Precompiled.stamp(directory);
        Files.move(directory.resolve("Compiler.class"), directory.resolve("Compilers.class"));
        assertThat(Precompiled.stamp(directory)).isNotEqualTo(named);
    }

    /// Who can put a file there can allow every call.
    @Test
    void a_directory_that_others_can_write_to_or_a_link_is_not_used() throws IOException {
        Path open = Files.createDirectory(directory.resolve("filters"));
        for (String mode : List.of("rwxrwx---", "rwx-w----", "rwx----w-", "rwxr-xrwx")) {
            Files.setPosixFilePermissions(open, PosixFilePermissions.fromString(mode));
            assertThatThrownBy(() -> new FilterCache(open).standard(target))
                    .as(mode)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("alone can write");
        }
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwx------"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), open);
        assertThatThrownBy(() -> new FilterCache(link).standard(target))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("alone can write");
        assertThat(entries()).isEmpty();
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
        new FilterCache(open).standard(target);
        assertThat(entries()).hasSize(1);
    }

    @Test
    void a_directory_of_another_user_is_not_used() throws IOException {
        assumeThat((int) Files.getAttribute(directory, "unix:uid"))
                .as("root gives files away")
                .isZero();
        Path others = Files.createDirectory(directory.resolve("filters"));
        Files.setPosixFilePermissions(others, PosixFilePermissions.fromString("rwx------"));
        Files.setAttribute(others, "unix:uid", 4711);
        assertThatThrownBy(() -> new FilterCache(others).standard(target))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("alone can write");
        assertThat(entries()).isEmpty();
    }

    @Test
    void a_full_cache_is_emptied() throws IOException {
        Path kept = Files.createDirectory(directory.resolve("filters"));
        Files.setPosixFilePermissions(kept, PosixFilePermissions.fromString("rwx------"));
        for (int entry = 0; entry < 256; entry++) {
            Files.createFile(kept.resolve(entry + ".bpf"));
        }
        new FilterCache(kept).standard(target);
        assertThat(entries()).hasSize(1);
    }

    @Test
    void a_wrong_profile_is_not_kept() throws IOException {
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
