package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
                .hasMessageContaining("has the name web");
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

    @Test
    void a_name_that_an_engine_was_killed_over_before_it_wrote_its_own_is_free() throws IOException {
        Names names = names("a");
        Files.createFile(state.resolve(Names.DIRECTORY).resolve("web"));
        alive.add("");

        assertThat(names.take(Optional.of("web"), _ -> true).name()).isEqualTo("web");
        assertThat(Names.holder(state, "web")).contains("a");
    }

    @Test
    void a_name_is_taken_under_the_lock() throws Exception {
        Names names = names("a");
        var taken = new CompletableFuture<String>();
        try (Fd lock = FileSystem.openAt(root, "names.lock", FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, 0)) {
            FileLocks.lock(lock);
            Thread.ofPlatform()
                    .start(() -> taken.complete(
                            names.take(Optional.of("web"), _ -> true).name()));
            assertThatThrownBy(() -> taken.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            assertThat(state.resolve(Names.DIRECTORY)).isEmptyDirectory();
        }
        assertThat(taken.get(10, TimeUnit.SECONDS)).isEqualTo("web");
    }

    @Test
    void a_link_or_a_missing_directory_is_no_name_that_is_free_or_taken() throws IOException {
        Names names = names("a");
        Path outside = Files.writeString(state.resolve("outside"), "b");
        Files.createSymbolicLink(state.resolve(Names.DIRECTORY).resolve("web"), outside);
        alive.remove("b");

        assertThatThrownBy(() -> names.take(Optional.of("web"), _ -> true)).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> names.removeOf("b")).isInstanceOf(ErrnoException.class);
        assertThat(outside).hasContent("b");

        Files.delete(state.resolve(Names.DIRECTORY).resolve("web"));
        Files.delete(state.resolve(Names.DIRECTORY));
        assertThatThrownBy(() -> names.take(Optional.of("web"), _ -> true))
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> assertThat(e.is(Errno.ENOENT)).isTrue());
    }

    @Test
    void whose_a_name_is_can_be_read_without_an_engine() throws IOException {
        names("b").take(Optional.of("web"), _ -> true);

        assertThat(Names.holder(state, "web")).contains("b");
        assertThat(Names.holder(state, "other")).isEmpty();
        assertThat(Names.holder(state, "../names/web")).isEmpty();
        assertThat(Names.holder(state.resolve("nowhere"), "web")).isEmpty();
        Path file = Files.createFile(state.resolve("file"));
        assertThatThrownBy(() -> Names.holder(file, "web"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("STATE_UNUSABLE"));
    }

    @Test
    void a_name_that_somebody_else_has_cleared_is_given_back_all_the_same() throws IOException {
        Names.Taken taken = names("a").take(Optional.of("web"), _ -> true);
        Files.delete(state.resolve(Names.DIRECTORY).resolve("web"));

        taken.close();

        assertThat(state.resolve(Names.DIRECTORY)).isEmptyDirectory();
    }

    @Test
    void a_name_knows_whether_it_was_made_up() {
        try (Names.Taken asked = names("a").take(Optional.of("web"), _ -> true);
                Names.Taken made = names("a").take(Optional.empty(), _ -> true)) {
            assertThat(asked.isMadeUp()).isFalse();
            assertThat(made.isMadeUp()).isTrue();
        }
    }

    @Test
    void an_engine_gives_back_its_own_names_alone() {
        Names first = names("a");
        Names second = names("b");
        first.take(Optional.of("web"), _ -> true);

        second.remove("web");
        assertThat(state.resolve(Names.DIRECTORY).toFile().list()).containsExactly("web");
        first.remove("web");
        first.remove("web");
        assertThat(state.resolve(Names.DIRECTORY)).isEmptyDirectory();
    }

    @Test
    void a_name_goes_with_the_container_that_it_is_bound_to() {
        Names names = names("a");
        Names.Taken web = names.take(Optional.of("web"), _ -> true);
        names.bind("one", web);
        names.release("other");
        assertThat(state.resolve(Names.DIRECTORY).toFile().list()).containsExactly("web");

        names.release("one");
        assertThat(state.resolve(Names.DIRECTORY)).isEmptyDirectory();
        Names.Taken again = names("b").take(Optional.of("web"), _ -> true);
        names.release("one");
        web.close();
        assertThat(state.resolve(Names.DIRECTORY).toFile().list()).containsExactly("web");
        again.close();
    }

    @Test
    void the_lock_of_names_is_closed_to_others_and_no_link() throws IOException {
        Path lock = state.resolve("names.lock");
        names("a").removeOf("b");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(lock)))
                .isEqualTo("rw-------");

        Files.delete(lock);
        Files.createSymbolicLink(lock, Files.createFile(state.resolve("other")).getFileName());
        assertThatThrownBy(() -> names("a").removeOf("b")).hasMessageContaining("ELOOP");
        assertThatThrownBy(() -> names("a").take(Optional.of("web"), _ -> true)).hasMessageContaining("ELOOP");
    }

    @Test
    void a_hundred_made_up_names_are_tried() {
        var tried = new ArrayList<String>();

        assertThatThrownBy(() -> names("a").take(Optional.empty(), name -> !tried.add(name)))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("NAME_IN_USE"))
                .hasMessageContaining("100 made-up names are all in use");
        assertThat(tried).hasSize(100);
    }
}
