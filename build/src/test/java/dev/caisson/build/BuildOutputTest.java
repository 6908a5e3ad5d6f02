package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.Source;
import dev.caisson.engine.EngineOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Files that come as an archive, and files of an image that are handed out.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BuildOutputTest {
    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "out");
    }

    @AfterEach
    void close() throws IOException {
        bed.close();
    }

    private BuildOutput built() throws Exception {
        bed.file("tool", "tool");
        bed.file("sub/text", "text");
        Files.createLink(bed.context.resolve("sub/twin"), bed.context.resolve("sub/text"));
        Files.createSymbolicLink(bed.context.resolve("sub/link"), Path.of("/etc/passwd"));
        BuildResult result =
                bed.build("FROM scratch", "COPY --chmod=4755 --chown=7:8 tool /tool", "COPY --chown=7:8 sub /sub/");
        return BuildOutput.of(result, bed.images);
    }

    @Test
    void an_archive_has_all_that_an_image_has() throws Exception {
        var archive = new ByteArrayOutputStream();
        try (BuildOutput output = built()) {
            output.archive(archive, Optional.empty());
        }
        assertThat(LayerList.of(archive.toByteArray()))
                .containsExactly(
                        "5 755 7:8 sub/",
                        "2 777 7:8 sub/link ->/etc/passwd",
                        "0 644 7:8 sub/text =text",
                        "1 644 7:8 sub/twin ->sub/text",
                        "0 4755 7:8 tool =tool");
    }

    @Test
    void a_directory_gets_the_files_without_their_owners_and_set_id_bits() throws Exception {
        Path to = directory.resolve("new/out");
        try (BuildOutput output = built()) {
            output.copyTo(to);
            assertThat(to.resolve("tool")).hasContent("tool");
            assertThat((int) Files.getAttribute(to.resolve("tool"), "unix:mode") & 07777)
                    .isEqualTo(0755);
            assertThat(Files.getAttribute(to.resolve("tool"), "unix:uid")).isEqualTo(0);
            assertThat(Files.readSymbolicLink(to.resolve("sub/link"))).hasToString("/etc/passwd");
            Files.writeString(to.resolve("tool"), "changed");
            Files.writeString(to.resolve("sub/own"), "own");
            output.copyTo(to);
        }
        assertThat(to.resolve("tool")).hasContent("tool");
        assertThat(to.resolve("sub/own")).hasContent("own");
    }

    @Test
    void nothing_is_written_through_a_link_of_the_directory() throws Exception {
        Path to = Files.createDirectory(directory.resolve("out"));
        Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
        Files.writeString(elsewhere.resolve("file"), "mine");
        Files.createSymbolicLink(to.resolve("tool"), elsewhere.resolve("file"));
        try (BuildOutput output = built()) {
            output.copyTo(to);
            assertThat(to.resolve("tool")).hasContent("tool").isRegularFile();
            assertThat(Files.isSymbolicLink(to.resolve("tool"))).isFalse();
            assertThat(elsewhere.resolve("file")).hasContent("mine");
            Path other = Files.createDirectory(directory.resolve("other"));
            Files.createSymbolicLink(other.resolve("sub"), elsewhere);
            assertThatExceptionOfType(BuildException.class)
                    .isThrownBy(() -> output.copyTo(other))
                    .satisfies(failure -> assertThat(failure.code()).isEqualTo("BUILD_OUTPUT"));
        }
        assertThat(Files.exists(elsewhere.resolve("text"), LinkOption.NOFOLLOW_LINKS))
                .isFalse();
    }

    // ---- a context that comes as an archive

    private byte[] packed(Path from) throws Exception {
        Process tar = new ProcessBuilder("tar", "-C", from.toString(), "-cz", ".").start();
        byte[] bytes = tar.getInputStream().readAllBytes();
        assertThat(tar.waitFor()).isZero();
        return bytes;
    }

    @Test
    void an_archive_takes_no_more_than_its_share_of_the_disk() throws Exception {
        Path data = Files.createDirectory(directory.resolve("small"));
        run("mount", "-t", "tmpfs", "-o", "size=8m", "caisson-test", data.toString());
        try {
            var options = new EngineOptions(bed.options.state(), data);
            var endless = new InputStream() {
                @Override
                public int read() {
                    return 1;
                }

                @Override
                public int read(byte[] buffer, int from, int length) {
                    Arrays.fill(buffer, from, from + length, (byte) 1);
                    return length;
                }
            };
            assertThatThrownBy(() -> ArchiveContext.open(endless, "standard input", options))
                    .isInstanceOf(BuildException.class)
                    .hasMessageContaining("standard input has more than 2 MiB")
                    .extracting(e -> ((BuildException) e).code())
                    .isEqualTo("BUILD_ARCHIVE_SIZE");
            try (Stream<Path> left = Files.walk(data.resolve("build"))) {
                assertThat(left.filter(path -> !path.endsWith("build"))).isEmpty();
            }
        } finally {
            run("umount", data.toString());
        }
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private ArchiveContext context(byte[] archive) {
        return ArchiveContext.open(new ByteArrayInputStream(archive), "standard input", bed.options);
    }

    private long left() throws IOException {
        try (Stream<Path> all = Files.list(bed.options.data().resolve("build"))) {
            return all.count();
        }
    }

    @Test
    void an_archive_is_a_context_while_it_is_open() throws Exception {
        bed.file("Dockerfile", "FROM scratch\nCOPY a /a\n");
        bed.file("a", "content");
        try (ArchiveContext archive = context(packed(bed.context))) {
            assertThat(archive.read("Dockerfile").map(Source::text)).hasValue("FROM scratch\nCOPY a /a\n");
            assertThat(archive.read(".dockerignore")).isEmpty();
            assertThat(archive.directory().resolve("a")).hasContent("content");
            assertThat(left()).isOne();
        }
        assertThat(left()).isZero();
    }

    @Test
    void a_link_in_an_archive_shows_no_file_of_the_host() throws Exception {
        Files.createSymbolicLink(bed.context.resolve("Dockerfile"), Path.of("/etc/hostname"));
        Files.createSymbolicLink(bed.context.resolve("above"), Path.of("../../../../../../etc/hostname"));
        try (ArchiveContext archive = context(packed(bed.context))) {
            assertThat(archive.read("Dockerfile")).isEmpty();
            assertThat(archive.read("above")).isEmpty();
            assertThat(archive.read("../../../../etc/hostname")).isEmpty();
        }
    }

    @Test
    void what_is_no_archive_is_refused_and_leaves_nothing() throws Exception {
        byte[] cut = java.util.Arrays.copyOf(packed(bed.context), 20);
        for (byte[] bad : List.of(new byte[0], "text".getBytes(StandardCharsets.UTF_8), cut)) {
            assertThatExceptionOfType(BuildException.class)
                    .isThrownBy(() -> context(bad))
                    .satisfies(failure -> assertThat(failure.code()).isEqualTo("BUILD_ARCHIVE"));
        }
        assertThat(left()).isZero();
    }
}
