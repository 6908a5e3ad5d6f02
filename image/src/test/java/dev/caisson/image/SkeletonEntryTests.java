package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.image.SkeletonEntry.Directory;
import dev.caisson.image.SkeletonEntry.File;
import dev.caisson.image.SkeletonEntry.Link;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tests what is written, and that two trees that differ in anything have names that differ.
class SkeletonEntryTests {
    @TempDir
    private Path temporary;

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String hash(SkeletonEntry... entries) throws NoSuchAlgorithmException {
        MessageDigest hash = MessageDigest.getInstance("SHA-256");
        for (SkeletonEntry entry : entries) {
            entry.addTo(hash);
        }
        return HexFormat.of().formatHex(hash.digest());
    }

    private void write(SkeletonEntry entry) {
        try (Fd tree = FileSystem.open(temporary.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            entry.write(tree);
        }
    }

    @Test
    void whatever_differs_in_a_tree_gives_it_another_name() throws NoSuchAlgorithmException {
        assertThat(List.of(
                        hash(),
                        hash(new File("a", 0644, bytes("b"))),
                        hash(new File("a", 0755, bytes("b"))),
                        hash(new File("b", 0644, bytes("b"))),
                        hash(new File("a", 0644, bytes("c"))),
                        hash(new File("a", 0644, bytes(""))),
                        hash(new File("a\0b", 0644, bytes(""))),
                        hash(new Directory("a", 0755)),
                        hash(new Directory("b", 0755)),
                        hash(new Directory("a", 0700)),
                        hash(new Link("a", "b")),
                        hash(new Link("a", Integer.toString(0755))),
                        hash(new Link("a", "c")),
                        hash(new Link("a", ByteText.of(new byte[] {(byte) 0x80}))),
                        hash(new Link("a", ByteText.of(new byte[] {(byte) 0x81}))),
                        hash(new Link("b", "b")),
                        hash(new Link("ab", "")),
                        hash(new Link("", "ab")),
                        hash(new Link("a", "b"), new Link("c", "d")),
                        hash(new Link("c", "d"), new Link("a", "b"))))
                .doesNotHaveDuplicates();
        assertThat(hash(new Link("a", "b"))).isEqualTo(hash(new Link("a", "b")));
    }

    /// The mode is the one that is asked for, whatever the mask of this process is; nothing that is there is replaced.
    @Test
    void files_and_directories_have_the_mode_that_is_asked_for() throws IOException {
        write(new Directory("d", 0777));
        write(new File("d/f", 0666, bytes("content")));
        write(new Link("d/l", "f"));

        assertThat(Files.getPosixFilePermissions(temporary.resolve("d")))
                .isEqualTo(PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThat(Files.getPosixFilePermissions(temporary.resolve("d/f")))
                .isEqualTo(PosixFilePermissions.fromString("rw-rw-rw-"));
        assertThat(Files.readString(temporary.resolve("d/l"))).isEqualTo("content");
        assertThatExceptionOfType(ErrnoException.class).isThrownBy(() -> write(new File("d/f", 0600, bytes("other"))));
        assertThatExceptionOfType(ErrnoException.class).isThrownBy(() -> write(new Directory("d", 0700)));
        assertThat(Files.readString(temporary.resolve("d/f"))).isEqualTo("content");
    }

    @Test
    void no_link_leads_out_of_the_tree() throws IOException {
        Path outside = Files.createTempDirectory("caisson-outside");
        Files.createSymbolicLink(temporary.resolve("out"), outside);

        assertThatExceptionOfType(ErrnoException.class).isThrownBy(() -> write(new File("out/f", 0644, bytes("x"))));

        assertThat(outside).isEmptyDirectory();
        Files.delete(outside);
    }
}
