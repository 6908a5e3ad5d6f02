package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the policy looked at is what is mounted, also where a user of the host exchanges a link in between.
class MountSourceTest {
    @TempDir
    private Path directory;

    private Path real;
    private Path link;

    @BeforeEach
    void make() throws IOException {
        Path home = directory.toRealPath();
        real = Files.createDirectory(home.resolve("real"));
        link = Files.createSymbolicLink(home.resolve("link"), real);
    }

    @Test
    void a_link_is_followed_once_before_the_wish_is_judged() throws IOException {
        ContainerSpec wish = ContainerSpec.of(Image.host(), "true")
                .mount(new Mount.Bind(link, InRootPath.parse("/data"), true, false));

        HostObjects objects = HostObjects.of(wish);
        Files.delete(link);
        Files.createSymbolicLink(link, Path.of("/etc"));

        assertThat(Policy.approve(wish, Samples.host(), TrustedPaths.OF_ANY_HOST, objects)
                        .spec()
                        .mounts())
                .containsExactly(new Mount.Bind(real, InRootPath.parse("/data"), true, false));
    }

    @Test
    void a_directory_that_became_a_link_is_not_opened() throws IOException {
        Files.delete(real);
        Files.createSymbolicLink(real, Path.of("/etc"));

        assertThatThrownBy(() -> FileSystem.openWithoutLinks(real.toString(), FileSystem.O_PATH))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.is(Errno.ELOOP)).isTrue());
    }

    /// Somebody who may write in a directory that is mounted exchanges it while the policy looks.
    @Test
    void what_is_approved_is_never_the_sensitive_one_of_two() throws Exception {
        var done = new AtomicBoolean();
        Thread flipping = Thread.ofPlatform().start(() -> {
            while (!done.get()) {
                flip(link, Path.of("/etc"), real);
            }
        });
        HostFacts host = HostFacts.read(List.of(), List.of(), false);
        ContainerSpec wish = ContainerSpec.of(Image.host(), "true")
                .mount(new Mount.Bind(link, InRootPath.parse("/data"), true, false));
        try {
            for (int i = 0; i < 5000; i++) {
                try {
                    assertThat(Samples.approve(wish, host).spec().mounts())
                            .containsExactly(new Mount.Bind(real, InRootPath.parse("/data"), true, false));
                } catch (RefusedException e) {
                    assertThat(e.code()).isIn("ALLOWANCE_NEEDED", "MOUNT_SOURCE");
                }
            }
        } finally {
            done.set(true);
            flipping.join();
        }
    }

    private static void flip(Path link, Path sensitive, Path harmless) {
        try {
            Path next = link.resolveSibling("next");
            for (Path target : List.of(sensitive, harmless)) {
                Files.deleteIfExists(next);
                Files.createSymbolicLink(next, target);
                Files.move(next, link, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
