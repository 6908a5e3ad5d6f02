package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.Launcher;
import dev.caisson.launch.Zygote;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The process that makes the others: one for an engine, from its first use or its beginning to the end.
@Tag("root")
@Timeout(60)
class RunningZygoteTest {
    /// Returns those of this process.
    static List<Long> zygotes() {
        return ProcessHandle.current()
                .children()
                .map(ProcessHandle::pid)
                .filter(pid -> arguments(pid).contains("zygote"))
                .toList();
    }

    static List<String> arguments(long pid) {
        try {
            return List.of(
                    Files.readString(Path.of("/proc/" + pid + "/cmdline")).split("\0", -1));
        } catch (IOException _) {
            return List.of(); // it has ended
        }
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(zygotes()).isEmpty();
    }

    @Test
    void it_is_started_at_its_first_use_and_serves_all() {
        try (var running = new RunningZygote(false)) {
            assertThat(zygotes()).isEmpty();
            Launcher launcher = running.launcher();
            Zygote zygote = running.get();
            assertThat(running.launcher()).isSameAs(launcher);
            running.begin();
            assertThat(running.get()).isSameAs(zygote);
            assertThat(running.execLauncher()).isNotNull();
            assertThat(running.filesLauncher()).isNotNull();
            assertThat(zygotes()).containsExactly((long) zygote.pid());
            assertThat(arguments(zygote.pid())).doesNotContain("links");
        }
    }

    @Test
    void one_that_has_begun_is_the_one_that_is_used() {
        try (var running = new RunningZygote(true)) {
            running.begin();
            running.begin();
            Zygote zygote = running.get();
            assertThat(zygotes()).containsExactly((long) zygote.pid());
            assertThat(arguments(zygote.pid())).contains("links");
        }
    }

    @Test
    void one_that_has_begun_and_was_never_used_is_ended() {
        var running = new RunningZygote(false);
        running.begin();
        running.close();
        assertThat(zygotes()).isEmpty();
        new RunningZygote(false).close();
    }
}
