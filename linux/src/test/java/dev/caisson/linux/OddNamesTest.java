package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Programs give themselves names of any bytes, and files have them: prctl(2), PR_SET_NAME.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class OddNamesTest {
    private @Nullable Process named;

    @AfterEach
    void end() {
        if (named != null) {
            named.destroyForcibly();
        }
    }

    private int named(String name) throws IOException {
        Process begun = new ProcessBuilder("bash", "-c", "printf '" + name + "' >/proc/$$/comm; echo; read").start();
        named = begun;
        int _ = begun.getInputStream().read();
        return (int) begun.pid();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\377\\376", "\\rSigPnd:\\t100", "\\rShdPnd:\\t100", ") T 1 1 1 1"})
    void what_a_program_is_named_changes_nothing_of_what_is_told_of_it(String name) throws Exception {
        int pid = named(name);

        assertThat(Processes.isBeingKilled(pid)).isFalse();
        assertThat(Processes.isStopped(pid)).isFalse();
        new ProcessBuilder("kill", "-STOP", Integer.toString(pid)).start().waitFor();
        while (!Files.readString(Path.of("/proc/" + pid + "/wchan")).contains("signal")) {
            Thread.sleep(5);
        }
        assertThat(Processes.isStopped(pid)).isTrue();
    }

    @Test
    void a_file_of_any_bytes_can_be_read(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("file");
        Files.write(file, new byte[] {'a', (byte) 0xff, '\n', 'b'});

        assertThat(ByteText.bytes(ByteText.read(file))).containsExactly('a', 0xff, '\n', 'b');
    }

    @Test
    void a_line_ends_at_a_line_feed_alone() {
        assertThat(KernelText.lines("Name:\tx\rUid:\t0\nUid:\t5\n\n")).containsExactly("Name:\tx\rUid:\t0", "Uid:\t5");
    }
}
