package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A name is one container's, in whichever engine that runs.
class NamesTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path state;

    private final Set<String> alive = new HashSet<>(Set.of("a", "b"));

    @SuppressWarnings("NullAway.Init")
    private Fd root;

    @BeforeEach
    void open() {
        root = FileSystem.open(state.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
    }

    @AfterEach
    void close() {
        root.close();
    }

    private Names names(String engine) {
        return new Names(root, engine, alive::contains);
    }

    @Test
    void a_name_is_taken_once_by_all_engines_until_it_is_given_back() {
        Names.Taken first = names("a").take(Optional.of("web"), _ -> true);

        for (String engine : new String[] {"a", "b"}) {
            assertThatThrownBy(() -> names(engine).take(Optional.of("web"), _ -> true))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.code()).isEqualTo("NAME_IN_USE"));
        }

        first.close();
        Names.Taken second = names("b").take(Optional.of("web"), _ -> true);
        first.close(); // a second time, which takes nothing from the new holder
        assertThatThrownBy(() -> names("a").take(Optional.of("web"), _ -> true))
                .hasMessageContaining("runs with the name web");
        second.close();
        assertThat(state.resolve(Names.DIRECTORY)).isEmptyDirectory();
    }

    @Test
    void the_name_of_a_killed_engine_is_taken_over_and_removed_with_what_else_it_left() {
        names("b").take(Optional.of("web"), _ -> true);
        names("b").take(Optional.of("other"), _ -> true);
        alive.remove("b");

        assertThat(names("a").take(Optional.of("web"), _ -> true).name()).isEqualTo("web");
        names("a").removeOf("b");

        assertThat(state.resolve(Names.DIRECTORY).toFile().list()).containsExactly("web");
    }

    @Test
    void who_gives_no_name_gets_one_that_no_container_has() {
        Names names = names("a");
        var made = new HashSet<String>();
        for (int i = 0; i < 500; i++) {
            Names.Taken taken = names.take(Optional.empty(), name -> !name.startsWith("quiet"));
            assertThat(taken.isMadeUp()).isTrue();
            assertThat(taken.name()).matches("[a-z]+_[a-z]+[0-9]*").doesNotStartWith("quiet");
            assertThat(made.add(taken.name())).isTrue();
        }
    }
}
