package dev.caisson.cli.caller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
class NamedFileTest {
    @TempDir
    Path directory;

    @Test
    void a_file_is_read_whole_up_to_its_bound() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "12345");
        assertThat(NamedFile.read(file.toString(), 5)).asString().isEqualTo("12345");
        assertThatThrownBy(() -> NamedFile.read(file.toString(), 4)).hasMessage("it is larger than 4 bytes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/dev/zero", "/dev/tty", "/proc/kmsg", "/tmp", "/none"})
    void what_has_no_end_or_waits_is_refused(String path) {
        assertThatThrownBy(() -> NamedFile.read(path, 100))
                .isInstanceOf(IOException.class)
                .message()
                .isNotBlank()
                .doesNotContain(path);
    }

    @Test
    void the_null_device_is_an_empty_file() throws IOException {
        assertThat(NamedFile.read("/dev/null", 100)).isEmpty();
    }

    @Test
    void a_pipe_of_the_shell_is_read_to_its_end() throws Exception {
        Path pipe = directory.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Process writer = new ProcessBuilder("sh", "-c", "sleep 0.2; echo A=1 > " + pipe).start();
        assertThat(NamedFile.read(pipe.toString(), 100)).asString().isEqualTo("A=1\n");
        assertThat(writer.waitFor()).isZero();
    }
}
