package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A snapshot is there with all that it has, or not at all; and stays while something is made of it.
class SnapshotStoreTest {
    private static final String LAYER = "ab".repeat(32);
    private static final String MERGED = "cd".repeat(32);
    private static final String IMAGE = "sha256:" + "ef".repeat(32);
    private static final SnapshotName ONE = new SnapshotName("one");
    private static final SnapshotName TWO = new SnapshotName("two");
    private static final ImageConfig CONFIG = PackedConfig.parse(("{\"os\":\"linux\",\"architecture\":\""
                            + Platform.running().architecture()
                            + "\",\"config\":{\"Cmd\":[\"sh\"],\"User\":\"web\"},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:"
                            + "0".repeat(64) + "\"]}}")
                    .getBytes(StandardCharsets.UTF_8))
            .config();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path root;

    private final List<AutoCloseable> opened = new ArrayList<>();

    @SuppressWarnings("NullAway.Init")
    private SnapshotStore store;

    @BeforeEach
    void open() {
        store = opened();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
        assertThat(OpenFiles.below(root.toRealPath())).isZero();
    }

    private SnapshotStore opened() {
        Fd directory = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        opened.add(directory);
        SnapshotStore made = SnapshotStore.open(root, directory);
        opened.add(made);
        return made;
    }

    private Path path(String name) {
        return root.resolve("snapshots").resolve(name);
    }

    private static SnapshotRecord record(String... trees) {
        return new SnapshotRecord(Instant.EPOCH, "box", "tools:1", IMAGE, List.of(trees), CONFIG, 0, "");
    }

    private static long content(Fd tree) {
        FileSystem.makeDirectory(tree, "etc", 0755);
        return 42;
    }

    private Snapshot make(SnapshotName name, String... trees) {
        return store.make(name, record(trees), SnapshotStoreTest::content);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(root.resolve("snapshots"))) {
            return all.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void assertRefused(Code code, String why, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(code))
                .hasMessageContaining(why);
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private static Fd hold(Path directory) {
        Fd held = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        FileLocks.lock(held);
        return held;
    }

    @Test
    void one_has_its_tree_and_its_record_under_its_name() throws IOException {
        Instant before = Instant.now().minus(Duration.ofMillis(1));
        Snapshot made = make(ONE, "layers/" + LAYER);

        assertThat(names()).containsExactly(".lock", "one");
        assertThat(path("one/tree/etc")).isDirectory();
        assertThat(mode(root.resolve("snapshots"))).isEqualTo("rwx------");
        assertThat(mode(path("one"))).isEqualTo("rwx------");
        assertThat(mode(path("one/tree"))).isEqualTo("rwxr-xr-x");
        assertThat(mode(path("one/snapshot.json"))).isEqualTo("rw-------");
        assertThat(made.name()).isEqualTo(ONE);
        assertThat(made.bytes()).isEqualTo(42);
        assertThat(made.container()).isEqualTo("box");
        assertThat(made.image()).isEqualTo("tools:1");
        assertThat(made.parent()).isEmpty();
        assertThat(made.created()).isBetween(before, Instant.now());
        assertThat(store.find(ONE)).contains(made);
        assertThat(store.find(TWO)).isEmpty();
        SnapshotStore.Stored stored = store.get(ONE);
        assertThat(stored.id()).isEqualTo(made.id());
        assertThat(stored.record().trees()).containsExactly("layers/" + LAYER);
        assertThat(stored.record().config()).isEqualTo(CONFIG);
        assertThat(stored.record().digest()).isEqualTo(IMAGE);
        assertThat(stored.tree().path()).isEqualTo(path("one/tree"));
        assertThat(make(TWO, "snapshots/one", "layers/" + LAYER).parent()).contains(ONE);
        assertThat(make(new SnapshotName("three")).id())
                .isNotEqualTo(make(new SnapshotName("four")).id());
        assertThat(store.list()).extracting(each -> each.name().value()).containsExactly("four", "one", "three", "two");
    }

    @Test
    void one_that_is_being_made_has_a_name_that_nobody_guesses() throws IOException {
        var seen = new ArrayList<String>();
        for (SnapshotName name : List.of(ONE, TWO)) {
            Snapshot _ = store.make(name, record(), _ -> {
                try {
                    seen.addAll(names().stream()
                            .filter(each -> each.startsWith(".partial"))
                            .toList());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                return 0;
            });
        }
        assertThat(seen).hasSize(2).doesNotHaveDuplicates().allMatch(name -> name.matches("\\.partial-[0-9a-f]{32}"));
    }

    @Test
    void one_that_cannot_be_filled_leaves_nothing() throws IOException {
        for (Throwable thrown : new Throwable[] {new IllegalStateException("it"), new AssertionError("it")}) {
            assertThatThrownBy(() -> store.make(ONE, record(), tree -> {
                        content(tree);
                        if (thrown instanceof Error error) {
                            throw error;
                        }
                        throw (RuntimeException) thrown;
                    }))
                    .isSameAs(thrown);
        }
        assertThat(names()).containsExactly(".lock");
    }

    @Test
    void a_name_is_one_snapshots_whoever_is_first() throws IOException {
        make(ONE);
        ToLongFunction<Fd> never = _ -> {
            throw new AssertionError("it is not filled");
        };
        assertRefused(Code.SNAPSHOT_EXISTS, "a snapshot is called one already", () -> store.make(ONE, record(), never));
        assertRefused(
                Code.SNAPSHOT_EXISTS,
                "a snapshot is called two already",
                () -> store.make(TWO, record(), tree -> {
                    make(TWO);
                    return content(tree);
                }));
        assertThat(names()).containsExactly(".lock", "one", "two");
    }

    @Test
    void no_more_stand_above_each_other_than_a_launch_takes() {
        List<String> most = Collections.nCopies(24, "snapshots/one");
        assertRefused(
                Code.TOO_MANY_SNAPSHOTS, "24 snapshots above each other", () -> make(ONE, most.toArray(String[]::new)));
        List<String> fewer = new ArrayList<>(most.subList(0, 23));
        fewer.add("layers/" + LAYER);
        assertThat(make(ONE, fewer.toArray(String[]::new)).bytes()).isEqualTo(42);
    }

    @Test
    void there_are_not_too_many() throws IOException {
        for (int i = 0; i < SnapshotStore.MOST - 1; i++) {
            Files.createDirectory(path("s" + i));
        }
        make(ONE);
        assertRefused(Code.TOO_MANY_SNAPSHOTS, "there are 4000 snapshots", () -> make(TWO));
    }

    // ---- removal

    @Test
    void one_is_removed_with_all_that_it_has() throws IOException {
        make(ONE);
        store.remove(ONE);
        assertThat(names()).containsExactly(".lock");
        assertRefused(Code.SNAPSHOT_UNKNOWN, "no snapshot is called one", () -> store.remove(ONE));
        assertRefused(Code.SNAPSHOT_UNKNOWN, "no snapshot is called one", () -> store.get(ONE));
        assertRefused(Code.SNAPSHOT_UNKNOWN, "no snapshot is called one", () -> store.tree(ONE));
        Files.createDirectory(path("bare"));
        store.remove(new SnapshotName("bare"));
        assertThat(names()).containsExactly(".lock");
    }

    @Test
    void one_that_is_used_stays() throws IOException {
        make(ONE);
        make(TWO, "snapshots/one");
        assertRefused(Code.SNAPSHOT_IN_USE, "the snapshot one is below two", () -> store.remove(ONE));
        store.remove(TWO);
        try (Fd _ = hold(path("one/tree"))) {
            assertRefused(Code.SNAPSHOT_IN_USE, "made of the snapshot one", () -> store.remove(ONE));
            assertThat(path("one/tree/etc")).isDirectory();
        }
        store.remove(ONE);
        assertThat(names()).containsExactly(".lock");
    }

    @Test
    void leftovers_go_when_the_store_is_opened_and_what_somebody_makes_does_not() throws IOException {
        Files.createDirectories(path(".partial-a/tree/etc"));
        Files.createDirectories(path(".removed-b/tree/etc"));
        Files.createDirectories(path(".partial-c/tree/etc"));
        Files.createDirectories(path(".other"));
        make(ONE);
        try (Fd _ = hold(path(".partial-c"))) {
            opened();
            assertThat(names()).containsExactly(".lock", ".other", ".partial-c", "one");
        }
        store.make(TWO, record(), tree -> {
            opened();
            return content(tree);
        });
        assertThat(names()).containsExactly(".lock", ".other", "one", "two");
        assertThat(path("two/tree/etc")).isDirectory();
    }

    // ---- what is asked of all

    @Test
    void a_tree_is_needed_by_whom_is_above_it_and_by_whom_nobody_can_read() throws IOException {
        assertThat(store.needs(new Digest(LAYER))).isFalse();
        make(ONE, "layers/" + LAYER, "rootfs/" + MERGED);
        assertThat(store.needs(new Digest(LAYER))).isTrue();
        assertThat(store.needs(new Digest(MERGED))).isTrue();
        assertThat(store.needs(new Digest("12".repeat(32)))).isFalse();
        damage(TWO);
        assertThat(store.needs(new Digest("12".repeat(32)))).isTrue();
    }

    private void damage(SnapshotName name) throws IOException {
        make(name);
        Files.writeString(path(name + "/snapshot.json"), "{}");
    }

    @Test
    void a_damaged_one_is_told_and_hides_no_other() throws IOException {
        make(ONE);
        damage(TWO);
        assertRefused(Code.SNAPSHOT_DAMAGED, "its record cannot be read", () -> store.get(TWO));
        assertThat(store.list()).extracting(Snapshot::name).containsExactly(ONE);
        assertThat(store.above(new Digest("ef".repeat(32)))).containsExactly("one");
        assertThat(store.above(new Digest(LAYER))).isEmpty();
        store.remove(TWO);
        assertThat(names()).containsExactly(".lock", "one");
    }

    @Test
    void a_link_in_the_place_of_one_is_not_followed() throws IOException {
        make(ONE);
        Files.createSymbolicLink(path("two"), Path.of("one"));
        assertThatThrownBy(() -> store.find(TWO)).hasMessageContaining("ELOOP");
        assertThatThrownBy(() -> store.tree(TWO)).hasMessageContaining("ELOOP");
        assertRefused(Code.SNAPSHOT_UNKNOWN, "no snapshot is called two", () -> store.remove(TWO));
        assertThat(path("one/tree/etc")).isDirectory();
    }

    @Test
    void a_file_in_the_place_of_a_tree_is_none() throws IOException {
        make(ONE);
        Files.delete(path("one/tree/etc"));
        Files.delete(path("one/tree"));
        assertRefused(Code.SNAPSHOT_UNKNOWN, "no snapshot is called one", () -> store.tree(ONE));
        Files.writeString(path("one/tree"), "x");
        assertRefused(Code.SNAPSHOT_UNKNOWN, "no snapshot is called one", () -> store.tree(ONE));
    }

    // ---- names and records

    @ParameterizedTest
    @ValueSource(strings = {"", ".a", "-a", "_a", "a/b", "a b", "ä", "a\n"})
    void what_is_no_name_is_told(String name) {
        assertThatThrownBy(() -> new SnapshotName(name)).isInstanceOf(ArgumentException.class);
    }

    @Test
    void a_name_has_128_characters_at_most() {
        assertThat(new SnapshotName("a".repeat(128))).hasToString("a".repeat(128));
        assertThatThrownBy(() -> new SnapshotName("a".repeat(129))).isInstanceOf(ArgumentException.class);
        assertThat(new SnapshotName("A0._-z").value()).isEqualTo("A0._-z");
    }

    @Test
    void a_record_is_read_as_it_was_written() {
        var record = new SnapshotRecord(
                Instant.ofEpochMilli(1_700_000_000_123L),
                "box",
                "tools:1",
                IMAGE,
                List.of("snapshots/a", "layers/" + LAYER, "rootfs/" + MERGED),
                CONFIG,
                1L << 40,
                "salt");
        assertThat(SnapshotRecord.parse(record.json())).isEqualTo(record);
        assertThat(record.snapshot(ONE, new Digest(LAYER)).parent()).contains(new SnapshotName("a"));
        assertThat(Optional.of(record.snapshot(ONE, new Digest(LAYER)).bytes())).contains(1L << 40);
    }

    @Test
    void a_record_has_all_that_a_configuration_says() {
        ImageConfig all = PackedConfig.parse(("{\"os\":\"linux\",\"architecture\":\""
                                + Platform.running().architecture() + "\",\"config\":{"
                                + "\"Entrypoint\":[\"/e\",\"\\\"\"],\"Cmd\":[\"c\"],\"Env\":[\"A=b=c\",\"D=\"],\"User\":\"u:g\","
                                + "\"WorkingDir\":\"/w\",\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/v\":{}},"
                                + "\"Labels\":{\"l\":\"m\"},\"StopSignal\":\"SIGINT\",\"Healthcheck\":{\"Test\":[\"CMD\",\"t\"],"
                                + "\"Interval\":1000000000,\"Timeout\":2000000000,\"StartPeriod\":3000000000,"
                                + "\"StartInterval\":4000000000,\"Retries\":5}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:"
                                + "0".repeat(64) + "\"]}}")
                        .getBytes(StandardCharsets.UTF_8))
                .config();
        assertThat(all.health().orElseThrow().retries()).isEqualTo(5);
        var record = new SnapshotRecord(Instant.EPOCH, "box", "tools:1", IMAGE, List.of(), all, 0, "");
        assertThat(SnapshotRecord.parse(record.json()).config()).isEqualTo(all);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "layers/../x",
                "layers/abc",
                "snapshots/../one",
                "trees/one",
                "/etc",
                "snapshots/",
                "snapshots/a/b"
            })
    void a_record_names_trees_of_the_store_alone(String tree) {
        assertThatThrownBy(() -> SnapshotRecord.parse(record(tree).json()))
                .hasMessageContaining("names a tree that cannot be one of the store");
    }
}
