package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.InRootPath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Files with certificates in images that say and have what they like.
class JavaHomesTest {
    private static final String STORE = "lib/security/cacerts";
    private static final int FIFO = 0010600;

    @TempDir
    private Path root;

    private void file(String path) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), "store");
    }

    private Fd open() {
        return FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    private List<String> stores(String home) {
        try (Fd opened = open()) {
            return JavaHomes.stores(opened, home);
        }
    }

    @Test
    void the_home_that_an_image_names_counts_once_however_it_is_written() throws IOException {
        file("opt/java/" + STORE);
        for (String home : List.of(
                "",
                "/",
                "opt/java",
                "/opt/java",
                "/opt/java/",
                "//opt//java//",
                "/opt/./java",
                "/opt/java/.",
                "/opt/../opt/java",
                "/../opt/java",
                "/opt/java\n",
                "/opt:/java")) {
            assertThat(stores(home)).as(home).containsExactly("opt/java/" + STORE);
        }
        file("srv/jdk/jre/" + STORE);
        assertThat(stores("/srv/jdk/")).containsExactly("srv/jdk/jre/" + STORE, "opt/java/" + STORE);
        assertThat(stores("/srv/jdk/"))
                .allSatisfy(path -> assertThat(InRootPath.of(path).isRoot()).isFalse());
    }

    @Test
    void links_and_what_is_no_file_are_passed_over_and_a_few_are_enough() throws IOException {
        file("usr/lib/jvm/a/" + STORE);
        Files.createDirectories(root.resolve("opt"));
        Files.createSymbolicLink(root.resolve("opt/link"), Path.of("/usr/lib/jvm/a"));
        Files.createDirectories(root.resolve("etc/ssl/certs/java"));
        Files.createSymbolicLink(root.resolve("etc/ssl/certs/java/cacerts"), Path.of("/usr/lib/jvm/a/" + STORE));
        Files.createDirectories(root.resolve("etc/pki/java/cacerts"));
        assertThat(stores("/opt/link")).containsExactly("usr/lib/jvm/a/" + STORE);
        for (int i = 0; i < 5; i++) {
            file("opt/java" + i + "/" + STORE);
        }
        assertThat(stores("")).hasSize(4);
    }

    @Test
    @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void a_pipe_in_the_place_of_certificates_is_not_waited_for() throws IOException {
        file("file");
        try (Fd opened = open()) {
            FileSystem.makeNode(opened, "pipe", FIFO, 0);
            assertThat(GateFiles.read(opened, "pipe")).isEmpty();
            assertThat(GateFiles.read(opened, "none")).isEmpty();
            assertThat(GateFiles.read(opened, "file").map(bytes -> new String(bytes, StandardCharsets.UTF_8)))
                    .contains("store");
        }
    }
}
