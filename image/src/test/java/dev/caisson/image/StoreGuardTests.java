package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Unpacked images are reached by nobody else, and a layer is the directory that it was or none.
class StoreGuardTests {
    @TempDir
    private Path temporary;

    @Test
    void directories_of_the_store_are_closed_to_others_whatever_they_were() throws IOException {
        Path store = temporary.resolve("store");
        for (String name : new String[] {"host", "rootfs", "layers"}) {
            Path directory = Files.createDirectories(store.resolve(name));
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        }

        ImageStore.open(store).close();

        for (String name : new String[] {"host", "rootfs", "layers"}) {
            assertThat(Files.getPosixFilePermissions(store.resolve(name)))
                    .as(name)
                    .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        }
    }

    private static void assertChanged(Layer layer) {
        assertThatThrownBy(() -> layer.open().close())
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.LAYER_CHANGED));
    }

    @Test
    void a_layer_is_one_directory_of_one_file_system_and_no_link_leads_to_it() throws IOException {
        Path directory = Files.createDirectory(temporary.toRealPath().resolve("layer"));
        Layer layer;
        try (Fd opened = FileSystem.open(directory.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            layer = Layer.of(directory, opened);
        }
        layer.open().close();

        assertChanged(new Layer(directory, layer.fileSystem() + 1, layer.inode()));
        assertChanged(new Layer(directory, layer.fileSystem(), layer.inode() + 1));
        assertChanged(new Layer(directory.resolve("none"), layer.fileSystem(), layer.inode()));
        Path link = Files.createSymbolicLink(directory.resolveSibling("link"), directory);
        assertChanged(new Layer(link, layer.fileSystem(), layer.inode()));
        Layer stored = layer.ofStore();
        stored.open().close();
        assertChanged(new Layer(directory, layer.fileSystem(), layer.inode() + 1).ofStore());
        try (Fd removing = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            FileLocks.lock(removing);
            assertChanged(stored);
        }
        try (var open = Files.list(Path.of("/proc/self/fd"))) {
            assertThat(open.filter(Files::isSymbolicLink).filter(fd -> leadsTo(fd, directory)))
                    .isEmpty();
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
    void a_file_is_no_layer() throws IOException {
        Path file = Files.writeString(temporary.toRealPath().resolve("file"), "");
        try (Fd opened = FileSystem.open(file.toString(), FileSystem.O_RDONLY)) {
            Layer layer = Layer.of(file, opened);
            assertChanged(layer);
            assertChanged(layer.ofStore());
            assertThat(layer.removable()).isFalse();
            assertThat(layer.ofStore()).isEqualTo(new Layer(file, layer.fileSystem(), layer.inode(), true));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "28, x, STORE_FULL, has no room for x (ENOSPC)",
        "28, caisson.local/build-cache:1f, STORE_FULL, has no room for a result of the build (ENOSPC)",
        "122, x, STORE_FULL, has no room for x (EDQUOT)",
        "5, x, STORE_REFUSED, the kernel refused a step while x was made ready",
    })
    void a_disk_without_room_is_told_from_one_that_fails(int errno, String name, Code code, String part) {
        assertThatThrownBy(() -> StoreFailures.guarded(name, () -> {
                    throw new ErrnoException("write", errno);
                }))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(code))
                .hasMessageContaining(part);
    }

    @Test
    void what_cannot_be_read_or_needs_too_much_memory_is_told() {
        for (Exception failure :
                new Exception[] {new IOException("cut"), new UncheckedIOException(new IOException("cut"))}) {
            assertThatThrownBy(() -> StoreFailures.guarded("x", () -> {
                        if (failure instanceof IOException e) {
                            throw e;
                        }
                        throw (RuntimeException) failure;
                    }))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.BAD_ARCHIVE))
                    .hasMessageContaining("x cannot be read");
        }
        assertThatThrownBy(() -> StoreFailures.guarded("x", () -> {
                    throw new OutOfMemoryError("heap");
                }))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.TOO_LARGE))
                .hasMessageContaining("-Xmx");
        assertThat(StoreFailures.guarded("x", () -> 7)).isEqualTo(7);
    }

    @Test
    void a_root_file_system_has_a_layer() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Rootfs(List.of(), ImageConfig.plain(List.of()), Optional.empty(), List.of()));
    }

    private static final String CONFIG = "{\"os\":\"linux\",\"architecture\":\"HERE\",\"config\":{},"
            + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"DIFF\"]}}";

    /// An image of one layer, of which its configuration says another digest if `claimed` is another layer.
    private Path archive(byte[] layer, byte[] claimed) throws IOException {
        String here = System.getProperty("os.arch").equals("aarch64") ? "arm64" : System.getProperty("os.arch");
        String config =
                CONFIG.replace("HERE", here).replace("DIFF", Digest.of(claimed).toString());
        byte[] bytes = new TarBuilder()
                .file("c.json", config)
                .member('0', "1.tar", "", layer)
                .file("manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[\"1.tar\"],\"RepoTags\":[]}]")
                .build();
        return Files.write(temporary.resolve("image.tar"), bytes);
    }

    /// Else whoever hands over an image could put files of their own under the name of an image that is trusted.
    @Test
    void a_layer_that_is_not_what_the_image_says_is_unpacked_nowhere() throws IOException {
        byte[] honest = new TarBuilder().directory("etc/").build();
        byte[] foreign = new TarBuilder().directory("etc/").directory("evil/").build();
        Path file = archive(foreign, honest);

        try (ImageStore store = ImageStore.open(temporary.resolve("store"))) {
            assertThatThrownBy(() -> store.resolve(Image.dockerArchive(file), ProgressListener.none()))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.DIGEST_MISMATCH));
            for (String trees : new String[] {"rootfs", "layers"}) {
                try (var left = Files.list(temporary.resolve("store").resolve(trees))) {
                    assertThat(left.filter(path -> !path.endsWith("locks"))).isEmpty();
                }
            }
            assertThat(store.unpackedSizes()).isEmpty();
        }
    }

    @Test
    void the_size_of_an_image_is_that_of_its_files_each_counted_once() throws IOException {
        byte[] layer = new TarBuilder()
                .directory("d/")
                .directory("d/e/")
                .file("d/e/one", "x".repeat(1000))
                .hardLink("d/two", "d/e/one")
                .file("three", "y".repeat(30))
                .symbolicLink("four", "three")
                .build();
        Path file = archive(layer, layer);

        try (ImageStore store = ImageStore.open(temporary.resolve("store"))) {
            store.resolve(Image.dockerArchive(file), ProgressListener.none());
            Files.createDirectory(temporary.resolve("store/rootfs/" + "a".repeat(64) + ".partial"));
            assertThat(store.unpackedSizes()).hasSize(1).containsValue(1000L + 30 + "three".length());
        }
    }
}
