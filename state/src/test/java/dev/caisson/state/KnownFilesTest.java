package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// When a file is read again that was read before.
class KnownFilesTest {
    private static final String NAME = "one.json";

    @TempDir
    private Path path;

    private int reads;
    private final KnownFiles<String> known = new KnownFiles<>(NAME);

    @BeforeEach
    void make() throws Exception {
        Files.createDirectory(path.resolve("a"));
    }

    private Path write(String text) throws IOException {
        return Files.writeString(path.resolve("a").resolve(NAME), text);
    }

    private static void settle() throws InterruptedException {
        Thread.sleep(1_200);
    }

    private Optional<String> read(String directory) {
        try (Fd own =
                FileSystem.open(path.resolve(directory).toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return known.read(own, "id", open -> {
                reads++;
                return KeptFile.readText(open, NAME, 1 << 20);
            });
        }
    }

    private Optional<String> read() {
        return read("a");
    }

    @Test
    void a_file_that_does_not_change_is_read_once() throws Exception {
        write("first");
        settle();

        assertThat(read()).contains("first");
        assertThat(read()).contains("first");
        assertThat(reads).isEqualTo(1);
    }

    @Test
    void a_file_that_is_replaced_or_gone_is_not_known() throws Exception {
        write("first");
        settle();
        assertThat(read()).contains("first");

        Files.move(
                Files.writeString(path.resolve("a/other"), "other"),
                path.resolve("a").resolve(NAME),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThat(read()).contains("other");

        Files.delete(path.resolve("a").resolve(NAME));
        assertThat(read()).isEmpty();
    }

    /// As a clock does that was set back: the times of both are the same.
    @Test
    void a_file_that_is_changed_with_the_time_that_it_had_is_read_again() throws Exception {
        Path file = write("first");
        settle();
        assertThat(read()).contains("first");
        FileTime before = Files.getLastModifiedTime(file);

        write("other");
        Files.setLastModifiedTime(file, before);

        assertThat(read()).contains("other");
    }

    @Test
    void what_has_just_changed_or_is_of_the_future_is_read_each_time() throws Exception {
        Path file = write("first");
        assertThat(read()).contains("first");
        assertThat(read()).contains("first");
        assertThat(reads).isEqualTo(2);

        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(3_600)));
        settle();
        assertThat(read()).contains("first");
        assertThat(read()).contains("first");
        assertThat(reads).isEqualTo(4);
    }

    @Test
    void a_large_file_is_read_each_time() throws Exception {
        write("x".repeat((64 << 10) + 1));
        settle();

        read();
        read();

        assertThat(reads).isEqualTo(2);
    }

    @Test
    void a_file_stays_known_when_its_directory_gets_another_name() throws Exception {
        write("first");
        settle();
        assertThat(read()).contains("first");

        Files.move(path.resolve("a"), path.resolve("b"));

        assertThat(read("b")).contains("first");
        assertThat(reads).isEqualTo(1);
    }

    @Test
    void those_that_are_not_retained_are_forgotten() throws Exception {
        write("first");
        settle();
        read();

        known.retain(Set.of("id"));
        read();
        assertThat(reads).isEqualTo(1);
        known.retain(Set.of("other"));
        read();
        assertThat(reads).isEqualTo(2);
    }
}
