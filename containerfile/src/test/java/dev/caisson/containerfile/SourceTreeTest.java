package dev.caisson.containerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 20, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SourceTreeTest {
    @TempDir
    Path root = Path.of("");

    private static FileError refusal(SourceTree tree, Path path) {
        try {
            throw new AssertionError("it was read: " + tree.read(path).length());
        } catch (ContainerFileException e) {
            return e.error();
        }
    }

    /// Reading `/proc/kmsg` waits for the kernel's next message; `/proc/self/environ` holds what is nobody's business.
    @ParameterizedTest
    @ValueSource(strings = {"/proc/kmsg", "/proc/self/environ", "/sys/kernel/uevent_seqnum", "/dev/zero", "/dev/tty"})
    void what_the_kernel_answers_is_no_container_file(String path) throws IOException {
        Path link = Files.createSymbolicLink(root.resolve("link.yaml"), Path.of(path));

        try {
            assertThat(refusal(new SourceTree(root), Path.of(path))).isEqualTo(FileError.FILE_UNREADABLE);
            assertThat(refusal(new SourceTree(root), link)).isEqualTo(FileError.FILE_UNREADABLE);
        } finally {
            Files.delete(link);
        }
    }

    @Test
    void a_pipe_is_refused_and_not_waited_for() throws Exception {
        Path pipe = root.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor(10, TimeUnit.SECONDS))
                .isTrue();

        assertThat(new SourceTree(root).isFile(pipe)).isFalse();
        assertThat(refusal(new SourceTree(root), pipe)).isEqualTo(FileError.FILE_UNREADABLE);
    }

    @Test
    void paths_of_another_host_stay_below_its_root() throws IOException {
        Path host = Files.createDirectories(root.resolve("host"));
        Files.createDirectories(host.resolve("srv"));
        Files.writeString(host.resolve("srv/inside"), "inside");
        Files.writeString(root.resolve("outside"), "outside");
        Files.createSymbolicLink(host.resolve("up"), Path.of("../outside"));
        Files.createSymbolicLink(host.resolve("absolute"), Path.of("/srv/inside"));
        Files.createSymbolicLink(host.resolve("escape"), root.resolve("outside"));
        SourceTree tree = SourceTree.ofHost(host);

        assertThat(tree.read(Path.of("/srv/inside")).text()).isEqualTo("inside");
        assertThat(tree.read(host.resolve("absolute")).text()).isEqualTo("inside");
        assertThat(tree.isFile(host.resolve("absolute"))).isTrue();
        assertThat(refusal(tree, host.resolve("escape"))).isEqualTo(FileError.FILE_MISSING);
        assertThat(refusal(tree, host.resolve("up"))).isEqualTo(FileError.FILE_MISSING);
        assertThat(refusal(tree, root.resolve("outside"))).isEqualTo(FileError.FILE_MISSING);
        assertThat(tree.exists(host.resolve("escape"))).isFalse();
    }

    @Test
    void a_large_file_is_refused_and_its_beginning_can_be_seen() throws IOException {
        Path large = Files.write(root.resolve("large"), new byte[Source.MAX_BYTES + 1]);
        Files.write(root.resolve("fits"), new byte[Source.MAX_BYTES]);
        SourceTree tree = new SourceTree(root);

        assertThat(refusal(tree, large)).isEqualTo(FileError.FILE_TOO_LARGE);
        assertThat(tree.beginning(large, 100).length()).isEqualTo(100);
        assertThat(tree.read(Path.of("fits")).length()).isEqualTo(Source.MAX_BYTES);
        assertThatThrownBy(() -> tree.read(Path.of("gone"))).hasMessageContaining("CF-101");
    }
}
