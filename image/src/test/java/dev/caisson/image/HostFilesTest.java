package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is taken of a host's /etc, and above all what is not.
class HostFilesTest {
    @TempDir
    private Path host;

    @BeforeEach
    void an_etc() throws IOException {
        Files.createDirectories(host.resolve("etc/java"));
        Files.createDirectories(host.resolve("etc/ssl/certs"));
        Files.createDirectories(host.resolve("etc/ssl/private"));
        file("etc/ssl/private/key", "rw-r--r--");
        file("etc/shadow", "rw-r--r--");
        modes("etc/java", "rwxr-xr-x");
        modes("etc/ssl/certs", "rwxr-xr-x");
    }

    private void modes(String path, String permissions) throws IOException {
        Files.setPosixFilePermissions(host.resolve(path), PosixFilePermissions.fromString(permissions));
    }

    private void file(String path, String permissions) throws IOException {
        Files.writeString(host.resolve(path), path);
        modes(path, permissions);
    }

    private <T> T look(java.util.function.Function<HostFiles, T> ask) {
        try (Fd root = FileSystem.open(host.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return ask.apply(new HostFiles(root));
        }
    }

    private List<String> taken() {
        return look(files -> files.entries().stream().map(SkeletonEntry::path).toList());
    }

    @Test
    void nothing_but_the_known_names_is_taken() throws IOException {
        file("etc/services", "rw-r--r--");
        file("etc/java/a", "rw-r--r--");
        file("etc/ssl/certs/b.pem", "rw-r--r--");
        file("etc/python3.13", "rw-r--r--");
        file("etc/java-21", "rw-r--r--");

        assertThat(taken())
                .containsExactly(
                        "etc/java",
                        "etc/java/a",
                        "etc/services",
                        "etc/java-21",
                        "etc/python3.13",
                        "etc/ssl",
                        "etc/ssl/certs",
                        "etc/ssl/certs/b.pem");
    }

    /// Whatever theirs is on the host.
    @Test
    void directories_are_open_to_everybody_and_files_to_read() throws IOException {
        file("etc/ssl/certs/b.pem", "rwxrwxrwx");
        file("etc/services", "rw-rw-rw-");
        modes("etc/ssl", "rwxrwxrwx");
        modes("etc/ssl/certs", "rwxrwxrwx");

        assertThat(look(HostFiles::entries))
                .filteredOn(SkeletonEntry.Directory.class::isInstance)
                .extracting(SkeletonEntry.Directory.class::cast)
                .containsExactly(
                        new SkeletonEntry.Directory("etc/java", 0755),
                        new SkeletonEntry.Directory("etc/ssl", 0755),
                        new SkeletonEntry.Directory("etc/ssl/certs", 0755));
        assertThat(modesOfFiles()).isEqualTo(Map.of("etc/ssl/certs/b.pem", "rwxr-xr-x", "etc/services", "rw-r--r--"));
    }

    private Map<String, String> modesOfFiles() throws IOException {
        Path tree = Files.createDirectories(host.resolve("tree"));
        var modes = new HashMap<String, String>();
        Files.createDirectory(tree.resolve("etc"));
        try (Fd root = FileSystem.open(tree.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            look(HostFiles::entries).forEach(entry -> entry.write(root));
        }
        for (SkeletonEntry entry : look(HostFiles::entries)) {
            if (entry instanceof SkeletonEntry.File) {
                modes.put(
                        entry.path(),
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(tree.resolve(entry.path()))));
            }
        }
        return modes;
    }

    @Test
    void a_file_in_the_place_of_a_directory_has_nothing_below() throws IOException {
        Files.delete(host.resolve("etc/ssl/private/key"));
        for (String name : List.of("etc/ssl/private", "etc/ssl/certs", "etc/ssl")) {
            Files.delete(host.resolve(name));
        }
        file("etc/ssl", "rw-r--r--");

        assertThat(taken()).containsExactly("etc/java");
        Files.delete(host.resolve("etc/ssl"));
        Files.createSymbolicLink(host.resolve("etc/ssl"), Path.of("ssl"));
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(this::taken)
                .satisfies(refused -> assertThat(refused.is(Errno.ELOOP)).isTrue());
    }

    @ParameterizedTest
    @CsvSource({"rw-r-----,false", "rw-------,false", "-wx-wx-wx,false", "------r--,true", "rwxr-xr-x,true"})
    void a_file_that_not_everybody_may_read_stays_outside(String permissions, boolean isTaken) throws IOException {
        file("etc/java/a", permissions);

        assertThat(taken().contains("etc/java/a")).isEqualTo(isTaken);
    }

    @ParameterizedTest
    @CsvSource({"rwxr-x---,false", "rwxr-xr--,false", "rwxr-x--x,false", "rwx---r-x,true"})
    void a_directory_that_not_everybody_may_search_stays_outside(String permissions, boolean isTaken)
            throws IOException {
        Files.createDirectories(host.resolve("etc/java/d"));
        file("etc/java/d/f", "rw-r--r--");
        modes("etc/java/d", permissions);

        assertThat(taken().contains("etc/java/d")).isEqualTo(isTaken);
        assertThat(taken().contains("etc/java/d/f")).isEqualTo(isTaken);
    }

    @Test
    void links_are_taken_as_links_and_pipes_not_at_all() throws IOException {
        Files.createSymbolicLink(host.resolve("etc/java/link"), Path.of("/etc/shadow"));
        try (Fd directory =
                FileSystem.open(host.resolve("etc/java").toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            FileSystem.makeNode(directory, "pipe", 0010666, 0);
        }
        modes("etc/java/pipe", "rw-rw-rw-");

        assertThat(look(HostFiles::entries))
                .filteredOn(entry -> entry.path().startsWith("etc/java/"))
                .containsExactly(new SkeletonEntry.Link("etc/java/link", "/etc/shadow"));
    }

    @Test
    void large_files_and_deep_directories_stay_outside() throws IOException {
        for (long size : new long[] {16 << 20, (16 << 20) + 1}) {
            try (var large =
                    new RandomAccessFile(host.resolve("etc/java/" + size).toFile(), "rw")) {
                large.setLength(size);
            }
            modes("etc/java/" + size, "rw-r--r--");
        }
        Files.createDirectories(host.resolve("etc/java" + "/x".repeat(20)));
        Files.createDirectories(host.resolve("etc/ssl/certs" + "/x".repeat(20)));

        List<String> taken = taken();

        String deepest = "etc/ssl/certs" + "/x".repeat(14);
        assertThat(taken).contains(deepest).doesNotContain(deepest + "/x");

        assertThat(taken).contains("etc/java/" + (16 << 20)).doesNotContain("etc/java/" + ((16 << 20) + 1));
        assertThat(taken).contains("etc/java" + "/x".repeat(14)).doesNotContain("etc/java" + "/x".repeat(15));
    }

    @Test
    void a_change_of_what_was_looked_at_is_noticed() throws IOException {
        file("etc/java/a", "rw-r--r--");
        file("etc/services", "rw-r--r--");
        Files.createSymbolicLink(host.resolve("etc/java/link"), Path.of("a"));
        Files.createSymbolicLink(host.resolve("etc/localtime"), Path.of("a"));
        List<HostFiles.Stamp> before = look(HostFiles::stamps);

        assertThat(before)
                .extracting(HostFiles.Stamp::path)
                .contains("etc/localtime")
                .doesNotContain("etc/java/link"); // a change of it changes its directory
        assertThat(before).extracting(HostFiles.Stamp::path).contains("etc", "etc/java", "etc/java/a", "etc/magic");
        assertThat(changed(before)).isEmpty();
        Files.writeString(host.resolve("etc/java/a"), "another");
        assertThat(changed(before)).containsExactly("etc/java/a");
        modes("etc/services", "rw-------");
        Files.writeString(host.resolve("etc/magic"), "new");
        assertThat(changed(before)).contains("etc/java/a", "etc/services", "etc/magic", "etc");
    }

    private List<String> changed(List<HostFiles.Stamp> before) {
        try (Fd root = FileSystem.open(host.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            Stream<HostFiles.Stamp> changed = before.stream().filter(stamp -> !stamp.holds(root));
            return changed.map(HostFiles.Stamp::path).toList();
        }
    }
}
