package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Command lines open an engine each, at the same time and on the same directory.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class StateTest {
    private static final int ENGINES = 8;
    private static final int TIMES = 50;

    private static void done(String... command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    @Test
    void a_directory_for_state_that_is_read_only_is_refused_with_what_to_do(@TempDir Path directory) throws Exception {
        done("mount", "-t", "tmpfs", "tmpfs", directory.toString());
        try {
            new State(directory.resolve("known")).close();
            done("mount", "-o", "remount,ro", directory.toString());

            for (String name : new String[] {"known", "new", "above/new"}) {
                assertThatThrownBy(() -> new State(directory.resolve(name)))
                        .isInstanceOf(StateException.class)
                        .hasMessageContaining(
                                "read-only: mount a tmpfs there, or name another directory with CAISSON_STATE");
            }
        } finally {
            done("umount", directory.toString());
        }
    }

    @Test
    void a_directory_for_state_is_made_with_those_above_it_and_one_below_a_file_is_refused(@TempDir Path directory)
            throws Exception {
        Path made = directory.resolve("above/of/state");
        new State(made).close();
        assertThat(made).isDirectory();

        Path file = Files.writeString(directory.resolve("file"), "");
        assertThatThrownBy(() -> new State(file.resolve("state")))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("STATE_UNUSABLE"));
    }

    @Test
    void engines_that_open_and_close_at_once_do_not_take_each_other_for_dead(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("state");
        try (var threads = Executors.newFixedThreadPool(ENGINES)) {
            var engines = new ArrayList<Future<?>>();
            for (int i = 0; i < ENGINES; i++) {
                engines.add(threads.submit(() -> {
                    for (int time = 0; time < TIMES; time++) {
                        try (var state = new State(path)) {
                            state.recover(record -> {}, () -> {});
                        }
                    }
                }));
            }
            for (Future<?> engine : engines) {
                engine.get();
            }
        }
        try (Stream<Path> left = Files.list(path.resolve("engines"))) {
            assertThat(left).isEmpty();
        }
    }
}
