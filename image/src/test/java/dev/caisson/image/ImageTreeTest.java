package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The files of an image of one layer or of several, and what is held while they are open.
@Tag("root")
class ImageTreeTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    private Layer layer(String name) throws IOException {
        Path directory = temporary.toRealPath().resolve(name);
        Files.createDirectories(directory.resolve("d"));
        Files.writeString(directory.resolve("d").resolve(name), name);
        try (Fd opened = FileSystem.open(directory.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return Layer.of(directory, opened);
        }
    }

    private static ImageTree open(Layer... topmostFirst) {
        return new Rootfs(List.of(topmostFirst), ImageConfig.plain(List.of("x")), Optional.empty(), List.of()).tree();
    }

    /// How many descriptors of this process lead to a layer.
    private static long held(Layer layer) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(fd -> leadsTo(fd, layer.path())).count();
        }
    }

    private static boolean leadsTo(Path link, Path target) {
        try {
            return Files.readSymbolicLink(link).equals(target);
        } catch (IOException e) {
            return false; // another thread's, closed meanwhile
        }
    }

    @Test
    void its_layers_are_held_until_it_is_closed() throws IOException {
        Layer one = layer("one");
        Layer two = layer("two");
        try (ImageTree alone = open(one)) {
            assertThat(held(one)).isPositive();
            assertThat(alone.hasDirectory("d")).isTrue();
        }
        assertThat(held(one)).isZero();
        try (ImageTree both = open(two, one)) {
            assertThat(held(one)).isPositive();
            assertThat(held(two)).isPositive();
            assertThat(both.config().cmd()).containsExactly("x");
        }
        assertThat(held(one)).isZero();
        assertThat(held(two)).isZero();
    }

    /// The kernel lays no directory over itself.
    @Test
    void layers_that_cannot_be_laid_over_each_other_are_not_held() throws IOException {
        Layer one = layer("one");
        assertThatThrownBy(() -> open(one, one).close()).isInstanceOf(ErrnoException.class);
        assertThat(held(one)).isZero();
    }

    @Test
    void it_has_the_directories_of_all_its_layers_and_only_these() throws IOException {
        try (ImageTree tree = open(layer("two"), layer("one"))) {
            assertThat(tree.hasDirectory("d")).isTrue();
            assertThat(tree.hasDirectory("")).isTrue();
            assertThat(tree.hasDirectory("none")).isFalse();
            assertThat(tree.hasDirectory("d/one")).isFalse();
            Path to = Files.createDirectory(temporary.resolve("to"));
            try (Fd target = FileSystem.open(to.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
                tree.copy("none", target, 100);
                assertThat(to).isEmptyDirectory();
                tree.copy("d", target, 100);
            }
            assertThat(to.resolve("one")).hasContent("one");
            assertThat(to.resolve("two")).hasContent("two");
        }
    }
}
