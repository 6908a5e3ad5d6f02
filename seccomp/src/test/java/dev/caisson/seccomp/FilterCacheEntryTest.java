package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// When an entry of the cache is used: each is changed so that its filter would allow everything.
class FilterCacheEntryTest {
    private static final String REFUSES = "{\"defaultAction\": \"SCMP_ACT_ERRNO\"}";
    private static final byte[] STAMP = {1, 2, 3};
    private final Target target = new Target(Architecture.X86_64, Calls.KERNEL, 1L);

    @TempDir
    private Path temporary;

    private byte[] compile(String json) throws IOException {
        return new FilterCache(directory(), STAMP).compile(json, target).bytes();
    }

    private Path directory() {
        return temporary.resolve("filters");
    }

    private Path entry() throws IOException {
        try (var files = Files.list(directory())) {
            return files.reduce((one, other) -> {
                        throw new AssertionError(one + " and " + other);
                    })
                    .orElseThrow();
        }
    }

    /// The last instruction of the last part returns.
    private static byte[] allowing(byte[] entry) {
        byte[] changed = entry.clone();
        ByteBuffer.wrap(changed).order(ByteOrder.nativeOrder()).putInt(changed.length - 4, Action.ALLOW.returnValue());
        return changed;
    }

    private static byte[] programOf(byte[] entry, int length) {
        return Arrays.copyOfRange(entry, entry.length - length, entry.length);
    }

    @Test
    void an_entry_is_used_whatever_the_length_of_its_parts() throws IOException {
        for (int padding : new int[] {0, 200, 0x8180, 0x18283}) {
            String json = REFUSES + " ".repeat(padding);
            byte[] compiled = compile(json);
            byte[] changed = allowing(Files.readAllBytes(entry()));
            Files.write(entry(), changed);

            assertThat(compile(json))
                    .isEqualTo(programOf(changed, compiled.length))
                    .isNotEqualTo(compiled);
            Files.delete(entry());
        }
    }

    @Test
    void an_entry_that_is_cut_off_is_not_used() throws IOException {
        byte[] compiled = compile(REFUSES);
        byte[] changed = allowing(Files.readAllBytes(entry()));
        Path place = entry();

        for (int length = 0; length < changed.length; length++) {
            Files.write(place, Arrays.copyOf(changed, length));
            assertThat(compile(REFUSES)).as("%d bytes", length).isEqualTo(compiled);
        }
    }

    @Test
    void an_entry_that_was_made_of_something_else_is_not_used() throws IOException {
        byte[] compiled = compile(REFUSES);
        byte[] changed = allowing(Files.readAllBytes(entry()));
        Path place = entry();
        int origin = ByteBuffer.wrap(changed).getInt();

        for (int at = 0; at < Integer.BYTES + origin + Integer.BYTES; at++) {
            byte[] another = changed.clone();
            another[at] ^= (byte) (at < Integer.BYTES + origin ? 1 : 0x80);
            Files.write(place, another);
            assertThat(compile(REFUSES)).as("byte %d", at).isEqualTo(compiled);
        }
    }

    @Test
    void an_entry_without_a_summary_or_with_half_an_instruction_is_not_used() throws IOException {
        byte[] compiled = compile(REFUSES);
        byte[] changed = allowing(Files.readAllBytes(entry()));
        int origin = Integer.BYTES + ByteBuffer.wrap(changed).getInt();
        byte[] none = new byte[Integer.BYTES];
        Path place = entry();

        Files.write(place, join(Arrays.copyOf(changed, origin), none, part(programOf(changed, compiled.length))));
        assertThat(compile(REFUSES)).isEqualTo(compiled);
        Files.write(place, join(Arrays.copyOf(changed, origin), part(new byte[] {'x'}), none));
        assertThat(compile(REFUSES)).isEqualTo(compiled);
        Files.write(
                place,
                join(
                        Arrays.copyOf(changed, origin),
                        part(new byte[] {'x'}),
                        part(programOf(changed, compiled.length - 3))));
        assertThat(compile(REFUSES)).isEqualTo(compiled);
    }

    private static byte[] part(byte[] content) {
        return ByteBuffer.allocate(Integer.BYTES + content.length)
                .putInt(content.length)
                .put(content)
                .array();
    }

    private static byte[] join(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }

    @Test
    void what_is_kept_is_of_this_target_alone() throws IOException {
        compile(REFUSES);
        Files.write(entry(), allowing(Files.readAllBytes(entry())));
        byte[] changed = compile(REFUSES);

        for (Target other : new Target[] {
            new Target(Architecture.X86_64, Calls.KERNEL, 2L),
            new Target(Architecture.AARCH64, Calls.KERNEL, 1L),
            new Target(Architecture.X86_64, KernelVersion.parse("7.12"), 1L),
            new Target(Architecture.X86_64, KernelVersion.parse("6.11"), 1L)
        }) {
            assertThat(new FilterCache(directory(), STAMP)
                            .compile(REFUSES, other)
                            .bytes())
                    .isNotEqualTo(changed);
        }
        assertThat(new FilterCache(directory(), new byte[] {1, 2, 4})
                        .compile(REFUSES, target)
                        .bytes())
                .isNotEqualTo(changed);
    }

    @Test
    void nothing_unfinished_is_left_and_what_is_no_entry_stays() throws IOException {
        Files.createDirectory(directory());
        Files.setPosixFilePermissions(directory(), PosixFilePermissions.fromString("rwx------"));
        for (int i = 0; i < 300; i++) {
            Files.createFile(directory().resolve(i + (i < 200 ? ".txt" : ".bpf")));
        }

        compile(REFUSES);

        try (var files = Files.list(directory())) {
            assertThat(files).hasSize(301).noneMatch(file -> file.toString().endsWith(".tmp"));
        }
    }

    @Test
    void a_file_is_no_cache() throws IOException {
        Files.createFile(directory());

        assertThatThrownBy(() -> compile(REFUSES))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("alone can write");
        assertThat(directory()).isRegularFile();
    }
}
