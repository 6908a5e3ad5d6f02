package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Trees that appear whole or not at all, once for all who want them, and go when nobody has them.
@Timeout(60)
class StoreDirectoryTest {
    private static final Digest ONE = Digest.of(new byte[] {1});
    private static final Digest TWO = Digest.of(new byte[] {2});
    private static final StoreDirectory.Filling FAILS = (tree, work) -> {
        write(tree, "half");
        write(work, "half");
        throw new IllegalStateException("cut");
    };

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path root;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Fd parent;

    @SuppressWarnings("NullAway.Init") // set before each test
    private StoreDirectory store;

    @BeforeEach
    void open() throws IOException {
        root = temporary.toRealPath();
        parent = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        store = again();
    }

    private StoreDirectory again() {
        return StoreDirectory.open(root, parent, "trees", true);
    }

    @AfterEach
    void close() throws IOException {
        assertThat(OpenFiles.below(root.resolve("trees"))).as("the store's own").isOne();
        store.close();
        assertThat(OpenFiles.below(root.resolve("trees"))).isZero();
        parent.close();
    }

    private static void write(Fd directory, String name) {
        try {
            Files.writeString(Path.of("/proc/self/fd/" + directory.number(), name), name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String mode(Fd directory) {
        return Integer.toOctalString(FileSystem.status(directory).mode() & 07777);
    }

    private Path tree(Digest key) {
        return root.resolve("trees").resolve(key.hex());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(root.resolve("trees"))) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> !name.equals("locks"))
                    .sorted()
                    .toList();
        }
    }

    private Layer made(Digest key, String... files) {
        return store.obtain(key, (tree, _) -> List.of(files).forEach(name -> write(tree, name)));
    }

    // ---- what is made

    @Test
    void a_tree_is_filled_once_and_found_again() throws IOException {
        assertThat(store.find(ONE)).isEmpty();
        Layer made = store.obtain(ONE, (tree, work) -> {
            write(tree, "file");
            write(work, "scratch");
            assertThat(store.find(ONE)).isEmpty();
            assertThat(mode(tree)).isEqualTo("755");
            assertThat(mode(work)).isEqualTo("755");
        });
        assertThat(made.path()).isEqualTo(tree(ONE));
        assertThat(made.removable()).isTrue();
        assertThat(names()).containsExactly(ONE.hex());
        assertThat(tree(ONE).resolve("file")).hasContent("file");
        assertThat(store.find(ONE)).contains(made);
        assertThat(store.obtain(ONE, FAILS)).isEqualTo(made);
        assertThat(store.keys()).isEqualTo(Set.of(ONE));
        try (StoreDirectory kept = StoreDirectory.open(root, parent, "trees", false)) {
            assertThat(kept.find(ONE).orElseThrow().removable()).isFalse();
        }
    }

    @Test
    void a_tree_that_could_not_be_filled_leaves_nothing() throws IOException {
        assertThatThrownBy(() -> store.obtain(ONE, FAILS)).hasMessage("cut").hasNoSuppressedExceptions();
        assertThat(names()).isEmpty();
        assertThat(made(ONE, "a").path()).exists();
    }

    @Test
    void what_a_crash_left_of_a_tree_is_thrown_away_before_it_is_filled() throws IOException {
        for (String left : List.of(".partial", ".work", ".removed")) {
            Files.writeString(Files.createDirectory(Path.of(tree(ONE) + left)).resolve("old"), "old");
        }
        Layer _ = made(ONE, "new");
        assertThat(names()).containsExactly(ONE.hex());
        assertThat(tree(ONE).resolve("old")).doesNotExist();
        assertThat(tree(ONE).resolve("new")).exists();
    }

    @Test
    void two_who_want_the_same_tree_make_one() throws Exception {
        var begun = new CountDownLatch(1);
        var filled = new ArrayList<String>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor();
                StoreDirectory other = again()) {
            var first = threads.submit(() -> store.obtain(ONE, (_, _) -> {
                filled.add("first");
                begun.countDown();
                sleep();
            }));
            assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
            Layer second = other.obtain(ONE, (_, _) -> filled.add("second"));
            assertThat(second).isEqualTo(first.get());
        }
        assertThat(filled).containsExactly("first");
    }

    private static void sleep() {
        try {
            Thread.sleep(60);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void one_that_is_interrupted_does_not_wait() {
        Layer _ = store.obtain(ONE, (_, _) -> {
            Thread.currentThread().interrupt();
            var refused = catchThrowableOfType(ImageException.class, () -> store.obtain(ONE, FAILS));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(refused.reason()).isEqualTo(Code.INTERRUPTED);
            assertThat(refused.sentence())
                    .isEqualTo("the work with the layer " + ONE
                            + " was interrupted, and the store is as before: do it again");
            assertThat(locksOpen()).as("that of the filling").isOne();
        });
    }

    private long locksOpen() {
        try {
            return OpenFiles.below(root.resolve("trees/locks"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void another_tree_is_made_meanwhile() throws IOException {
        Layer _ = store.obtain(ONE, (_, _) -> {
            Layer inner = made(TWO, "a");
            assertThat(inner.path()).exists();
        });
        assertThat(names()).containsExactlyInAnyOrder(ONE.hex(), TWO.hex());
    }

    @Test
    void a_tree_beside_the_others_is_used_and_removed() throws IOException {
        var seen = new ArrayList<String>();
        String result = store.beside(
                (tree, work) -> {
                    assertThat(mode(tree)).isEqualTo("755");
                    assertThat(mode(work)).isEqualTo("755");
                    write(tree, "file");
                    write(work, "scratch");
                },
                tree -> {
                    seen.addAll(DirectoryEntries.of(tree));
                    assertThat(store.keys()).isEmpty();
                    try (StoreDirectory other = again()) {
                        assertThat(other.keys()).isEmpty();
                    }
                    return "it";
                });
        assertThat(result).isEqualTo("it");
        assertThat(seen).containsExactly("file");
        assertThat(names()).isEmpty();
        assertThatThrownBy(() -> store.beside(FAILS, _ -> "it")).hasMessage("cut");
        assertThatThrownBy(() -> store.beside((_, _) -> {}, _ -> {
                    throw new IllegalStateException("used");
                }))
                .hasMessage("used");
        assertThat(names()).isEmpty();
    }

    @Test
    void modes_do_not_depend_on_the_mask_of_the_process() throws IOException {
        int before = Umask.set(0077);
        try {
            Layer _ = store.obtain(ONE, (tree, _) -> assertThat(mode(tree)).isEqualTo("755"));
            assertThat(store.<String>beside(
                            (tree, _) -> assertThat(mode(tree)).isEqualTo("755"), StoreDirectoryTest::mode))
                    .isEqualTo("755");
        } finally {
            assertThat(Umask.set(before)).isEqualTo(0077);
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(tree(ONE))))
                .isEqualTo("rwxr-xr-x");
    }

    // ---- what is there before

    @Test
    void a_start_removes_what_a_crash_left_and_nothing_else() throws IOException {
        String hex = ONE.hex();
        for (String name : List.of(
                hex + ".partial", hex + ".work", hex + ".removed", hex, hex + ".other", "short.partial", "x" + hex)) {
            Files.createDirectories(root.resolve("trees").resolve(name).resolve("d"));
        }
        again().close();
        assertThat(names()).containsExactlyInAnyOrder(hex, hex + ".other", "short.partial", "x" + hex);
        assertThat(store.keys()).isEqualTo(Set.of(ONE));
    }

    @Test
    void a_start_leaves_what_somebody_fills() {
        Layer made = store.obtain(ONE, (tree, work) -> {
            again().close();
            write(tree, "a");
            write(work, "b");
        });
        assertThat(made.path().resolve("a")).exists();
    }

    @Test
    void a_store_is_private_and_no_link() throws IOException {
        Path trees = root.resolve("trees");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(trees)))
                .isEqualTo("rwx------");
        Files.setPosixFilePermissions(trees, PosixFilePermissions.fromString("rwxrwxrwx"));
        again().close();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(trees)))
                .isEqualTo("rwx------");
        Files.createSymbolicLink(root.resolve("link"), trees);
        Files.writeString(root.resolve("file"), "");
        for (String name : List.of("link", "file")) {
            assertThatThrownBy(
                            () -> StoreDirectory.open(root, parent, name, true).close())
                    .isInstanceOf(ErrnoException.class);
        }
        var refused = catchThrowableOfType(
                ErrnoException.class,
                () -> StoreDirectory.open(root, parent, "none/below", true).close());
        assertThat(refused.is(Errno.ENOENT)).isTrue();
    }

    @Test
    void a_link_or_a_file_is_no_tree() throws IOException {
        Files.createSymbolicLink(tree(ONE), root);
        Files.writeString(tree(TWO), "");
        for (Digest key : List.of(ONE, TWO)) {
            var refused = catchThrowableOfType(ErrnoException.class, () -> store.find(key));
            assertThat(refused.is(Errno.ELOOP) || refused.is(Errno.ENOTDIR)).isTrue();
        }
    }

    // ---- what goes

    @Test
    void only_trees_that_nobody_has_or_needs_are_removed() throws IOException {
        Layer one = made(ONE, "a");
        Layer _ = made(TWO, "b");
        var asked = new ArrayList<Digest>();
        try (Fd _ = one.open()) {
            store.remove(Set.of(ONE, TWO), key -> {
                asked.add(key);
                return true;
            });
            assertThat(asked).containsExactly(TWO);
            assertThat(names()).containsExactlyInAnyOrder(ONE.hex(), TWO.hex());
            Files.createDirectories(Path.of(tree(TWO) + ".removed/left"));
            store.remove(Set.of(ONE, TWO, Digest.of(new byte[] {3})), _ -> false);
            assertThat(names()).containsExactly(ONE.hex());
            assertThat(store.find(TWO)).isEmpty();
        }
        store.remove(Set.of(ONE), _ -> false);
        assertThat(names()).isEmpty();
        var refused =
                catchThrowableOfType(ImageException.class, () -> one.open().close());
        assertThat(refused.reason()).isEqualTo(Code.LAYER_CHANGED);
    }

    @Test
    void a_tree_cannot_be_opened_while_its_removal_is_decided() {
        Layer one = made(ONE, "a");
        store.remove(Set.of(ONE), _ -> {
            var refused =
                    catchThrowableOfType(ImageException.class, () -> one.open().close());
            assertThat(refused.reason()).isEqualTo(Code.LAYER_CHANGED);
            return true;
        });
        try (Fd opened = one.open()) {
            assertThat(FileLocks.tryLockShared(opened)).isTrue();
        }
    }

    @Test
    void sizes_are_those_of_whole_trees() throws IOException {
        Layer _ = made(ONE, "four", "sixsix");
        Layer _ = made(TWO);
        Files.writeString(Files.createDirectory(Path.of(tree(ONE) + ".work")).resolve("x"), "not counted");
        assertThat(store.sizes()).isEqualTo(Map.of(ONE.hex(), 10L, TWO.hex(), 0L));
    }

    @Tag("root")
    @Test
    void root_may_mark_trees_for_the_overlay() {
        assertThat(store.takesTrusted()).isTrue();
        try (Fd directory = FileSystem.open(root.resolve("trees").toString(), FileSystem.O_RDONLY)) {
            assertThat(ExtendedAttributes.get(directory, "trusted.caisson.probe"))
                    .isPresent();
        }
    }
}
