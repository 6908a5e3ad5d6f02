package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
class EventJournalTest {
    @TempDir
    Path directory;

    private Path state() {
        return directory.resolve("state");
    }

    @Test
    void a_reader_gets_what_was_there_and_what_comes() {
        try (var journal = new EventJournal(state())) {
            assertThat(journal.next()).isEmpty();
            EventJournal.append(state(), "one");
            assertThat(journal.next()).containsExactly("one");
            assertThat(journal.next()).isEmpty();
            EventJournal.append(state(), "two");
            EventJournal.append(state(), "käse");
            assertThat(journal.next()).containsExactly("two", "käse");
            assertThat(journal.hasGap()).isFalse();
        }
        try (var later = new EventJournal(state())) {
            assertThat(later.next()).containsExactly("one", "two", "käse");
        }
    }

    @Test
    void it_is_bounded_and_a_reader_follows_over_its_files() throws Exception {
        String line = "x".repeat(10_000);
        var read = new ArrayList<String>();
        try (var journal = new EventJournal(state())) {
            for (int i = 0; i < 100; i++) {
                EventJournal.append(state(), i + " " + line);
                if (i % 10 == 0) {
                    read.addAll(journal.next());
                }
            }
            read.addAll(journal.next());
            assertThat(read).hasSize(100).first().isEqualTo("0 " + line);
            assertThat(journal.hasGap()).isFalse();
        }
        assertThat(Files.size(state().resolve("events"))).isLessThanOrEqualTo(EventJournal.FILE_BYTES);
        assertThat(Files.size(state().resolve("events.1"))).isLessThanOrEqualTo(EventJournal.FILE_BYTES);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(state().resolve("events"))))
                .isEqualTo("rw-------");
    }

    @Test
    void a_reader_that_is_too_slow_is_told() {
        try (var journal = new EventJournal(state())) {
            EventJournal.append(state(), "first");
            assertThat(journal.next()).containsExactly("first");
            for (int i = 0; i < 100; i++) {
                EventJournal.append(state(), "x".repeat(10_000));
            }
            assertThat(journal.next()).isNotEmpty();
            assertThat(journal.hasGap()).isTrue();
        }
    }

    @Test
    void a_line_that_was_cut_off_by_a_crash_spoils_no_other() throws Exception {
        EventJournal.append(state(), "one");
        try (var journal = new EventJournal(state())) {
            Files.writeString(state().resolve("events"), "{\"cut", StandardOpenOption.APPEND);
            assertThat(journal.next()).containsExactly("one");

            EventJournal.append(state(), "two");

            assertThat(journal.next()).containsExactly("{\"cut", "two");
        }
    }

    @Test
    void writers_at_the_same_time_write_whole_lines() throws Exception {
        List<Thread> writers = IntStream.range(0, 8)
                .mapToObj(writer -> Thread.ofPlatform().start(() -> {
                    for (int i = 0; i < 50; i++) {
                        EventJournal.append(state(), writer + ":" + i + ":" + "y".repeat(50));
                    }
                }))
                .toList();
        for (Thread writer : writers) {
            writer.join();
        }

        try (var journal = new EventJournal(state())) {
            assertThat(journal.next()).hasSize(400).allMatch(line -> line.matches("\\d:\\d+:y{50}"));
        }
    }

    @Test
    void what_is_no_line_is_refused() {
        assertThatIllegalArgumentException().isThrownBy(() -> EventJournal.append(state(), "a\nb"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EventJournal.append(state(), "x".repeat(EventJournal.LINE_BYTES)));
    }

    @Test
    void a_writer_waits_for_another_one_to_leave_the_journal() throws Exception {
        EventJournal.append(state(), "one");
        Thread writer;
        try (Fd other = FileSystem.open(state().resolve("events.lock").toString(), FileSystem.O_RDWR)) {
            FileLocks.lock(other);
            writer = Thread.ofPlatform().start(() -> EventJournal.append(state(), "two"));
            assertThat(writer.join(Duration.ofMillis(300))).isFalse();
            assertThat(Files.readString(state().resolve("events"))).doesNotContain("two");
        }
        assertThat(writer.join(Duration.ofSeconds(10))).isTrue();
        assertThat(Files.readString(state().resolve("events"))).contains("two");
    }
}
