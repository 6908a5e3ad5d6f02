package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Unpacked images are reached by nobody else, and a layer is the directory that it was or none.
class StoreGuardTests {
    @TempDir
    private Path temporary;

    @Test
    void directories_of_the_store_are_closed_to_others_whatever_they_were() throws IOException {
        Path store = temporary.resolve("store");
        for (String name : new String[] {"host", "rootfs"}) {
            Path directory = Files.createDirectories(store.resolve(name));
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        }

        ImageStore.open(store).close();

        for (String name : new String[] {"host", "rootfs"}) {
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
    }
}
