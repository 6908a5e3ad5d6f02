package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// When a directory is read again that was read before.
class KnownDirectoriesTest {
    private static final String NAME = "one.json";
    private static final String ID = "id";

    @TempDir
    private Path path;

    private int reads;
    private Fd all;
    private final KnownDirectories<String> known = new KnownDirectories<>();

    @BeforeEach
    void make() throws Exception {
        Files.createDirectory(path.resolve("a"));
        all = FileSystem.open(path.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    @AfterEach
    void close() {
        all.close();
    }

    /// As every writer does.
    private void write(String text) {
        try (Fd own = open("a")) {
            KeptFile.writeText(own, NAME, text);
        }
    }

    private Fd open(String directory) {
        return FileSystem.openAt(all, directory, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, 0);
    }

    private static void settle() throws InterruptedException {
        Thread.sleep(1_200);
    }

    private Optional<String> read(String directory) {
        return KnownDirectories.Seen.of(all, directory)
                .flatMap(seen -> known.find(ID, seen).or(() -> readAgain(directory, seen)));
    }

    private Optional<String> readAgain(String directory, KnownDirectories.Seen seen) {
        reads++;
        try (Fd own = open(directory)) {
            Optional<String> text = KeptFile.readText(own, NAME, 1 << 20);
            text.ifPresent(found -> known.keep(ID, seen, found, own, NAME));
            return text;
        }
    }

    private Optional<String> read() {
        return read("a");
    }

    @Test
    void a_directory_that_does_not_change_is_read_once() throws Exception {
        write("first");
        settle();

        assertThat(read()).contains("first");
        assertThat(read()).contains("first");
        assertThat(reads).isEqualTo(1);
    }

    @Test
    void a_file_that_is_written_again_or_gone_is_not_known() throws Exception {
        write("first");
        settle();
        assertThat(read()).contains("first");

        write("other");
        assertThat(read()).contains("other");

        settle();
        assertThat(read()).contains("other");
        Files.delete(path.resolve("a").resolve(NAME));
        assertThat(read()).isEmpty();
    }

    /// As a clock does that was set back: the times of both are the same.
    @Test
    void a_file_that_is_written_again_at_the_same_time_is_read_again() throws Exception {
        write("first");
        settle();
        assertThat(read()).contains("first");
        FileTime before = Files.getLastModifiedTime(path.resolve("a"));

        write("other");
        Files.setLastModifiedTime(path.resolve("a"), before);

        assertThat(read()).contains("other");
    }

    @Test
    void what_has_just_changed_or_is_of_the_future_is_read_each_time() throws Exception {
        write("first");
        assertThat(read()).contains("first");
        assertThat(read()).contains("first");
        assertThat(reads).isEqualTo(2);

        Files.setLastModifiedTime(path.resolve("a"), FileTime.from(Instant.now().plusSeconds(3_600)));
        settle();
        assertThat(read()).contains("first");
        assertThat(read()).contains("first");
        assertThat(reads).isEqualTo(4);
    }

    @Test
    void a_directory_with_a_large_file_is_read_each_time() throws Exception {
        write("x".repeat((64 << 10) + 1));
        settle();

        read();
        read();

        assertThat(reads).isEqualTo(2);
    }

    @Test
    void a_directory_that_gets_another_name_is_found_by_it() throws Exception {
        write("first");
        settle();
        assertThat(read()).contains("first");

        Files.move(path.resolve("a"), path.resolve("b"));

        assertThat(read("b")).contains("first");
        assertThat(read()).isEmpty();
    }

    @Test
    void another_directory_or_a_link_in_its_place_is_not_the_same() throws Exception {
        write("first");
        settle();
        assertThat(read()).contains("first");

        Files.move(path.resolve("a"), path.resolve("b"));
        Files.createSymbolicLink(path.resolve("a"), Path.of("b"));
        assertThat(read()).isEmpty();

        Files.delete(path.resolve("a"));
        Files.createDirectory(path.resolve("a"));
        write("other");
        assertThat(read()).contains("other");
    }

    @Test
    void those_that_are_not_retained_are_forgotten() throws Exception {
        write("first");
        settle();
        read();

        known.retain(Set.of(ID));
        read();
        assertThat(reads).isEqualTo(1);
        known.retain(Set.of("other"));
        read();
        assertThat(reads).isEqualTo(2);
    }
}
