package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Contexts that change while they are read: the layer has a state that was there, or the build ends.
class ChangingContextTest extends Copying {
    private Path outside;

    @BeforeEach
    void a_secret_outside() throws IOException {
        outside = Files.createDirectory(directory.resolve("outside"));
        file(outside.resolve("a"), "secret", "rw-------");
    }

    @FunctionalInterface
    private interface Change {
        void run() throws IOException;
    }

    /// Returns a copy of a tree that changes once `path` has been listed and before it is read.
    private CopyStep copy(String line, String path, Change change) {
        Fd root = FileSystem.open(context.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        opened.add(root);
        var tree = new FileTree(
                root,
                "the build context",
                asked -> {
                    if (asked.equals(path)) {
                        try {
                            change.run();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    }
                    return false;
                },
                false);
        BuildStep step = Plans.steps("FROM scratch", line).getLast();
        return new CopyStep((Operation.Copy) step.operation(), step.place(), tree, List.of(), this::unpacked);
    }

    private List<String> layer(String path, Change change) throws IOException {
        CopyStep copy = copy("COPY . /", path, change);
        return LayerList.of(LayerList.bytes(copy.layer(tree(image, "the image"), NOW), Optional.empty()));
    }

    private void assertChanged(String path, Change change) {
        assertThatThrownBy(() -> layer(path, change))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.code()).isEqualTo("BUILD_CHANGED"))
                .hasMessageContaining("/" + path + " of the build context changed while it was read")
                .hasMessageNotContaining("secret");
    }

    @Test
    void a_file_in_whose_place_another_one_is_put_is_that_one_in_all() throws IOException {
        file("a");
        Files.setPosixFilePermissions(context.resolve("a"), PosixFilePermissions.fromString("rwxr-xr-x"));
        file(directory.resolve("new"), "longer", "rw-r-----");

        assertThat(layer(
                        "a",
                        () -> Files.move(
                                directory.resolve("new"), context.resolve("a"), StandardCopyOption.REPLACE_EXISTING)))
                .containsExactly("0 640 0:0 a =longer");
    }

    @Test
    void a_file_that_grew_or_shrank_since_it_was_listed_has_the_size_that_it_has() throws IOException {
        file("a");
        assertThat(layer("a", () -> Files.writeString(context.resolve("a"), "bc", StandardOpenOption.APPEND)))
                .containsExactly("0 644 0:0 a =abc");
        assertThat(layer("a", () -> Files.writeString(context.resolve("a"), "")))
                .containsExactly("0 644 0:0 a =");
    }

    @Test
    void a_file_with_more_content_than_its_size_is_not_cut() {
        context = Path.of("/proc/self/task");
        assertThatThrownBy(() -> archive("COPY " + ProcessHandle.current().pid() + "/status /"))
                .isInstanceOfSatisfying(
                        BuildException.class, e -> assertThat(e.code()).isEqualTo("BUILD_CHANGED"));
    }

    @Test
    void a_file_that_becomes_a_link_is_not_followed() throws IOException {
        file("a");
        assertChanged("a", () -> {
            Files.delete(context.resolve("a"));
            Files.createSymbolicLink(context.resolve("a"), outside.resolve("a"));
        });
    }

    @Test
    void a_link_that_becomes_a_file_or_goes_is_told_as_a_change() throws IOException {
        Files.createSymbolicLink(context.resolve("a"), Path.of("b"));
        assertChanged("a", () -> {
            Files.delete(context.resolve("a"));
            file("a");
        });
        Files.delete(context.resolve("a"));
        Files.createSymbolicLink(context.resolve("a"), Path.of("b"));
        assertChanged("a", () -> Files.delete(context.resolve("a")));
    }

    @Test
    void a_directory_that_becomes_a_link_or_is_moved_away_leads_nowhere() throws IOException {
        file("d/a");
        assertChanged("d", () -> {
            Files.move(context.resolve("d"), outside.resolve("d"));
            Files.createSymbolicLink(context.resolve("d"), outside);
        });
        Files.delete(context.resolve("d"));
        file("d/a");
        assertChanged("d/a", () -> {
            Files.move(context.resolve("d"), outside.resolve("e"));
            Files.createSymbolicLink(context.resolve("d"), outside);
        });
    }
}
