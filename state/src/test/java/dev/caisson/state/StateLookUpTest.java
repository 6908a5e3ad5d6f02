package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.PlanRecord;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which containers a text stands for, who holds a place, and whose group a name is.
class StateLookUpTest {
    private static final int OWN_PID = (int) ProcessHandle.current().pid();

    @TempDir
    private Path directory;

    private static ContainerRecord record(String id, String name) {
        return new ContainerRecord(
                id.repeat(64).substring(0, 64),
                name,
                "host",
                "caisson",
                1,
                OWN_PID,
                OWN_PID,
                ProcessTimes.startTime(OWN_PID),
                1,
                1,
                List.of(),
                List.of(),
                List.of("true"),
                Map.of(),
                15,
                10_000,
                new PlanRecord(0x7000_0000, List.of(), 1, 1, 1, List.of(), List.of(), ""));
    }

    private static ContainerId id(String beginning) {
        return new ContainerId(beginning.repeat(64).substring(0, 64));
    }

    private List<ContainerId> matching(String text, Path state) {
        return ContainerLookup.matching(text, directory.resolve("data"), state);
    }

    private void keep(String id, String name, Path state) throws IOException {
        Files.createDirectories(directory.resolve("data"));
        new KeptDirectory(directory.resolve("data"), state)
                .make(
                        new KeptDirectory.Entry(id(id), Optional.of(name), false),
                        new KeptFile.Origin("host", List.of("true"), Map.of(), Instant.EPOCH))
                .close();
    }

    @Test
    @Tag("root")
    void a_text_is_a_name_or_else_the_beginning_of_ids() {
        Path path = directory.resolve("state");
        try (var state = new State(path);
                var _ = state.names().take(Optional.of("web"), _ -> true);
                var _ = state.names().take(Optional.of("ab"), _ -> true)) {
            state.save(record("ab", "web"), () -> {});
            state.save(record("ac", "ab"), () -> {});

            assertThat(matching("web", path)).containsExactly(id("ab"));
            assertThat(matching("ab", path)).containsExactly(id("ac"));
            assertThat(matching("aba", path)).containsExactly(id("ab"));
            assertThat(matching(id("ac").value(), path)).containsExactly(id("ac"));
            assertThat(matching("a", path)).containsExactlyInAnyOrder(id("ab"), id("ac"));
            assertThat(matching("we", path)).isEmpty();
            assertThat(matching("", path)).isEmpty();
        }
    }

    /// Each of them would be taken for the other one if those that run or those that are kept were looked at alone.
    @Test
    @Tag("root")
    void a_name_is_no_beginning_of_an_id_whether_its_container_runs_or_has_ended() throws IOException {
        Path path = directory.resolve("state");
        try (var state = new State(path);
                var _ = state.names().take(Optional.of("f"), _ -> true)) {
            state.save(record("ab", "f"), () -> {});
            keep("f1", "ended", path);
            keep("e1", "a", path);

            assertThat(matching("f", path)).containsExactly(id("ab"));
            assertThat(matching("a", path)).containsExactly(id("e1"));
        }
    }

    @Test
    @Tag("root")
    void the_beginning_of_an_id_may_be_one_that_runs_and_one_that_has_ended() throws IOException {
        Path path = directory.resolve("state");
        try (var state = new State(path)) {
            state.save(record("ab", "web"), () -> {});
            keep("ab", "web", path); // the same container
            assertThat(matching("a", path)).containsExactly(id("ab"));

            keep("ac", "ended", path);
            assertThat(matching("a", path)).containsExactlyInAnyOrder(id("ab"), id("ac"));
            assertThat(matching("ac", path)).containsExactly(id("ac"));
        }
    }

    @Test
    @Tag("root")
    void a_directory_is_empty_when_nobody_has_a_place_in_it() throws IOException {
        Path path = directory.resolve("state");
        assertThat(State.isEmpty(path)).isTrue();
        try (var _ = new State(path)) {
            assertThat(State.isEmpty(path)).isFalse();
        }
        assertThat(State.isEmpty(path)).isTrue();
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> State.isEmpty(file))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("STATE_UNUSABLE"));
    }

    /// Whoever has a copy of the lock holds the place: the engine's process may end.
    @Test
    @Tag("root")
    void a_place_is_held_by_whoever_has_its_lock() throws IOException {
        Path path = directory.resolve("state");
        var left = new State(path);
        Fd copy = left.lock().duplicate();
        left.announce("a".repeat(64));
        left.leave();
        var cleared = new ArrayList<String>();
        try (var state = new State(path)) {
            assertThat(State.hasLeftovers(path, Set.of())).isFalse();
            state.recover(cleared::add, () -> {});
            assertThat(cleared).isEmpty();
            assertThat(recovered(path, state, left.engine())).isFalse();

            copy.close();
            assertThat(State.hasLeftovers(path, Set.of())).isTrue();
            state.recover(cleared::add, () -> {});
            assertThat(cleared).containsExactly("a".repeat(64));
            assertThat(State.hasLeftovers(path, Set.of())).isFalse();
            Files.createDirectory(path.resolve("engines/0123456789abcdef"));
            assertThat(recovered(path, state, "0123456789abcdef")).isTrue();
            assertThat(State.hasLeftovers(path, Set.of())).isFalse();
        }
    }

    private static boolean recovered(Path path, State state, String name) {
        try (Fd engines =
                FileSystem.open(path.resolve("engines").toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return State.recover(engines, state.names(), name, _ -> {});
        }
    }

    @Test
    @Tag("root")
    void a_record_goes_and_so_does_its_name() {
        Path path = directory.resolve("state");
        try (var state = new State(path)) {
            String id = "a".repeat(64);
            state.announce(id);
            assertThat(State.recordsIn(path)).as("it does not run yet").isEmpty();
            assertThat(State.read(state.directory(), id + ".json")).isEmpty();
            assertThat(State.read(state.directory(), "none.json")).isEmpty();
            state.names().bind(id, state.names().take(Optional.of("web"), _ -> true));
            state.save(record("a", "web"), () -> {});

            state.undo(id);

            assertThat(State.recordsIn(path)).isEmpty();
            assertThat(path.resolve("names")).isEmptyDirectory();
            assertThatThrownBy(() -> state.undo(id)).hasMessageContaining("ENOENT");
        }
    }

    @Test
    @Tag("root")
    void a_link_in_the_place_of_a_lock_is_not_followed() throws IOException {
        Path path = directory.resolve("state");
        try (var state = new State(path)) {
            Path killed = Files.createDirectory(path.resolve("engines/0123456789abcdef"));
            Files.createFile(path.resolve("other"));
            Path lock = Files.createSymbolicLink(killed.resolve("lock"), Path.of("../../other"));

            assertThatThrownBy(() -> State.hasLeftovers(path, Set.of())).hasMessageContaining("ELOOP");
            assertThatThrownBy(() -> state.recover(_ -> {}, () -> {})).hasMessageContaining("ELOOP");
            assertThat(killed).isDirectory();
            Files.delete(lock);
        }
    }

    /// Nobody may hide containers by a file that is none of an engine's.
    @Test
    @Tag("root")
    void what_is_no_place_or_no_record_is_told() throws IOException {
        Path path = directory.resolve("state");
        try (var state = new State(path)) {
            Path file = Files.createFile(path.resolve("engines/0123456789abcdef"));
            assertThatThrownBy(() -> State.recordsIn(path))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.code()).isEqualTo("STATE_UNUSABLE"))
                    .hasMessageContaining("ENOTDIR");
            Files.delete(file);

            Path own = path.resolve("engines").resolve(state.engine());
            Files.writeString(own.resolve("other"), record("ab", "web").toJson());
            Path link = Files.createSymbolicLink(own.resolve("a".repeat(64) + ".json"), Path.of("other"));
            assertThatThrownBy(() -> State.recordsIn(path)).hasMessageContaining("ELOOP");
            Files.delete(link);
            assertThat(State.recordsIn(path)).isEmpty();
        }
    }

    @Test
    @Tag("root")
    void engines_are_held_off_by_a_lock_of_their_directory() throws Exception {
        Path path = directory.resolve("state");
        new State(path).close();
        Thread coming;
        try (Fd engines =
                FileSystem.open(path.resolve("engines").toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            FileLocks.lock(engines);
            coming = Thread.ofPlatform().start(() -> new State(path).close());
            coming.join(200);
            assertThat(coming.isAlive()).isTrue();
        }
        coming.join(10_000);
        assertThat(coming.isAlive()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "caisson-1-2/tenant-a, a",
        "caisson/tenant-a, a",
        "machine.slice/caisson-1-2/tenant-x-y, x-y",
        "caisson/tenant-, ''",
        "other/tenant-a,",
        "tenant-a,",
        "caisson-1-2/container,",
        "caisson-1-2/tenant-a/below,",
        "caisson-1-2,",
        "x/caisson,",
    })
    void a_group_is_a_tenant_s_if_it_is_named_so_below_an_engine_s(String group, String tenant) {
        assertThat(Groups.tenant(group)).isEqualTo(Optional.ofNullable(tenant));
    }
}
