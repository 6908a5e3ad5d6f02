package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Which files of a context are read again by the next build. A digest that no file has shows that none was
/// read.
class KnownContentTest extends Copying {
    private static final String NEVER = "0".repeat(64);

    @BeforeEach
    void settle() throws Exception {
        file("a");
        Thread.sleep(1_200);
    }

    @Override
    FileTree tree(Path root, String name) {
        if (!root.equals(context)) {
            return super.tree(root, name);
        }
        Fd fd = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        opened.add(fd);
        return FileTree.ofHost(fd, name, _ -> false, false);
    }

    private void rememberWrongly() {
        FileTree tree = tree(context, "the build context");
        FileTree.Node node = tree.resolve("/a").node().orElseThrow();
        try (Fd file = tree.open(node)) {
            tree.known().orElseThrow().remember(node, file, NEVER);
        }
    }

    private Optional<String> known() {
        FileTree tree = tree(context, "the build context");
        return tree.known().orElseThrow().digest(tree.resolve("/a").node().orElseThrow());
    }

    @Test
    void a_file_that_has_not_changed_is_not_read_again() {
        String key = key("COPY a /b");
        rememberWrongly();

        assertThat(key("COPY a /b")).isNotEqualTo(key);
    }

    @Test
    void a_copy_remembers_what_it_has_read() {
        String key = key("COPY a /b");

        assertThat(known()).isPresent();
        assertThat(key("COPY a /b")).isEqualTo(key);
    }

    @Test
    void a_file_that_changed_is_read_again_whatever_time_it_was_given() throws Exception {
        String key = key("COPY a /b");
        FileTime time = Files.getLastModifiedTime(context.resolve("a"));
        Files.writeString(context.resolve("a"), "b");
        Files.setLastModifiedTime(context.resolve("a"), time);

        assertThat(key("COPY a /b")).isNotEqualTo(key);
    }

    @Test
    void a_file_that_changed_just_now_is_not_remembered() throws IOException {
        Files.writeString(context.resolve("a"), "b");
        String _ = key("COPY a /b");

        assertThat(known()).isEmpty();
    }

    @Test
    void a_file_with_attributes_that_a_layer_keeps_is_read_each_time() throws Exception {
        Files.setAttribute(context.resolve("a"), "user:note", "x".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        Thread.sleep(1_200);
        String _ = key("COPY a /b");

        assertThat(known()).isEmpty();
    }

    @Test
    void a_digest_that_proves_wrong_fails_the_build_and_is_forgotten() throws IOException {
        rememberWrongly();

        assertThatThrownBy(() -> layer("COPY a /b")).hasMessageContaining("changed while it was read");
        assertThat(layer("COPY a /b")).containsExactly("0 644 0:0 b =a");
    }

    @Test
    void a_file_that_is_not_the_listed_one_is_not_remembered() throws Exception {
        FileTree tree = tree(context, "the build context");
        FileTree.Node node = tree.resolve("/a").node().orElseThrow();
        Files.move(context.resolve("a"), context.resolve("gone"));
        file("a");
        try (Fd file = tree.open(node)) {
            tree.known().orElseThrow().remember(node, file, NEVER);
        }

        assertThat(tree.known().orElseThrow().digest(node)).isEmpty();
    }

    @Test
    void files_of_a_file_system_without_reliable_times_are_read_each_time() {
        try (Fd proc = FileSystem.open("/proc", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            FileTree tree = FileTree.ofHost(proc, "the build context", _ -> false, false);
            FileTree.Node node = tree.resolve("/version").node().orElseThrow();
            try (Fd file = tree.open(node)) {
                tree.known().orElseThrow().remember(node, file, NEVER);
            }

            assertThat(tree.known().orElseThrow().digest(node)).isEmpty();
        }
    }
}
