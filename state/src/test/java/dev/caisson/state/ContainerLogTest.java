package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.state.LogEntry.Stream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A container's log as it is written, turned over and read.
class ContainerLogTest {
    private static final String NAME = "log";
    private static final int SMALL = 2000;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private final List<Fd> opened = new ArrayList<>();

    @AfterEach
    void close() {
        opened.forEach(Fd::close);
    }

    @Test
    void each_line_is_an_object_of_dockers_format() throws IOException {
        try (ContainerLog log = log(SMALL)) {
            write(log, Stream.STDOUT, "a \"quoted\" \u001b[1mline\u001b[0m\nno ");
            write(log, Stream.STDERR, "error\n");
            write(log, Stream.STDOUT, "end");
            assertThat(read()).hasSize(2);
            log.end();
        }

        List<String> lines = Files.readAllLines(directory.resolve(NAME));
        assertThat(lines)
                .allMatch(
                        line -> line.matches(
                                "\\{\"log\":\".*\",\"stream\":\"std(out|err)\",\"time\":\"[0-9-]{10}T[0-9:]{8}\\.[0-9]{9}Z\"\\}"));
        assertThat(lines.getFirst()).startsWith("{\"log\":\"a \\\"quoted\\\" \\u001B[1mline\\u001B[0m\\n\"");
        assertThat(read())
                .extracting(entry -> entry.stream() + " " + entry.text())
                .containsExactly("STDOUT a \"quoted\" \u001b[1mline\u001b[0m\n", "STDERR error\n", "STDOUT no end");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(NAME))))
                .isEqualTo("rw-------");
    }

    @Test
    void a_long_line_is_parted_between_characters_and_bytes_that_are_no_text_are_replaced() throws IOException {
        String umlauts = "x" + "ä".repeat(ContainerLog.LONGEST_PART);
        try (ContainerLog log = log(1 << 20)) {
            write(log, Stream.STDOUT, umlauts + "\n");
            byte[] none = {(byte) 0xff, 'b', (byte) 0xc3, '\n'};
            log.write(Stream.STDOUT, none, none.length);
        }

        List<String> texts = read().stream().map(LogEntry::text).toList();
        assertThat(texts).hasSize(4);
        assertThat(String.join("", texts.subList(0, 3))).isEqualTo(umlauts + "\n");
        assertThat(texts.subList(0, 3))
                .allMatch(text -> text.getBytes(StandardCharsets.UTF_8).length <= ContainerLog.LONGEST_PART);
        assertThat(texts.getLast()).isEqualTo("\uFFFDb\uFFFD\n");
    }

    @Test
    void no_file_is_larger_and_no_more_are_there_than_was_said() throws IOException {
        try (ContainerLog log = log(SMALL)) {
            for (int i = 0; i < 500; i++) {
                write(log, Stream.STDOUT, "line " + i + "\n");
            }
            // all at once: the bound is held within a batch too
            write(
                    log,
                    Stream.STDERR,
                    String.join(
                            "",
                            IntStream.range(500, 900)
                                    .mapToObj(i -> "line " + i + "\n")
                                    .toList()));
            assertThat(log.failure()).isEmpty();
        }

        assertThat(directory.toFile().list()).containsExactlyInAnyOrder(NAME, NAME + ".1", NAME + ".2");
        for (int age = 0; age < ContainerLog.FILES; age++) {
            assertThat(Files.size(directory.resolve(ContainerLog.name(NAME, age))))
                    .isLessThanOrEqualTo(SMALL);
        }
        List<LogEntry> left = read();
        assertThat(left).hasSizeGreaterThan(40);
        assertThat(left)
                .extracting(LogEntry::text)
                .containsExactlyElementsOf(IntStream.range(900 - left.size(), 900)
                        .mapToObj(i -> "line " + i + "\n")
                        .toList());
    }

    @Test
    void the_last_lines_are_counted_over_all_files() {
        try (ContainerLog log = log(SMALL)) {
            for (int i = 0; i < 60; i++) {
                write(log, Stream.STDOUT, "line " + i + "\n");
            }
        }

        List<LogEntry> all = read();
        for (int last : new int[] {0, 1, 5, 22, 23, 24, 45, all.size(), all.size() + 1}) {
            assertThat(read(OptionalLong.of(last)))
                    .as("the last %s", last)
                    .isEqualTo(all.subList(Math.max(0, all.size() - last), all.size()));
        }
    }

    @Test
    void who_reads_along_misses_nothing_when_files_are_turned_over_and_is_told_when_it_was_too_slow() {
        try (ContainerLog log = log(SMALL);
                LogReader reader = reader(OptionalLong.empty())) {
            var seen = new ArrayList<String>();
            for (int i = 0; i < 300; i++) {
                write(log, Stream.STDOUT, "line " + i + "\n");
                if (i % 7 == 0) {
                    drain(reader, seen);
                }
            }
            drain(reader, seen);
            assertThat(seen)
                    .containsExactlyElementsOf(IntStream.range(0, 300)
                            .mapToObj(i -> "line " + i + "\n")
                            .toList());
            assertThat(reader.hasGap()).isFalse();

            for (int i = 300; i < 500; i++) {
                write(log, Stream.STDOUT, "line " + i + "\n");
            }
            seen.clear();
            drain(reader, seen);
            assertThat(reader.hasGap()).isTrue();
            assertThat(seen).endsWith("line 498\n", "line 499\n");
        }
    }

    @Test
    void nor_when_that_happens_between_a_look_and_the_next() throws Exception {
        int lines = 5_000;
        var seen = new ArrayList<String>();
        var read = new AtomicInteger();
        try (ContainerLog log = log(SMALL);
                LogReader reader = reader(OptionalLong.empty())) {
            Thread writer = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < lines; i++) {
                    awaitReader(read, i - 20); // less than a file has
                    write(log, Stream.STDOUT, i + "\n");
                }
            });
            boolean goesOn = true;
            while (goesOn) {
                goesOn = writer.isAlive();
                drain(reader, seen);
                read.set(seen.size());
            }
            assertThat(reader.hasGap()).isFalse();
        }
        assertThat(seen)
                .containsExactlyElementsOf(
                        IntStream.range(0, lines).mapToObj(i -> i + "\n").toList());
    }

    /// For a while only: a reader that has missed something never comes so far.
    private static void awaitReader(AtomicInteger read, int least) {
        long begun = System.nanoTime();
        while (read.get() < least && System.nanoTime() - begun < 30_000_000_000L) {
            LockSupport.parkNanos(10_000);
        }
        if (read.get() < least) {
            throw new IllegalStateException("the reader has missed something");
        }
    }

    @Test
    void a_line_that_is_none_or_was_not_written_whole_is_passed_over() throws IOException {
        try (ContainerLog log = log(1 << 20)) {
            write(log, Stream.STDOUT, "before\n");
        }
        Path file = directory.resolve(NAME);
        String good = Files.readString(file);
        Files.writeString(file, good + "{\"log\":5}\n{\n" + "x".repeat(500_000) + "\n" + good + good.substring(0, 20));

        try (LogReader reader = reader(OptionalLong.empty())) {
            var seen = new ArrayList<String>();
            drain(reader, seen);
            assertThat(seen).containsExactly("before\n", "before\n");
            assertThat(reader.unreadable()).isEqualTo(3);
        }
    }

    @Test
    void a_log_that_cannot_be_written_ends_with_the_reason() throws IOException {
        try (ContainerLog log = log(SMALL)) {
            Files.delete(directory.resolve(NAME));
            Files.createDirectory(directory.resolve(NAME));
            Files.createDirectory(directory.resolve(NAME + ".1"));
            Files.createFile(directory.resolve(NAME + ".1/in-the-way"));
            for (int i = 0; i < 100; i++) {
                write(log, Stream.STDOUT, "line " + i + "\n");
            }

            assertThat(log.failure()).hasValueSatisfying(why -> assertThat(why).contains("renameat2", "ENOTEMPTY"));
        }
    }

    private ContainerLog log(long most) {
        return new ContainerLog(open(), NAME, most, ContainerLog.FILES);
    }

    private static void write(ContainerLog log, Stream stream, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        log.write(stream, bytes, bytes.length);
    }

    private LogReader reader(OptionalLong last) {
        return new LogReader(open(), NAME, ContainerLog.FILES, last);
    }

    private List<LogEntry> read() {
        return read(OptionalLong.empty());
    }

    private List<LogEntry> read(OptionalLong last) {
        try (LogReader reader = reader(last)) {
            var all = new ArrayList<LogEntry>();
            for (List<LogEntry> some = reader.next(); !some.isEmpty(); some = reader.next()) {
                all.addAll(some);
            }
            return all;
        }
    }

    private static void drain(LogReader reader, List<String> texts) {
        for (List<LogEntry> some = reader.next(); !some.isEmpty(); some = reader.next()) {
            some.forEach(entry -> texts.add(entry.text()));
        }
    }

    private Fd open() {
        Fd open = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        opened.add(open);
        return open;
    }
}
