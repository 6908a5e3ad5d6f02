package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.PlanRecord;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What an engine writes into its state directory, and what others make of it while it lives and after it was killed.
@Tag("root")
class StateRecordsTest {
    private static final int OWN_PID = (int) ProcessHandle.current().pid();
    private static final String FIRST = "a".repeat(64);
    private static final String SECOND = "b".repeat(64);
    private static final String THIRD = "c".repeat(64);

    @TempDir
    private Path directory;

    private Path path;

    @BeforeEach
    void nameState() {
        path = directory.resolve("state");
    }

    private static ContainerRecord record(String id, int pid, long startTime) {
        return new ContainerRecord(
                id,
                "web",
                "host",
                "caisson",
                1,
                OWN_PID,
                pid,
                startTime,
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

    private static ContainerRecord running(String id) {
        return record(id, OWN_PID, ProcessTimes.startTime(OWN_PID));
    }

    /// The directory of an engine that was killed, with a record of a process that runs.
    private Path killedEngine(String... ids) throws IOException {
        Path killed = Files.createDirectories(path.resolve("engines/0123456789abcdef"));
        Files.createFile(killed.resolve("lock"));
        for (String id : ids) {
            Files.writeString(killed.resolve(id + ".json"), running(id).toJson());
        }
        return killed;
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private Path ofEngine(String name) throws IOException {
        try (Stream<Path> files = Files.walk(path)) {
            return files.filter(file -> file.endsWith(name)).findFirst().orElseThrow();
        }
    }

    // ---- what runs

    @Test
    void a_container_runs_while_its_engine_and_that_very_process_do() throws IOException {
        try (var state = new State(path)) {
            state.save(running(FIRST), () -> {});
            killedEngine(SECOND);

            assertThat(State.runningIn(path)).extracting(ContainerRecord::id).containsExactly(FIRST);
            assertThat(State.recordsIn(path)).extracting(ContainerRecord::id).containsExactlyInAnyOrder(FIRST, SECOND);

            state.save(record(FIRST, OWN_PID, ProcessTimes.startTime(OWN_PID) + 1), () -> {});
            assertThat(State.runningIn(path)).isEmpty();
            state.save(record(FIRST, 0, 0), () -> {});
            assertThat(State.runningIn(path)).isEmpty();
        }
    }

    @Test
    void a_container_is_found_by_its_name_else_by_the_beginning_of_its_id() throws IOException {
        try (var state = new State(path);
                var other = new State(path);
                Names.Taken _ = state.names().take(Optional.of("web"), _ -> true);
                Names.Taken _ = state.names().take(Optional.of(SECOND.substring(0, 3)), _ -> true)) {
            state.save(running(FIRST).renamed("web"), () -> {});
            state.save(running(THIRD).renamed(SECOND.substring(0, 3)), () -> {});
            other.save(running(SECOND).renamed("another"), () -> {});

            assertThat(ids("web")).containsExactly(FIRST);
            assertThat(ids(FIRST)).containsExactly(FIRST);
            assertThat(ids(FIRST.substring(0, 12))).containsExactly(FIRST);
            assertThat(ids(SECOND.substring(0, 4))).containsExactly(SECOND);
            assertThat(ids(SECOND.substring(0, 3))).as("a name comes first").containsExactly(THIRD);
            assertThat(ids("we")).isEmpty();
            for (String none : List.of("", ".", "..", "../names/web", "web/", "x".repeat(300))) {
                assertThat(ids(none)).as(none).isEmpty();
            }

            state.save(record(FIRST, 0, 0).renamed("web"), () -> {});
            assertThat(ids("web")).isEmpty();
            killedEngine("ab".repeat(32));
            assertThat(ids("ab")).isEmpty();
        }
    }

    private List<String> ids(String container) {
        return ContainerLookup.matching(container, path.resolveSibling("data"), path).stream()
                .map(ContainerId::value)
                .toList();
    }

    /// A record holds a whole plan: one that is not asked for is not read.
    @Test
    void who_looks_for_one_does_not_read_the_others() throws IOException {
        try (var state = new State(path);
                var other = new State(path);
                Names.Taken _ = state.names().take(Optional.of("web"), _ -> true)) {
            state.save(running(FIRST).renamed("web"), () -> {});
            Files.createDirectory(ofEngine(other.engine()).resolve(SECOND + ".json")); // no record can be read there

            assertThat(ids("web")).hasSize(1);
            assertThat(ids(FIRST.substring(0, 12))).hasSize(1);
        }
    }

    @Test
    void a_container_is_there_until_its_engine_removes_it_or_dies() throws IOException {
        try (var state = new State(path)) {
            state.announce(FIRST);
            killedEngine(SECOND);

            assertThat(State.isRecorded(path, running(FIRST))).isTrue();
            assertThat(State.isRecorded(path, running(SECOND))).isFalse();
            assertThat(state.isRecorded(SECOND)).isTrue();
            assertThat(state.ids()).containsExactlyInAnyOrder(FIRST, SECOND);
            assertThat(State.isRecordedIn(path, FIRST)).isTrue();
            assertThat(State.isRecordedIn(path, SECOND)).isTrue();
            assertThat(State.isRecordedIn(path, THIRD)).isFalse();

            state.undo(FIRST);
            assertThat(State.isRecorded(path, running(FIRST))).isFalse();
            assertThat(state.isRecorded(FIRST)).isFalse();
        }
    }

    @Test
    void where_there_is_no_state_directory_nothing_runs_and_nothing_is_left() {
        assertThat(State.recordsIn(path)).isEmpty();
        assertThat(State.runningIn(path)).isEmpty();
        assertThat(State.hasLeftovers(path, Set.of())).isFalse();
        assertThat(State.isRecorded(path, running(FIRST))).isFalse();
        assertThat(State.isRecordedIn(path, FIRST)).isFalse();
        assertThat(State.isEmpty(path)).isTrue();
    }

    @Test
    void a_state_directory_that_cannot_be_read_is_not_taken_for_an_empty_one() throws IOException {
        Files.createDirectory(path);
        Files.createFile(path.resolve("engines"));

        for (ThrowingCallable look : List.<ThrowingCallable>of(
                () -> State.recordsIn(path),
                () -> State.runningIn(path),
                () -> ids("web"),
                () -> State.hasLeftovers(path, Set.of()),
                () -> State.isEmpty(path),
                () -> State.isRecordedIn(path, FIRST))) {
            assertThatThrownBy(look)
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.code()).isEqualTo("STATE_UNUSABLE"));
        }
    }

    @Test
    void those_in_some_places_are_passed_over() throws IOException {
        try (var state = new State(path);
                var other = new State(path)) {
            state.save(running(FIRST), () -> {});
            other.save(running(SECOND), () -> {});

            assertThat(State.runningIn(path, Set.of(state.engine())))
                    .extracting(ContainerRecord::id)
                    .containsExactly(SECOND);
        }
    }

    @Test
    void only_a_killed_engine_leaves_something() throws IOException {
        try (var _ = new State(path)) {
            assertThat(State.hasLeftovers(path, Set.of())).isFalse();
            Files.createDirectory(path.resolve("engines/.being-made"));
            assertThat(State.hasLeftovers(path, Set.of())).isFalse();
            killedEngine();
            assertThat(State.hasLeftovers(path, Set.of())).isTrue();
        }
    }

    // ---- what is written

    @Test
    void a_record_is_replaced_whole() throws IOException {
        try (var state = new State(path)) {
            state.save(record(FIRST, 1, 1), () -> {});
            var seen = new ArrayList<Integer>();

            state.save(record(FIRST, 2, 2), () -> State.recordsIn(path).forEach(known -> seen.add(known.pid())));

            assertThat(seen).containsExactly(1);
            assertThat(State.recordsIn(path)).extracting(ContainerRecord::pid).containsExactly(2);
        }
    }

    @Test
    void what_a_killed_writer_left_of_a_record_is_not_part_of_the_next() throws IOException {
        try (var state = new State(path)) {
            state.announce(FIRST);
            Files.writeString(ofEngine("lock").resolveSibling("." + FIRST + ".json"), "{".repeat(100_000));

            state.save(running(FIRST), () -> {});

            assertThat(State.recordsIn(path)).extracting(ContainerRecord::id).containsExactly(FIRST);
        }
    }

    @Test
    void a_name_is_a_living_engines_or_free() throws IOException {
        try (var state = new State(path);
                var other = new State(path)) {
            Files.writeString(path.resolve("names/web"), "0123456789abcdef");
            assertThat(state.names().take(Optional.of("web"), _ -> true).name()).isEqualTo("web");
            assertThatThrownBy(() -> other.names().take(Optional.of("web"), _ -> true))
                    .hasMessageContaining("has the name web");
        }
    }

    @Test
    void an_id_is_announced_once() {
        try (var state = new State(path)) {
            state.announce(FIRST);
            assertThatThrownBy(() -> state.announce(FIRST)).hasMessageContaining("EEXIST");
        }
    }

    @Test
    void everything_is_closed_to_others() throws IOException {
        try (var state = new State(path)) {
            state.announce(FIRST);
            state.save(running(SECOND), () -> {});

            assertThat(mode(path)).isEqualTo("rwx------");
            assertThat(mode(path.resolve("engines"))).isEqualTo("rwx------");
            assertThat(mode(path.resolve("names"))).isEqualTo("rwx------");
            assertThat(mode(ofEngine("lock").resolveSibling(""))).isEqualTo("rwx------");
            state.names().take(Optional.of("web"), _ -> true);
            assertThatThrownBy(() -> state.names().take(Optional.of("web"), _ -> true))
                    .hasMessageContaining("web");
            for (String name : List.of("lock", FIRST + ".json", SECOND + ".json", "names.lock", "web")) {
                assertThat(mode(ofEngine(name))).as(name).isEqualTo("rw-------");
            }
        }
    }

    @Test
    void a_name_goes_with_its_container() {
        try (var state = new State(path)) {
            state.announce(FIRST);
            state.names().bind(FIRST, state.names().take(Optional.of("web"), _ -> true));

            state.undo(FIRST);

            assertThat(state.names().take(Optional.of("web"), _ -> true).name()).isEqualTo("web");
        }
    }

    // ---- what the next one clears

    @Test
    void a_killed_engines_containers_are_cleared_by_id_and_its_place_and_names_go() throws IOException {
        try (var living = new State(path);
                var state = new State(path)) {
            living.announce("c".repeat(64));
            Path killed = killedEngine(FIRST, SECOND);
            Files.createFile(killed.resolve("." + "d".repeat(64) + ".json"));
            Files.createFile(killed.resolve("other"));
            Files.writeString(path.resolve("names/web"), "0123456789abcdef");
            var cleared = new ArrayList<String>();
            var last = new AtomicInteger();

            state.recover(
                    id -> {
                        assertThat(killed.resolve(id + ".json"))
                                .as("as long as it is not cleared")
                                .exists();
                        cleared.add(id);
                    },
                    last::incrementAndGet);

            assertThat(cleared).containsExactlyInAnyOrder(FIRST, SECOND);
            assertThat(last).hasValue(1);
            assertThat(killed).doesNotExist();
            assertThat(path.resolve("names/web")).doesNotExist();
            assertThat(living.isRecorded("c".repeat(64))).isTrue();
            assertThat(path.resolve("engines"))
                    .isDirectoryContaining(file -> file.toFile().isDirectory());
        }
    }

    @Test
    void nobody_comes_while_one_clears() throws Exception {
        var early = new AtomicInteger();
        try (var state = new State(path)) {
            var coming = new Thread(() -> new State(path).close());

            state.recover(_ -> {}, () -> {
                coming.start();
                try {
                    coming.join(200);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                early.set(coming.isAlive() ? 0 : 1);
            });

            coming.join();
            assertThat(early).hasValue(0);
        }
    }

    @Test
    void the_last_engine_that_closes_does_what_comes_last() throws IOException {
        var last = new AtomicInteger();
        var first = new State(path);
        var second = new State(path);

        first.close(last::incrementAndGet);
        assertThat(last).hasValue(0);
        second.close(last::incrementAndGet);

        assertThat(last).hasValue(1);
        assertThat(path.resolve("engines")).isEmptyDirectory();
    }

    // ---- names for the kernel and the disk

    @Test
    void control_groups_are_named_for_the_directory_and_files_on_disk_for_its_path() throws IOException {
        Path other = Files.createDirectory(directory.resolve("other"));
        try (var state = new State(path)) {
            String name = state.cgroupParent();
            assertThat(State.cgroupParent(path)).isEqualTo(name);
            assertThat(State.cgroupParent(other)).isNotEqualTo(name);
            String inode = Long.toHexString(((Number) Files.getAttribute(path, "unix:ino")).longValue());
            assertThat(name).matches("caisson-[0-9a-f]+-" + inode);
        }
        assertThat(State.lastingName(State.STANDARD)).isEqualTo("caisson");
        assertThat(State.lastingName(Path.of("/run/other"))).isEqualTo("caisson-dfd84fe1");
        assertThat(State.lastingName(Path.of("/run/another"))).matches("caisson-[0-9a-f]{8}");
    }

    // ---- links

    @Test
    void no_link_inside_is_followed() throws IOException {
        try (var state = new State(path)) {
            state.save(running(FIRST), () -> {});
            Path record = ofEngine(FIRST + ".json");
            Files.writeString(path.resolve("other"), "0123456789abcdef");

            Files.createSymbolicLink(path.resolve("names/web"), Path.of("../other"));
            assertThatThrownBy(() -> state.names().take(Optional.of("web"), _ -> true))
                    .hasMessageContaining("ELOOP");
            assertThatThrownBy(() -> state.names().removeOf("0123456789abcdef")).hasMessageContaining("ELOOP");
            assertThat(path.resolve("names/web")).isSymbolicLink();

            Path linked = record.resolveSibling(SECOND + ".json");
            Files.createSymbolicLink(linked, record.getFileName());
            assertThatThrownBy(() -> State.recordsIn(path)).hasMessageContaining("ELOOP");
            assertThatThrownBy(() -> state.announce(SECOND)).hasMessageContaining("EEXIST");
            assertThatThrownBy(() -> state.isRecorded(SECOND)).hasMessageContaining("ELOOP");
            Files.delete(linked);

            Path engine = path.resolve("engines/0123456789abcdef");
            Files.createSymbolicLink(
                    engine, Path.of(record.getName(record.getNameCount() - 2).toString()));
            assertThatThrownBy(() -> State.recordsIn(path)).hasMessageContaining("ELOOP");
            assertThatThrownBy(() -> State.runningIn(path)).hasMessageContaining("ELOOP");
            assertThatThrownBy(() -> state.recover(_ -> {}, () -> {})).hasMessageContaining("ELOOP");
            Files.delete(engine);
        }
    }

    // ---- descriptors

    private static int open() {
        return java.util.Objects.requireNonNull(new java.io.File("/proc/self/fd").list()).length;
    }

    @Test
    void nothing_stays_open() throws IOException {
        Path data = Files.createDirectory(directory.resolve("data"));
        Files.createDirectories(data.resolve("layers/caisson/" + FIRST));
        new State(path).close();
        visitAll(data); // what the JVM opens at first use
        int before = open();

        for (int i = 0; i < 5; i++) {
            visitAll(data);
        }

        assertThat(open()).isLessThan(before + 5);
    }

    private void visitAll(Path data) throws IOException {
        killedEngine(SECOND);
        Files.writeString(path.resolve("engines/0123456789abcdef/" + "d".repeat(64) + ".json"), "{");
        var layers = new DiskLayers(data, "caisson");
        var kept = new KeptDirectory(data, path);
        try (var state = new State(path)) {
            state.announce(FIRST);
            state.save(running(FIRST), () -> {});
            var taken = state.names().take(Optional.of("web"), _ -> true);
            assertThatThrownBy(() -> state.names().take(Optional.of("web"), _ -> true))
                    .hasMessageContaining("web");
            assertThat(State.recordsIn(path)).isNotEmpty();
            assertThat(State.runningIn(path)).isNotEmpty();
            assertThat(State.hasLeftovers(path, Set.of())).isTrue();
            assertThat(State.isRecorded(path, running(FIRST))).isTrue();
            assertThat(State.cgroupParent(path)).isEqualTo(state.cgroupParent());
            layers.tryClear("c".repeat(64));
            layers.removeUnrecorded(state);
            assertThat(DiskLayers.media(data)).isNotEmpty();
            assertThat(kept.entries()).isEmpty();
            assertThat(kept.isFree("web")).isTrue();
            OwnPaths.requireTrustedData(data);
            state.recover(_ -> {}, () -> {});
            state.undo(FIRST);
            taken.close();
        }
    }
}
