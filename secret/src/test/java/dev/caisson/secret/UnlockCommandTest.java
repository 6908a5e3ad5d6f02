package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Programs that are asked for a key and do not behave.
@Timeout(20)
class UnlockCommandTest {
    private static final Duration SHORT = Duration.ofMillis(300);

    @TempDir
    private Path scratch;

    private Path printed;

    @BeforeEach
    void writeKey() throws IOException {
        printed = scratch.resolve("printed");
        try (Identity identity = Identity.generate();
                SecretValue line = identity.line()) {
            Files.write(printed, line.copy());
        }
    }

    private static Identity run(Duration patience, String script) {
        return new UnlockCommand(List.of("/bin/sh", "-c", script), patience).run();
    }

    private static void assertLocked(String script, String why) {
        assertThatThrownBy(() -> run(SHORT, script))
                .isInstanceOfSatisfying(
                        SecretException.class,
                        e -> assertThat(e.reason()).isEqualTo(SecretException.Code.SECRET_LOCKED))
                .hasMessageContaining(why);
    }

    @Test
    void a_child_that_keeps_the_output_open_is_not_waited_for() {
        long begun = System.nanoTime();
        run(Duration.ofSeconds(15), "sleep 8 & cat " + printed).close();
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void one_that_hangs_is_killed_with_its_children() throws IOException {
        Path pids = scratch.resolve("pids");
        assertLocked("sleep 700 & echo $$ $! >" + pids + "; wait", "did not end within");
        for (String pid : Files.readString(pids).strip().split(" ", -1)) {
            assertThat(ProcessHandle.of(Long.parseLong(pid)).map(UnlockCommandTest::ends))
                    .isNotEqualTo(Optional.of(false));
        }
    }

    private static boolean ends(ProcessHandle process) {
        return process.onExit().completeOnTimeout(null, 5, TimeUnit.SECONDS).join() != null || !process.isAlive();
    }

    @Test
    void one_that_prints_without_end_is_killed() {
        assertLocked("exec yes", "printed more than");
    }

    @Test
    void one_that_fails_or_prints_nothing_unlocks_nothing() {
        assertLocked("cat " + printed + "; exit 3", "status 3");
        assertLocked("exit 0", "status 0");
        assertLocked("cat; exit 0", "status 0"); // it has nothing to read
    }
}
