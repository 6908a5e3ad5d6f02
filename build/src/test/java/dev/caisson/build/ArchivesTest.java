package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Archives that `ADD` unpacks, and files of which copies keep more than their content.
@Tag("root")
class ArchivesTest extends Copying {
    /// Makes an archive with tar(1).
    private void tar(String name, String... arguments) throws Exception {
        Path from = directory.resolve("packed");
        Files.createDirectories(from.resolve("sub"));
        file(from.resolve("sub/tool"), "tool", "rwxr-x---");
        if (!Files.exists(from.resolve("link"))) {
            Files.createSymbolicLink(from.resolve("link"), Path.of("/etc/passwd"));
            Files.createLink(from.resolve("sub/twin"), from.resolve("sub/tool"));
        }
        var command = new ArrayList<>(List.of(
                "tar",
                "-C",
                from.toString(),
                "-cf",
                context.resolve(name).toString(),
                "--mtime=@1000",
                "--owner=7",
                "--group=8"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("sub", "link"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private static final List<String> UNPACKED = List.of(
            "5 755 0:0 x/",
            "2 777 7:8 x/link ->/etc/passwd",
            "5 755 7:8 x/sub/",
            "0 750 7:8 x/sub/tool =tool",
            "1 750 7:8 x/sub/twin ->x/sub/tool");

    @ParameterizedTest
    @ValueSource(strings = {"--format=pax", "--format=v7", "--gzip", "--bzip2", "--xz", "--zstd"})
    void add_unpacks_an_archive_of_the_context(String form) throws Exception {
        tar("a", form);
        assertThat(layer("ADD a /x")).isEqualTo(UNPACKED);
        assertThat(layer("ADD a /x/")).isEqualTo(UNPACKED);
        assertThat(layer("ADD --unpack a /x/")).isEqualTo(UNPACKED);
        assertThat(layer("ADD --unpack=false a /x/")).anyMatch(line -> line.startsWith("0 644 0:0 x/a ="));
        assertThat(layer("COPY a /x/")).anyMatch(line -> line.startsWith("0 644 0:0 x/a ="));
        assertThat(layer("ADD --chown=app a /x"))
                .contains("0 750 1000:1001 x/sub/tool =tool", "2 777 1000:1001 x/link ->/etc/passwd");
    }

    @Test
    void what_is_compressed_and_no_archive_is_copied_by_add() throws Exception {
        file("plain");
        Process gzip = new ProcessBuilder("gzip", "-k", context.resolve("plain").toString()).start();
        assertThat(gzip.waitFor()).isZero();
        Files.write(context.resolve("empty.tar"), new byte[10240]);
        for (String name : List.of("plain", "plain.gz", "empty.tar")) {
            assertThat(layer("ADD " + name + " /x/")).as(name).anyMatch(line -> line.contains(" x/" + name + " ="));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--gzip", "--bzip2", "--xz", "--zstd", "--format=pax"})
    void a_damaged_archive_ends_the_build(String form) throws Exception {
        Files.createDirectories(directory.resolve("packed/sub"));
        var noise = new byte[2_500_000];
        new Random(7).nextBytes(noise);
        Files.write(directory.resolve("packed/sub/noise"), noise);
        tar("a", form);
        byte[] bytes = Files.readAllBytes(context.resolve("a"));
        byte[] cut = Arrays.copyOf(bytes, bytes.length * 2 / 3);
        Files.write(context.resolve("a"), cut);
        assertThat(code("ADD a /x/")).isIn("BUILD_ARCHIVE", "BAD_ARCHIVE");
        Files.write(context.resolve("a"), Arrays.copyOf(bytes, 100));
        assertThat(code("ADD a /x/"))
                .isIn(form.equals("--format=pax") ? List.of("none") : List.of("BUILD_ARCHIVE", "BAD_ARCHIVE"));
        if (!form.equals("--format=pax")) { // a plain archive has no checksum of content
            bytes[bytes.length / 2] ^= 1;
            Files.write(context.resolve("a"), bytes);
            assertThat(code("ADD a /x/")).isIn("BUILD_ARCHIVE", "BAD_ARCHIVE");
        }
    }

    @Test
    void an_archive_that_changes_while_it_is_read_ends_the_build() throws Exception {
        tar("a", "--format=pax");
        tar("b", "--gzip");
        BuildStep step = Plans.steps("FROM scratch", "ADD a /x/").getLast();
        CopyStep.Archives changed = (file, shown, below) -> {
            try {
                Files.write(context.resolve("a"), Files.readAllBytes(context.resolve("b")));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return unpacked(file, shown, below);
        };
        var copy = new CopyStep(
                (Operation.Copy) step.operation(), step.place(), tree(context, "the context"), List.of(), changed);
        assertThatThrownBy(() -> copy.layer(tree(image, "the image"), NOW))
                .hasMessageContaining("/a of the context changed while it was read");
    }

    private void links(String target) throws Exception {
        Process python = new ProcessBuilder(
                        "python3", "-c", """
                import tarfile, sys
                t = tarfile.open(sys.argv[1], 'w')
                one = tarfile.TarInfo('new/link'); one.type = tarfile.LNKTYPE; one.linkname = sys.argv[2]
                one.uid = 99; one.mode = 0o777; t.addfile(one)
                t.close()
                """, context.resolve("links").toString(), target)
                .redirectErrorStream(true)
                .start();
        assertThat(python.waitFor()).isZero();
    }

    @Test
    void a_hard_link_to_a_file_of_the_image_is_a_copy_of_that_with_its_mode_and_owner() throws Exception {
        file(image.resolve("x/sub/tool"), "tool of the image", "rwxr-x---");
        Files.setAttribute(image.resolve("x/sub/tool"), "unix:uid", 7);
        links("sub/tool");

        assertThat(layer("ADD links /x/")).contains("0 750 7:0 x/new/link =tool of the image");
    }

    @ParameterizedTest
    @ValueSource(strings = {"sub", "sub/link", "../etc/passwd", "to_sub/tool", "/etc/passwd", "none", "."})
    void a_hard_link_to_anything_else_is_refused(String target) throws Exception {
        file(image.resolve("x/sub/tool"), "tool", "rwxr-x---");
        Files.createSymbolicLink(image.resolve("x/sub/link"), Path.of("/etc/passwd"));
        Files.createSymbolicLink(image.resolve("x/to_sub"), Path.of("sub"));
        links(target);

        assertThat(code("ADD links /x/")).isEqualTo("UNSAFE_ENTRY");
    }

    @Test
    void an_archive_leads_nowhere_else() throws Exception {
        Process python =
                new ProcessBuilder("python3", "-c", """
                        import tarfile, io, sys
                        t = tarfile.open(sys.argv[1], 'w')
                        link = tarfile.TarInfo('out'); link.type = tarfile.SYMTYPE; link.linkname = sys.argv[2]; t.addfile(link)
                        f = tarfile.TarInfo('out/planted'); f.size = 1; t.addfile(f, io.BytesIO(b'x'))
                        t.close()
                        """, context.resolve("a").toString(), directory.toString()).start();
        assertThat(python.waitFor()).isZero();
        code("ADD a /x/");
        assertThat(directory.resolve("planted")).doesNotExist();
    }

    @Test
    void a_name_in_an_archive_that_would_delete_in_a_layer_is_refused() throws Exception {
        Path from = directory.resolve("packed");
        file(from.resolve("sub/.wh.tool"), "", "rw-r--r--");
        tar("a.tar");
        assertThat(code("ADD a.tar /x/")).isEqualTo("LAYER_NAME");
        Files.delete(from.resolve("sub/.wh.tool"));
        file(from.resolve("sub/.wh..wh.plnk/f"), "", "rw-r--r--");
        tar("b.tar");
        assertThat(code("ADD b.tar /x/")).isEqualTo("LAYER_NAME");
    }

    @Test
    void names_of_one_file_stay_names_of_one_file() throws IOException {
        file("d/a.x");
        Files.createDirectory(context.resolve("d/a"));
        Files.createLink(context.resolve("d/a/b"), context.resolve("d/a.x"));
        Files.createLink(context.resolve("c"), context.resolve("d/a.x"));
        assertThat(layer("COPY . /x/"))
                .contains("0 644 0:0 x/c =d/a.x", "1 644 0:0 x/d/a.x ->x/c", "1 644 0:0 x/d/a/b ->x/c");
        String before = key("COPY . /x/");
        Files.delete(context.resolve("c"));
        file(context.resolve("c"), "d/a.x", "rw-r--r--");
        assertThat(key("COPY . /x/")).isNotEqualTo(before);
    }

    @Test
    void which_names_are_of_one_file_is_part_of_the_key() throws IOException {
        file(context.resolve("d/1"), "same", "rw-r--r--");
        file(context.resolve("d/2"), "same", "rw-r--r--");
        Files.createLink(context.resolve("d/3"), context.resolve("d/1"));
        Files.createLink(context.resolve("d/4"), context.resolve("d/2"));
        String before = key("COPY d /x/");
        Files.move(context.resolve("d/3"), context.resolve("d/5"));
        Files.move(context.resolve("d/4"), context.resolve("d/3"));
        Files.move(context.resolve("d/5"), context.resolve("d/4"));
        assertThat(key("COPY d /x/")).isNotEqualTo(before);
    }

    @Test
    void attributes_of_users_and_capabilities_are_copied() throws Exception {
        file("a");
        String before = key("COPY a /x");
        try (Fd file = FileSystem.open(context.resolve("a").toString(), FileSystem.O_RDONLY)) {
            ExtendedAttributes.set(file, "user.note", new byte[] {'n', 'o', 't', 'e'});
        }
        assertThat(key("COPY a /x")).isNotEqualTo(before);
        assertThat(new String(archive("COPY a /x"), StandardCharsets.ISO_8859_1))
                .contains("SCHILY.xattr.user.note=note\n");
    }
}
