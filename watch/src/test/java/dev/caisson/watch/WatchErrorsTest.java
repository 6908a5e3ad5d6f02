package dev.caisson.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What cannot be watched is refused with a code.
class WatchErrorsTest {
    @TempDir
    Path directory;

    private static void assertCode(String code, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        WatchException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void files_of_another_engine_that_cannot_be_read_are_told() throws IOException {
        Files.createDirectories(directory.resolve("var/lib/docker/containers/abcdef/config.v2.json"));

        assertCode("CONTAINERS_UNREADABLE", () -> new ForeignContainers(directory).find("abcdef"));
    }

    /// A program names itself: prctl(2), PR_SET_NAME.
    @Test
    void a_program_whose_name_is_no_text_is_no_error() throws IOException {
        Process named = new ProcessBuilder("bash", "-c", "printf '\\377\\376' >/proc/$$/comm; echo; read").start();
        try {
            int _ = named.getInputStream().read();

            assertThatCode(() -> DenialReasons.of("a profile", Profile.standard(), (int) named.pid()))
                    .doesNotThrowAnyException();
        } finally {
            named.destroyForcibly();
        }
    }

    @Test
    void machines_whose_registers_are_not_known_are_refused() {
        assertCode("RECORDER_UNSUPPORTED", () -> RecorderProgram.of(Architecture.RISCV64));
        assertCode("WATCH_UNSUPPORTED", () -> DenialEvent.Registers.of("riscv64"));
    }
}
