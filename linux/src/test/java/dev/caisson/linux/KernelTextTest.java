package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class KernelTextTest {
    @TempDir
    Path temporary;

    private Fd directory;

    @BeforeEach
    void open() {
        directory = FileSystem.open(temporary.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    @AfterEach
    void close() {
        directory.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4094, 4095, 4096, 4097, 300_000})
    void a_text_is_whole_however_long_it_is(int length) throws Exception {
        String text = "x".repeat(length);
        Files.writeString(temporary.resolve("file"), text + "\n");

        assertThat(KernelText.read(directory, "file")).isEqualTo(text);
        assertThat(KernelText.find(directory, "file")).contains(text);
        try (Fd file = FileSystem.openAt(directory, "file", FileSystem.O_RDONLY, 0, 0)) {
            assertThat(KernelText.read(file)).isEqualTo(text).isEqualTo(KernelText.read(file));
        }
    }

    /// The kernel gives as many records at a time as fit whole, so a read can end short and not be the last.
    @Test
    void a_list_of_records_is_whole() throws Exception {
        Path symbols = Path.of("/proc/kallsyms");
        try (Fd proc = FileSystem.open("/proc", FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            assertThat(KernelText.read(proc, "kallsyms"))
                    .hasSizeGreaterThan(4096)
                    .isEqualTo(Files.readString(symbols).stripTrailing());
        }
    }

    @Test
    void white_space_goes_at_the_end_alone() throws Exception {
        Files.writeString(temporary.resolve("file"), " a \n b \t\n\n");

        assertThat(KernelText.read(directory, "file")).isEqualTo(" a \n b");
    }

    @Test
    void what_is_not_there_is_found_empty_and_read_with_an_error() {
        assertThat(KernelText.find(directory, "none")).isEmpty();
        assertThatThrownBy(() -> KernelText.read(directory, "none"))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    }

    @Test
    void no_path_leaves_the_directory_or_follows_a_link() throws Exception {
        Files.writeString(temporary.resolve("file"), "text");
        Files.createSymbolicLink(temporary.resolve("link"), Path.of("file"));

        assertThatThrownBy(() -> KernelText.find(directory, "link")).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> KernelText.find(directory, "../../etc/passwd")).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> KernelText.find(directory, "/etc/passwd")).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> KernelText.find(directory, "file\0.d")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> KernelText.find(directory, "d/".repeat(3000)))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENAMETOOLONG));
    }

    @Test
    void many_at_once_get_each_their_own_text() throws Exception {
        for (int i = 0; i < 50; i++) {
            Files.writeString(temporary.resolve("file" + i), "text " + i);
        }

        assertThat(IntStream.range(0, 20_000)
                        .parallel()
                        .allMatch(
                                i -> KernelText.read(directory, "file" + i % 50).equals("text " + i % 50)))
                .isTrue();
    }

    @Test
    void no_descriptor_stays_open() throws Exception {
        Files.writeString(temporary.resolve("file"), "x".repeat(5000));
        int before = descriptors();
        for (int i = 0; i < 200; i++) {
            KernelText.read(directory, "file");
            KernelText.find(directory, "none");
            assertThatThrownBy(() -> KernelText.read(directory, ".")).isInstanceOf(ErrnoException.class); // EISDIR
        }

        assertThat(descriptors()).isLessThan(before + 50);
    }

    private static int descriptors() throws Exception {
        try (var open = Files.list(Path.of("/proc/self/fd"))) {
            return (int) open.count();
        }
    }

    @Test
    void a_directory_is_told_from_a_file_a_link_and_nothing() throws Exception {
        Files.createDirectory(temporary.resolve("directory"));
        Files.writeString(temporary.resolve("file"), "text");
        Files.createSymbolicLink(temporary.resolve("link"), Path.of("directory"));

        assertThat(FileSystem.isDirectory(directory, "directory")).isTrue();
        assertThat(FileSystem.isDirectory(directory, "file")).isFalse();
        assertThat(FileSystem.isDirectory(directory, "link")).isFalse();
        assertThat(FileSystem.isDirectory(directory, "none")).isFalse();
        assertThat(FileSystem.isDirectory(directory, "file/below")).isFalse();
    }
}
