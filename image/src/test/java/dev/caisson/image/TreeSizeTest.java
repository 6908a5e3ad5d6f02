package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The bytes of files, each once, and of nothing that a link leads to.
class TreeSizeTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @Test
    void files_count_once_whatever_their_names() throws IOException {
        Path root = Files.createDirectories(temporary.toRealPath().resolve("root"));
        Path below = Files.createDirectories(root.resolve("a/b/c"));
        Files.write(root.resolve("one"), new byte[1]);
        Files.write(below.resolve("ten"), new byte[10]);
        Files.createLink(root.resolve("same"), below.resolve("ten"));
        Files.createLink(root.resolve("a/same"), below.resolve("ten"));
        Files.write(root.resolve("a/hundred"), new byte[100]);
        Files.createLink(root.resolve("a/b/hundred"), root.resolve("a/hundred"));
        Files.write(temporary.resolve("outside"), new byte[10_000]);
        Files.createSymbolicLink(root.resolve("link"), Path.of("../outside"));
        Files.createSymbolicLink(root.resolve("up"), Path.of(".."));
        try (Fd tree = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            assertThat(TreeSize.of(tree)).isEqualTo(1 + 10 + 100 + "../outside".length() + "..".length());
            assertThat(TreeSize.of(tree)).isEqualTo(123);
        }
        assertThat(OpenFiles.below(root)).isZero();
    }
}
