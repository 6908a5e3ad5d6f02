package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where the trees of the `host` image are: in the store, or in memory if that is on an overlay, as in a pod.
class SkeletonMediumTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    private static void prepare(Path store) {
        try (Fd directory = FileSystem.open(store.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            SkeletonMedium.prepare(directory, "host");
        }
    }

    private static String type(Path directory) throws IOException {
        return Files.getFileStore(directory).type();
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    private static String mode(Path directory) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(directory));
    }

    @Test
    @Tag("root")
    void it_is_a_directory_of_the_store_that_is_closed_to_others_and_may_be_there() throws Exception {
        Path disk = Files.createDirectory(temporary.resolve("disk"));
        run("mount", "-t", "tmpfs", "test", disk.toString());
        try {
            prepare(disk);
            assertThat(mode(disk.resolve("host"))).isEqualTo("rwx------");
            Files.createFile(disk.resolve("host/file"));
            prepare(disk);
            assertThat(disk.resolve("host/file")).exists();
            run("umount", disk.toString()); // nothing is mounted in it
        } catch (AssertionError e) {
            run("umount", "-R", disk.toString());
            throw e;
        }
    }

    @Test
    void a_store_that_is_gone_or_has_a_link_in_its_place_is_told() throws IOException {
        Path gone = Files.createDirectory(temporary.resolve("gone"));
        try (Fd directory = FileSystem.open(gone.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            Files.delete(gone);
            assertThatThrownBy(() -> SkeletonMedium.prepare(directory, "host"))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("mkdirat");
        }
        Path linked = Files.createDirectory(temporary.resolve("linked"));
        Files.createSymbolicLink(linked.resolve("host"), temporary);
        assertThatThrownBy(() -> prepare(linked)).hasMessageContaining("ELOOP");
    }

    @Test
    @Tag("root")
    void on_an_overlay_it_is_in_memory_and_mounted_once() throws Exception {
        Path disk = Files.createDirectory(temporary.resolve("disk"));
        run("mount", "-t", "tmpfs", "test", disk.toString());
        try {
            for (String name : List.of("lower", "upper", "work", "store")) {
                Files.createDirectory(disk.resolve(name));
            }
            String options = "lowerdir=%1$s/lower,upperdir=%1$s/upper,workdir=%1$s/work".formatted(disk);
            run(
                    "mount",
                    "-t",
                    "overlay",
                    "-o",
                    options,
                    "test",
                    disk.resolve("store").toString());
            Path host = disk.resolve("store/host");
            prepare(disk.resolve("store"));
            prepare(disk.resolve("store"));
            assertThat(type(host)).isEqualTo("tmpfs");
            assertThat(type(disk.resolve("store"))).isEqualTo("overlay");
            assertThat(mode(host)).isEqualTo("rwx------");
            assertThat(Files.getFileStore(host).getTotalSpace()).isEqualTo(16 << 20);
            run("umount", host.toString());
            assertThat(type(host)).isEqualTo("overlay");
        } finally {
            run("umount", "-R", disk.toString());
        }
    }
}
