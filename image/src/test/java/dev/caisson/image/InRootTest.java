package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Files of an image as somebody inside would see them, in directories that stand for layers.
class InRootTest {
    private static final int LIMIT = 100;

    @TempDir
    Path temporary;

    private Path upper;
    private Path lower;

    @BeforeEach
    void two_layers() throws IOException {
        upper = Files.createDirectories(temporary.resolve("upper"));
        lower = temporary.resolve("lower");
        Files.createDirectories(lower.resolve("etc"));
        Files.writeString(lower.resolve("etc/passwd"), "lower");
        Files.writeString(temporary.resolve("passwd"), "outside");
    }

    private static Fd open(Path directory) {
        return FileSystem.open(directory.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
    }

    private Optional<String> read(String path) {
        try (Fd first = open(upper);
                Fd second = open(lower)) {
            return InRoot.read(List.of(first, second), path, LIMIT)
                    .map(content -> new String(content, StandardCharsets.UTF_8));
        }
    }

    @Test
    void the_first_layer_that_has_a_file_counts() throws IOException {
        assertThat(read("etc/passwd")).contains("lower");
        assertThat(read("etc/none")).isEmpty();

        Files.createDirectories(upper.resolve("etc"));
        Files.writeString(upper.resolve("etc/passwd"), "upper");

        assertThat(read("etc/passwd")).contains("upper");
    }

    /// A directory may have mounts of its user's own.
    @Test
    @Tag("root")
    void what_is_mounted_in_a_layer_is_of_it() throws Exception {
        Path bin = Files.createDirectories(lower.resolve("bin"));
        Path mounted = Files.createDirectories(temporary.resolve("mounted"));
        Files.writeString(mounted.resolve("sh"), "shell");
        Files.setPosixFilePermissions(mounted.resolve("sh"), PosixFilePermissions.fromString("rwxr-xr-x"));
        run("mount", "--bind", mounted.toString(), bin.toString());
        try (Fd layer = open(lower)) {
            assertThat(read("bin/sh")).contains("shell");
            assertThat(InRoot.isFile(layer, "bin/sh")).isTrue();
            assertThat(InRoot.isExecutableFile(layer, "bin/sh")).isTrue();
        } finally {
            run("umount", bin.toString());
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    @Test
    void a_link_leads_nowhere_but_into_the_layer() throws IOException {
        Files.createSymbolicLink(upper.resolve("out"), Path.of("../../passwd"));
        Files.createSymbolicLink(lower.resolve("out"), Path.of("../passwd"));
        Files.createSymbolicLink(lower.resolve("in"), Path.of("/etc/passwd"));

        assertThat(read("out")).isEmpty();
        assertThat(read("in")).contains("lower");
    }

    @Test
    void a_file_is_bounded_and_regular() throws IOException {
        Files.writeString(lower.resolve("fits"), "x".repeat(LIMIT));
        Files.writeString(lower.resolve("large"), "x".repeat(LIMIT + 1));

        assertThat(read("fits")).hasValueSatisfying(text -> assertThat(text).hasSize(LIMIT));
        for (String bad : List.of("large", "etc")) {
            var refused = catchThrowableOfType(ImageException.class, () -> read(bad));
            assertThat(refused.reason()).isEqualTo(Code.BAD_ACCOUNT_FILE);
        }
    }

    @Test
    @Tag("root")
    void a_whiteout_hides_and_a_device_is_never_opened() throws IOException {
        Files.createDirectories(upper.resolve("etc"));
        try (Fd directory = open(upper.resolve("etc"))) {
            FileSystem.makeNode(directory, "passwd", 0020600, 0);
            FileSystem.makeNode(directory, "null", 0020600, 1 << 8 | 3);
            FileSystem.makeNode(directory, "block", 0060600, 0);
        }

        assertThat(read("etc/passwd")).isEmpty();
        assertThatThrownBy(() -> read("etc/null")).hasMessageContaining("no regular file");
        assertThatThrownBy(() -> read("etc/block")).hasMessageContaining("no regular file");
    }

    @ParameterizedTest
    @CsvSource({"r--------,false", "--x------,true", "-----x---,true", "--------x,true", "rw-rw-rw-,false"})
    void a_program_is_a_file_that_somebody_may_execute(String permissions, boolean executable) throws IOException {
        Path program = Files.writeString(upper.resolve("program"), "");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString(permissions));

        try (Fd layer = open(upper)) {
            assertThat(InRoot.isExecutableFile(layer, "program")).isEqualTo(executable);
            assertThat(InRoot.isFile(layer, "program")).isTrue();
        }
    }

    /// An absolute link means the same as inside: it does not lead to the file of the host.
    @Test
    void a_program_is_not_looked_for_on_the_host() throws IOException {
        Files.createSymbolicLink(upper.resolve("host"), Path.of("/usr/bin/env"));
        Files.createSymbolicLink(upper.resolve("magic"), Path.of("/proc/self/exe"));
        Files.createSymbolicLink(lower.resolve("above"), Path.of("../passwd"));
        Files.createSymbolicLink(lower.resolve("inside"), Path.of("/etc/passwd"));
        Files.setPosixFilePermissions(lower.resolve("etc/passwd"), PosixFilePermissions.fromString("rwxr-xr-x"));

        try (Fd first = open(upper);
                Fd second = open(lower)) {
            for (String path : List.of("host", "magic")) {
                assertThat(InRoot.isFile(first, path)).isFalse();
                assertThat(InRoot.isExecutableFile(first, path)).isFalse();
            }
            assertThat(InRoot.isFile(second, "above")).isFalse();
            assertThat(InRoot.isFile(second, "inside")).isTrue();
            assertThat(InRoot.isExecutableFile(second, "inside")).isTrue();
        }
    }

    @Test
    void a_directory_and_what_is_not_there_are_no_programs() throws IOException {
        Files.createSymbolicLink(upper.resolve("loop"), Path.of("loop"));

        try (Fd layer = open(lower)) {
            for (String path : List.of("etc", "none", "etc/none", "etc/passwd/x")) {
                assertThat(InRoot.isExecutableFile(layer, path)).isFalse();
                assertThat(InRoot.isFile(layer, path)).isFalse();
            }
        }
        try (Fd layer = open(upper)) {
            assertThat(InRoot.isExecutableFile(layer, "loop")).isFalse();
            assertThat(InRoot.isFile(layer, "loop")).isFalse();
        }
    }
}
