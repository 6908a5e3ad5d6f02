package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// When what was made of a file's content is still taken for true.
class StampedFilesTest {
    private final Instant later = Instant.now().plusSeconds(3_600);

    @TempDir
    private Path directory;

    private final StampedFiles<String> known = new StampedFiles<>(2);

    private FileStatus status(String name) {
        try (Fd file = FileSystem.open(directory.resolve(name).toString(), FileSystem.O_RDONLY)) {
            return FileSystem.status(file);
        }
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(directory.resolve(name), text);
    }

    @Test
    void a_file_that_has_not_changed_is_known() throws IOException {
        write("a", "one");
        known.remember(status("a"), later, "made of one");

        assertThat(known.find(status("a"))).contains("made of one");
    }

    @Test
    void a_file_that_changed_just_now_is_not_remembered() throws IOException {
        Instant seen = Instant.now();
        write("a", "one");
        known.remember(status("a"), seen, "made of one");

        assertThat(known.find(status("a"))).isEmpty();
    }

    @Test
    void a_file_of_the_future_is_not_remembered() throws IOException {
        write("a", "one");
        Files.setLastModifiedTime(directory.resolve("a"), java.nio.file.attribute.FileTime.from(later.plusSeconds(60)));
        known.remember(status("a"), later, "made of one");

        assertThat(known.find(status("a"))).isEmpty();
    }

    @Test
    void other_content_of_the_same_length_and_time_is_another_file() throws Exception {
        write("a", "one");
        var time = Files.getLastModifiedTime(directory.resolve("a"));
        known.remember(status("a"), later, "made of one");

        Thread.sleep(20); // the tick of the kernel's clock
        write("a", "two");
        Files.setLastModifiedTime(directory.resolve("a"), time);

        assertThat(known.find(status("a"))).isEmpty();
    }

    @Test
    void a_change_of_mode_or_a_replacement_is_seen() throws Exception {
        write("a", "one");
        write("b", "one");
        known.remember(status("a"), later, "made of one");
        known.remember(status("b"), later, "made of the other");

        Thread.sleep(20);
        try (Fd file = FileSystem.open(directory.resolve("b").toString(), FileSystem.O_RDONLY)) {
            FileSystem.changeMode(file, 0600);
        }
        Files.move(directory.resolve("b"), directory.resolve("a"), StandardCopyOption.REPLACE_EXISTING);

        assertThat(known.find(status("a"))).isEmpty();
    }

    @Test
    void the_files_that_were_asked_for_last_stay() throws IOException {
        for (String name : new String[] {"a", "b", "c"}) {
            write(name, name);
        }
        known.remember(status("a"), later, "a");
        known.remember(status("b"), later, "b");
        assertThat(known.find(status("a"))).contains("a");
        known.remember(status("c"), later, "c");

        assertThat(known.find(status("a"))).contains("a");
        assertThat(known.find(status("b"))).isEmpty();
    }

    @Test
    void what_is_forgotten_is_not_known() throws IOException {
        write("a", "one");
        known.remember(status("a"), later, "made of one");
        known.forget(status("a"));

        assertThat(known.find(status("a"))).isEmpty();
    }
}
