package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two trees that differ in one thing.
class TreeDifferenceTest {
    private static final FileTime TIME = FileTime.from(Instant.ofEpochSecond(1_000_000_000, 5));
    private static final int S_IFCHR = 0020000;
    private static final int S_IFIFO = 0010000;

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path stored;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path expected;

    @BeforeEach
    void make() throws IOException {
        stored = temporary.toRealPath().resolve("stored");
        expected = temporary.toRealPath().resolve("expected");
        Files.createDirectories(stored.resolve("d"));
        Files.createDirectories(expected.resolve("d"));
    }

    private static Fd open(Path directory) {
        return FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    private Optional<String> difference() throws IOException {
        try (Fd left = open(stored);
                Fd right = open(expected)) {
            return TreeDifference.first(left, right);
        } finally {
            assertThat(OpenFiles.below(temporary.toRealPath())).isZero();
        }
    }

    private static void write(Path file, byte[] content) throws IOException {
        Files.write(file, content);
        Files.setLastModifiedTime(file, TIME);
    }

    private void both(String name, byte[] content) throws IOException {
        write(stored.resolve(name), content);
        write(expected.resolve(name), content);
    }

    @Test
    void trees_of_the_same_files_do_not_differ() throws IOException {
        both("d/file", new byte[300_000]);
        both("empty", new byte[0]);
        Files.createLink(stored.resolve("z"), stored.resolve("d/file"));
        Files.createLink(expected.resolve("z"), expected.resolve("d/file"));
        Files.setLastModifiedTime(stored.resolve("d"), TIME); // times of directories do not count
        assertThat(difference()).isEmpty();
    }

    @Test
    void the_first_name_that_is_missing_or_too_many_is_told() throws IOException {
        write(expected.resolve("d/more"), new byte[0]);
        assertThat(difference()).contains("/d/more is missing");
        write(stored.resolve("d/a"), new byte[0]);
        assertThat(difference()).contains("/d/a is not of the image");
        both("c", new byte[0]);
        write(stored.resolve("b"), new byte[0]);
        assertThat(difference()).contains("/b is not of the image");
    }

    @Test
    void content_of_the_same_size_and_time_may_differ_anywhere() throws IOException {
        byte[] content = new byte[(128 << 10) + 2];
        both("d/file", content);
        for (int at : new int[] {0, (128 << 10) - 1, 128 << 10, (128 << 10) + 1}) {
            byte[] changed = content.clone();
            changed[at] = 1;
            write(stored.resolve("d/file"), changed);
            assertThat(difference()).contains("/d/file has other content");
        }
        write(stored.resolve("d/file"), content);
        assertThat(difference()).isEmpty();
    }

    @Test
    void sizes_names_and_times_of_files_count() throws IOException {
        both("file", new byte[3]);
        write(stored.resolve("file"), new byte[2]);
        assertThat(difference()).contains("/file has 2 bytes in place of 3");
        write(stored.resolve("file"), new byte[3]);
        Files.setLastModifiedTime(stored.resolve("file"), FileTime.from(Instant.ofEpochSecond(1_000_000_000, 6)));
        assertThat(difference())
                .contains("/file was modified at 2001-09-09T01:46:40.000000006Z in place of"
                        + " 2001-09-09T01:46:40.000000005Z");
        Files.createLink(stored.resolve("one"), stored.resolve("file"));
        write(expected.resolve("one"), new byte[3]);
        assertThat(difference()).contains("/file has 2 names in place of 1");
    }

    @Test
    void links_and_modes_count() throws IOException {
        Files.createSymbolicLink(stored.resolve("link"), Path.of("aa"));
        Files.createSymbolicLink(expected.resolve("link"), Path.of("ab"));
        for (Path tree : new Path[] {stored, expected}) {
            try (Fd directory = open(tree)) {
                FileSystem.changeTime(directory, "link", 7, 8);
            }
        }
        assertThat(difference()).contains("/link leads somewhere else");
        for (Path tree : new Path[] {stored, expected}) {
            Files.delete(tree.resolve("link"));
            Files.createSymbolicLink(tree.resolve("link"), Path.of("aa"));
            try (Fd directory = open(tree)) {
                FileSystem.changeTime(directory, "link", 7, 8);
            }
        }
        assertThat(difference()).isEmpty();
        try (Fd directory = open(stored.resolve("d"))) {
            FileSystem.changeMode(directory, 0710);
        }
        try (Fd directory = open(expected.resolve("d"))) {
            FileSystem.changeMode(directory, 0711);
        }
        assertThat(difference()).contains("/d has the mode 40710 in place of 40711");
    }

    @Test
    void a_link_is_not_a_directory_that_it_leads_to() throws IOException {
        Files.createSymbolicLink(stored.resolve("e"), Path.of("d"));
        Files.createDirectory(expected.resolve("e"));
        assertThat(difference().orElseThrow()).startsWith("/e has the mode 120777 in place of 40");
    }

    @Test
    void attributes_count_of_directories_and_files_and_of_the_root() throws IOException {
        both("d/file", new byte[1]);
        try (Fd file = FileSystem.open(stored.resolve("d/file").toString(), FileSystem.O_RDONLY);
                Fd other = FileSystem.open(expected.resolve("d/file").toString(), FileSystem.O_RDONLY);
                Fd directory = open(stored.resolve("d"));
                Fd otherDirectory = open(expected.resolve("d"));
                Fd root = open(expected)) {
            ExtendedAttributes.set(file, "user.a", new byte[] {1});
            assertThat(differenceWhileOpen()).contains("/d/file has other extended attributes");
            ExtendedAttributes.set(other, "user.a", new byte[] {2});
            assertThat(differenceWhileOpen()).contains("/d/file has another value of user.a");
            ExtendedAttributes.set(other, "user.a", new byte[] {1});
            assertThat(differenceWhileOpen()).isEmpty();
            ExtendedAttributes.set(directory, "user.b", new byte[] {1});
            ExtendedAttributes.set(otherDirectory, "user.b", new byte[] {1});
            assertThat(differenceWhileOpen()).isEmpty();
            ExtendedAttributes.set(otherDirectory, "user.b", new byte[] {1, 2});
            assertThat(differenceWhileOpen()).contains("/d has another value of user.b");
            ExtendedAttributes.set(root, "user.c", new byte[0]);
            assertThat(differenceWhileOpen()).contains("/ has other extended attributes");
        }
    }

    private Optional<String> differenceWhileOpen() {
        try (Fd left = open(stored);
                Fd right = open(expected)) {
            return TreeDifference.first(left, right);
        }
    }

    @Tag("root")
    @Test
    void owners_count() throws IOException {
        both("file", new byte[1]);
        Files.setAttribute(stored.resolve("file"), "unix:uid", 7, LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(expected.resolve("file"), "unix:gid", 8, LinkOption.NOFOLLOW_LINKS);
        assertThat(difference()).contains("/file belongs to 7:0 in place of 0:8");
        Files.setAttribute(stored.resolve("file"), "unix:uid", 0, LinkOption.NOFOLLOW_LINKS);
        assertThat(difference()).contains("/file belongs to 0:0 in place of 0:8");
        Files.setAttribute(stored.resolve("file"), "unix:gid", 8, LinkOption.NOFOLLOW_LINKS);
        assertThat(difference()).isEmpty();
    }

    @Tag("root")
    @Test
    void devices_count_by_their_numbers_alone_and_pipes_are_not_opened() throws IOException {
        try (Fd left = open(stored);
                Fd right = open(expected)) {
            FileSystem.makeNode(left, "pipe", S_IFIFO | 0600, 0);
            FileSystem.makeNode(right, "pipe", S_IFIFO | 0600, 0);
            FileSystem.changeTime(left, "pipe", 7, 8);
            FileSystem.changeTime(right, "pipe", 7, 8);
            FileSystem.makeNode(left, "null", S_IFCHR | 0600, 1 << 8 | 3);
            FileSystem.makeNode(right, "null", S_IFCHR | 0600, 1 << 8 | 3);
            FileSystem.changeTime(left, "null", 7, 8);
            assertThat(differenceWhileOpen()).isEmpty();
            FileSystem.removeFile(left, "null");
            FileSystem.makeNode(left, "null", S_IFCHR | 0600, 2 << 8 | 3);
            assertThat(differenceWhileOpen()).contains("/null is another device");
            FileSystem.removeFile(left, "null");
            FileSystem.makeNode(left, "null", S_IFCHR | 0600, 1 << 8 | 4);
            assertThat(differenceWhileOpen()).contains("/null is another device");
        }
    }

    @Tag("root")
    @Test
    void what_the_overlay_keeps_for_itself_does_not_count() throws IOException {
        try (Fd root = open(stored)) {
            for (String name : new String[] {LayerTrees.USED, "trusted.overlay.origin", "trusted.overlay.impure"}) {
                ExtendedAttributes.set(root, name, new byte[] {'y'});
            }
            assertThat(differenceWhileOpen()).isEmpty();
            ExtendedAttributes.set(root, "trusted.other", new byte[] {'y'});
            assertThat(differenceWhileOpen()).contains("/ has other extended attributes");
        }
    }
}
