package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Archives that are no layers: which files are one, and what of one is unpacked.
class TarArchiveTest {
    private static final byte[] TAR = new TarBuilder()
            .mode(0755)
            .directory("d/")
            .mode(0644)
            .file("d/f", "content")
            .build();

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    private boolean isOne(byte[] content) throws IOException {
        Path file = Files.write(temporary.resolve("file"), content);
        try (Fd opened = FileSystem.open(file.toString(), FileSystem.O_RDONLY)) {
            return TarArchive.isOne(opened);
        }
    }

    private Path unpack(byte[] content) throws IOException {
        Path file = Files.write(temporary.resolve("file"), content);
        Path directory = Files.createTempDirectory(temporary, "to");
        try (Fd opened = FileSystem.open(file.toString(), FileSystem.O_RDONLY);
                Fd to = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            TarArchive.unpack(opened, "the file", to);
        }
        return directory;
    }

    private static List<byte[]> packed() throws Exception {
        return List.of(
                TAR,
                SampleImage.gzip(TAR),
                PackedSamples.packed("bz2.compress(data)", TAR),
                PackedSamples.packed("lzma.compress(data)", TAR));
    }

    @Test
    void an_archive_is_known_by_its_first_member_however_it_is_packed() throws Exception {
        for (byte[] archive : packed()) {
            assertThat(isOne(archive)).isTrue();
        }
        assertThat(isOne(Arrays.copyOf(TAR, 512))).isTrue();
        assertThat(isOne(Arrays.copyOf(TAR, 511))).isFalse();
        assertThat(isOne(new byte[0])).isFalse();
        assertThat(isOne("x".repeat(2000).getBytes(StandardCharsets.US_ASCII))).isFalse();
        assertThat(isOne(SampleImage.gzip(new byte[2000]))).isFalse();
    }

    @Test
    @Tag("root")
    void what_it_has_is_unpacked_however_it_is_packed() throws Exception {
        for (byte[] archive : packed()) {
            assertThat(unpack(archive).resolve("d/f")).hasContent("content");
        }
    }

    @Test
    @Tag("root")
    void damage_behind_the_last_member_counts_too() throws Exception {
        byte[] damaged = SampleImage.gzip(TAR);
        damaged[damaged.length - 8] ^= 1;
        assertThatThrownBy(() -> unpack(damaged)).isInstanceOf(IOException.class);
    }

    @Test
    @Tag("root")
    void a_name_or_link_leads_nowhere_else() throws IOException {
        byte[] tricks = new TarBuilder()
                .symbolicLink("out", temporary.toString())
                .file("out/evil", "x")
                .build();
        assertThatThrownBy(() -> unpack(tricks)).isInstanceOf(ImageException.class);
        assertThat(temporary.resolve("evil")).doesNotExist();
    }

    // ---- within its bounds

    private static BoundedArchive bounded(byte[] content) throws IOException {
        return new BoundedArchive(new ByteArrayInputStream(content), "the file");
    }

    @Test
    void it_is_read_as_any_stream_and_cannot_be_wound_back() throws IOException {
        byte[] bytes = {1, -1, 3, 4, 5};
        for (byte[] content : List.of(bytes, SampleImage.gzip(bytes))) {
            try (BoundedArchive archive = bounded(content)) {
                assertThat(archive.markSupported()).isFalse();
                assertThat(archive.read()).isEqualTo(1);
                assertThat(archive.read()).isEqualTo(255);
                assertThat(archive.skip(1)).isEqualTo(1);
                assertThat(archive.read(new byte[9], 0, 9)).isEqualTo(2);
                assertThat(archive.read()).isEqualTo(-1);
                assertThat(archive.read(new byte[9], 0, 9)).isEqualTo(-1);
                assertThat(archive.skip(3)).isZero();
            }
        }
    }

    @Test
    void it_grows_two_hundredfold_at_most_once_it_is_large() throws IOException {
        byte[] small = SampleImage.gzip(new byte[32 << 20]);
        try (BoundedArchive archive = bounded(small)) {
            assertThat(archive.readNBytes(32 << 20)).hasSize(32 << 20);
            assertThat(archive.read()).isEqualTo(-1);
        }
        byte[] large = SampleImage.gzip(new byte[(32 << 20) + 1]);
        for (boolean skips : new boolean[] {true, false}) {
            try (BoundedArchive archive = bounded(large)) {
                archive.readNBytes(32 << 20);
                var refused = catchThrowableOfType(ImageException.class, () -> {
                    if (skips) {
                        archive.skip(1);
                    } else {
                        archive.readNBytes(1);
                    }
                });
                assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
                assertThat(refused).hasMessageContaining("the file grows more than 200 times");
            }
        }
    }
}
