package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.SecretException.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A file with a secret is its owner's alone, of a bounded size, and a file.
class PrivateFileTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path directory;

    private Path file(String content, int mode) throws IOException {
        Path file = Files.writeString(directory.resolve("value"), content);
        Files.setAttribute(file, "unix:mode", mode);
        return file;
    }

    private static String read(Path file, int most) {
        try (SecretValue value = PrivateFile.read(file, most, Code.SECRET_SOURCE, "token")) {
            return new String(value.copy(), StandardCharsets.UTF_8);
        }
    }

    private static void assertRefused(String part, ThrowingCallable read) {
        assertThatThrownBy(read)
                .isInstanceOfSatisfying(
                        SecretException.class, e -> assertThat(e.code()).isEqualTo("SECRET_SOURCE"))
                .hasMessageContaining("the token ")
                .hasMessageContaining(part)
                .hasMessageNotContaining("hush");
    }

    @ParameterizedTest
    @ValueSource(ints = {0400, 0600, 0700})
    void a_file_that_its_owner_alone_may_read_is_read(int mode) throws IOException {
        assertThat(read(file("hush", mode), 4)).isEqualTo("hush");
    }

    @ParameterizedTest
    @ValueSource(ints = {0440, 0420, 0410, 0404, 0402, 0401, 0644, 0777})
    void a_file_that_others_may_use_in_any_way_is_refused(int mode) throws IOException {
        Path file = file("hush", mode);
        assertRefused("chmod 0400", () -> read(file, 100));
    }

    @Test
    void a_file_has_as_many_bytes_as_are_allowed_and_no_more() throws IOException {
        Path file = file("hush", 0400);
        assertThat(read(file, 4)).isEqualTo("hush");
        assertRefused("larger than 3 bytes", () -> read(file, 3));
    }

    /// A pipe would let its reader wait for a writer.
    @Test
    void what_is_no_file_is_refused_at_once() throws IOException {
        Path pipe = directory.resolve("pipe");
        try (Fd at = FileSystem.open(directory.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            FileSystem.makeNode(at, "pipe", 0010400, 0);
        }
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(20), () -> assertRefused("is not a file", () -> read(pipe, 100)));
        assertRefused("is not a file", () -> read(directory, 100));
        assertRefused("ENOENT", () -> read(directory.resolve("none"), 100));
    }
}
