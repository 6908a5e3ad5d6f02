package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.RootTree.Directory;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Directories below a root: found through links that stay in it, no deeper than the limit, hidden by whiteouts.
class RootTreeTest {
    private static final UnpackLimits LIMITS = new UnpackLimits(1 << 20, 1 << 20, 1000, 4095, 4, 4096, 10, 1 << 20);
    private static final String LONG = "n".repeat(200);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path root;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Fd opened;

    @SuppressWarnings("NullAway.Init") // set before each test
    private RootTree tree;

    @BeforeEach
    void open() throws IOException {
        root = Files.createDirectory(temporary.toRealPath().resolve("root"));
        opened = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        tree = new RootTree(opened, new UnpackBudget(LIMITS, 0));
    }

    @AfterEach
    void close() throws IOException {
        tree.close();
        assertThat(OpenFiles.below(root)).as("the root is the caller's").isOne();
        opened.close();
    }

    private static long inode(Path path) throws IOException {
        return ((Number) Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS)).longValue();
    }

    private Directory at(String... path) {
        return tree.make(List.of(path));
    }

    @Test
    void directories_are_made_once_with_all_above_them() throws IOException {
        int before = Umask.set(0077);
        Directory made;
        try {
            made = at("a", "b");
        } finally {
            assertThat(Umask.set(before)).isEqualTo(0077);
        }
        assertThat(made.inode()).isEqualTo(inode(root.resolve("a/b")));
        assertThat(made.modified())
                .isEqualTo(Files.getLastModifiedTime(root.resolve("a/b")).toInstant());
        assertThat(OpenFiles.below(root)).isEqualTo(2);
        for (String path : List.of("a", "a/b")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve(path))))
                    .isEqualTo("rwxr-xr-x");
        }
        assertThat(at("a", "b")).isSameAs(made);
        assertThat(at("a").inode()).isEqualTo(inode(root.resolve("a")));
        assertThat(OpenFiles.below(root)).isEqualTo(2);
        assertThat(at().inode()).isEqualTo(inode(root));
    }

    @Test
    void what_a_layer_made_on_the_way_is_brought() {
        Directory _ = at("a", "b");
        try (Directory a = tree.find(List.of("a")).orElseThrow();
                Directory top = tree.find(List.of()).orElseThrow()) {
            assertThat(tree.isBrought(top, "a")).isTrue();
            assertThat(tree.isBrought(a, "b")).isTrue();
            assertThat(tree.isBrought(a, "a")).isFalse();
            assertThat(tree.isBrought(top, "b")).isFalse();
            tree.beginLayer();
            assertThat(tree.isBrought(top, "a")).isFalse();
        }
    }

    @Test
    void a_file_is_no_directory() throws IOException {
        Files.writeString(Files.createDirectory(root.resolve("a")).resolve("f"), "");
        var refused = catchThrowableOfType(ImageException.class, () -> at("a", "f", "c"));
        assertThat(refused.reason()).isEqualTo(Code.UNSAFE_ENTRY);
        assertThat(refused.sentence()).startsWith("the archive has a file below \"a/f\", which leads to no directory");
        assertThat(OpenFiles.below(root)).isOne();
        assertThat(tree.find(List.of("a", "f"))).isEmpty();
        assertThat(tree.find(List.of("none"))).isEmpty();
    }

    @Test
    void links_lead_within_the_root_and_a_name_itself_is_no_link() throws IOException {
        Files.createDirectories(root.resolve("a/b"));
        Files.createSymbolicLink(root.resolve("absolute"), Path.of("/a"));
        Files.createSymbolicLink(root.resolve("up"), Path.of("../../a"));
        Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
        for (String link : List.of("absolute", "up")) {
            assertThat(at(link, "b").inode()).isEqualTo(inode(root.resolve("a/b")));
            try (Directory top = tree.find(List.of()).orElseThrow()) {
                assertThat(tree.findHere(top, link)).isEmpty();
            }
        }
        assertThat(tree.find(List.of("loop"))).isEmpty();
        try (Directory top = tree.find(List.of()).orElseThrow();
                Directory a = tree.findHere(top, "a").orElseThrow()) {
            assertThat(a.inode()).isEqualTo(inode(root.resolve("a")));
            assertThat(tree.findHere(top, "none")).isEmpty();
        }
    }

    @Test
    void a_name_that_the_kernel_refuses_is_not_taken_for_absent() {
        String tooLong = "n".repeat(256);
        assertThat(catchThrowableOfType(ErrnoException.class, () -> tree.find(List.of(tooLong)))
                        .is(Errno.ENAMETOOLONG))
                .isTrue();
        try (Directory top = tree.find(List.of()).orElseThrow()) {
            assertThat(catchThrowableOfType(ErrnoException.class, () -> tree.findHere(top, tooLong))
                            .is(Errno.ENAMETOOLONG))
                    .isTrue();
        }
    }

    // ---- depth

    private void assertTooDeep(String... path) throws IOException {
        var refused = catchThrowableOfType(ImageException.class, () -> at(path));
        assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
        assertThat(refused.sentence())
                .isEqualTo("the archive has directories more than 4 deep, as \"" + path[path.length - 1] + "\"");
        assertThat(root.resolve(String.join("/", path))).doesNotExist();
    }

    @Test
    void directories_are_as_deep_as_the_limit() throws IOException {
        Directory _ = at("a", "b", "c", "d");
        assertTooDeep("a", "b", "c", "d", "e");
        Files.createSymbolicLink(root.resolve("link"), Path.of("a/b/c/d"));
        assertTooDeep("link", "e");
    }

    @Test
    void the_depth_of_what_is_there_is_that_of_its_path() throws IOException {
        Files.createDirectories(root.resolve(LONG).resolve(LONG).resolve(LONG));
        assertThat(at(LONG, LONG, LONG, "d").inode())
                .isEqualTo(inode(root.resolve(LONG).resolve(LONG).resolve(LONG).resolve("d")));
        assertTooDeep(LONG, LONG, LONG, "d", "e");
        Files.createDirectories(root.resolve("x/x/x/x"));
        assertTooDeep("x", "x", "x", "x", "e");
        Files.createDirectories(root.resolve("y"));
        assertThat(at("y", "b", "c", "d").inode()).isEqualTo(inode(root.resolve("y/b/c/d")));
        assertTooDeep("y", "b", "c", "d", "e");
    }

    @Test
    void a_path_that_the_kernel_cannot_name_is_too_deep() throws IOException {
        try (Fd top = opened.duplicate()) {
            Fd at = top;
            for (int i = 0; i < 22; i++) {
                FileSystem.makeDirectory(at, LONG, 0755);
                Fd next = FileSystem.openAt(at, LONG, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, 0);
                if (i > 0) {
                    at.close();
                }
                at = next;
            }
            try (Directory deepest = new Directory(at, FileSystem.status(at).inode(), Instant.EPOCH)) {
                var refused = catchThrowableOfType(
                        ImageException.class,
                        () -> tree.makeDirectory(deepest, "e").close());
                assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
            }
        } finally {
            FileSystem.removeTree(opened, LONG);
        }
    }

    @Test
    void the_depth_of_what_was_made_here_is_known_however_long_its_path_is() {
        List<String> names = Collections.nCopies(20, "n".repeat(203));
        try (var deep = new RootTree(opened, new UnpackBudget(UnpackLimits.DEFAULT, 0))) {
            Directory latest = deep.make(names);
            try (Directory below = deep.makeDirectory(latest, "x")) {
                assertThat(below.inode()).isNotEqualTo(latest.inode());
            }
        } finally {
            FileSystem.removeTree(opened, names.getFirst());
        }
    }

    // ---- what is hidden

    @Test
    void a_whiteout_hides_what_the_layers_below_have() throws IOException {
        Files.createDirectories(root.resolve("d/e"));
        Files.writeString(root.resolve("d/e/old"), "");
        Files.writeString(root.resolve("file"), "");
        Directory d = at("d");
        Path made = Files.createDirectory(root.resolve("d/e/new"));
        try (Directory e = tree.find(List.of("d", "e")).orElseThrow();
                Directory top = tree.find(List.of()).orElseThrow()) {
            tree.bring(e, "new");
            tree.bring(d, "e");
            tree.whiteout(d, "e"); // this layer has a directory of this name
            assertThat(made).exists();
            assertThat(root.resolve("d/e/old")).doesNotExist();
            tree.whiteout(top, "file");
            tree.whiteout(top, "none");
            assertThat(root.resolve("file")).doesNotExist();
            tree.bring(top, "file");
            Files.writeString(root.resolve("file"), "of this layer");
            tree.whiteout(top, "file");
            assertThat(root.resolve("file")).exists();
        }
        tree.beginLayer();
        try (Directory top = tree.find(List.of()).orElseThrow()) {
            tree.whiteout(top, "d");
        }
        assertThat(root.resolve("d")).doesNotExist();
        assertThat(at("d").inode()).isEqualTo(inode(root.resolve("d")));
    }

    @Test
    void an_opaque_directory_hides_once_all_that_was_below() throws IOException {
        Files.createDirectories(root.resolve("d/e"));
        Files.writeString(root.resolve("d/old"), "");
        try (Directory d = tree.find(List.of("d")).orElseThrow()) {
            tree.bring(d, "new");
            Files.writeString(root.resolve("d/new"), "");
            tree.makeOpaque(d);
            assertThat(root.resolve("d/old")).doesNotExist();
            assertThat(root.resolve("d/e")).doesNotExist();
            assertThat(root.resolve("d/new")).exists();
            Files.writeString(root.resolve("d/later"), "");
            tree.makeOpaque(d);
            assertThat(root.resolve("d/later")).exists();
            tree.beginLayer();
            tree.makeOpaque(d);
            assertThat(root.resolve("d")).isEmptyDirectory();
        }
    }

    @Test
    void a_directory_that_is_removed_is_made_anew() throws IOException {
        Directory _ = at("a", "b");
        Files.writeString(root.resolve("a/b/f"), "");
        try (Directory top = tree.find(List.of()).orElseThrow()) {
            tree.remove(top, "none");
            Directory latest = at("a", "b");
            tree.remove(top, "a");
            assertThat(root).isEmptyDirectory();
            assertThat(latest.fd().number()).isNotNegative();
        }
        assertThat(at("a", "b").inode()).isEqualTo(inode(root.resolve("a/b")));
    }
}
