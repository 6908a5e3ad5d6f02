package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// For which root file systems an account is looked up once.
class KnownAccountsTest {
    private static final Digest IMAGE = Digest.of("image".getBytes(StandardCharsets.UTF_8));
    private static final Digest OTHER = Digest.of("other".getBytes(StandardCharsets.UTF_8));

    @TempDir
    private Path directory;

    private Path tree;

    @BeforeEach
    void make() throws IOException {
        tree = directory.toRealPath().resolve("tree");
        Files.createDirectories(tree.resolve("etc"));
        uid(5);
    }

    private void uid(int uid) throws IOException {
        Files.writeString(tree.resolve("etc/passwd"), "app:x:" + uid + ":7::/home:/bin/sh\n");
    }

    private Layer layer() {
        try (Fd opened = FileSystem.open(tree.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return Layer.of(tree, opened);
        }
    }

    private static int uid(Layer layer, Optional<Digest> digest, HostBind... binds) {
        return new Rootfs(List.of(layer), ImageConfig.plain(List.of()), digest, List.of(binds))
                .account("app")
                .uid();
    }

    @Test
    void a_tree_of_the_store_is_looked_at_once() throws IOException {
        assertThat(uid(layer().ofStore(), Optional.of(IMAGE))).isEqualTo(5);
        uid(6);
        assertThat(uid(layer().ofStore(), Optional.of(IMAGE))).isEqualTo(5);
    }

    @Test
    void another_image_or_another_tree_is_looked_at_again() throws IOException {
        assertThat(uid(layer().ofStore(), Optional.of(IMAGE))).isEqualTo(5);
        uid(6);
        assertThat(uid(layer().ofStore(), Optional.of(OTHER))).isEqualTo(6);
        Files.move(tree, directory.resolve("gone"));
        Files.createDirectories(tree.resolve("etc"));
        uid(8);
        assertThat(uid(layer().ofStore(), Optional.of(IMAGE))).isEqualTo(8);
    }

    @Test
    void a_directory_that_may_change_is_looked_at_each_time() throws IOException {
        var bind = new HostBind(Path.of("/usr"), "usr");
        assertThat(uid(layer(), Optional.of(IMAGE))).isEqualTo(5);
        assertThat(uid(layer().ofStore(), Optional.of(IMAGE), bind)).isEqualTo(5);
        assertThat(uid(layer().ofStore(), Optional.empty())).isEqualTo(5);
        uid(6);
        assertThat(uid(layer(), Optional.of(IMAGE))).isEqualTo(6);
        assertThat(uid(layer().ofStore(), Optional.of(IMAGE), bind)).isEqualTo(6);
        assertThat(uid(layer().ofStore(), Optional.empty())).isEqualTo(6);
    }
}
