package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.PackedImage.PackedLayer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A layer is what both of its digests say, to the last byte, or it is refused.
class LayerStreamTests {
    private static final Digest OTHER = Digest.of(new byte[] {1});
    private static final byte[] CONTENT =
            "what the archive holds".repeat(1000).getBytes(java.nio.charset.StandardCharsets.UTF_8);

    @TempDir
    private Path directory;

    private static byte[] gzip(byte[] content) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(bytes)) {
            gzip.write(content);
        }
        return bytes.toByteArray();
    }

    private FileSlice slice(byte[] bytes) throws IOException {
        Path file = Files.write(Files.createTempFile(directory, "layer", ""), bytes);
        return FileSlice.whole(FileChannel.open(file), bytes.length);
    }

    private static PackedLayer layer(Digest diffId, Optional<Digest> packed) {
        return new PackedLayer(diffId, packed, "layer", 0, () -> {
            throw new IOException("it is open already");
        });
    }

    /// @param read how many bytes the archive's reader takes before the rest is only hashed
    private void verify(byte[] bytes, int read, Digest diffId, Optional<Digest> packed) throws IOException {
        try (var stream = new LayerStream(slice(bytes), new UnpackBudget(UnpackLimits.DEFAULT, bytes.length))) {
            assertThat(stream.readNBytes(read)).isEqualTo(Arrays.copyOf(CONTENT, read));
            stream.verify(layer(diffId, packed));
        }
    }

    private static void assertCode(Code code, org.assertj.core.api.ThrowableAssert.ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(code));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void each_digest_is_compared_whether_the_layer_is_packed_or_not(boolean packed) throws IOException {
        byte[] bytes = packed ? gzip(CONTENT) : CONTENT;
        Digest diffId = Digest.of(CONTENT);
        Optional<Digest> digest = Optional.of(Digest.of(bytes));

        for (int read : new int[] {0, 1, 5000, CONTENT.length}) {
            verify(bytes, read, diffId, digest);
            verify(bytes, read, diffId, Optional.empty());
            assertCode(Code.DIGEST_MISMATCH, () -> verify(bytes, read, OTHER, digest));
            assertCode(Code.DIGEST_MISMATCH, () -> verify(bytes, read, OTHER, Optional.empty()));
            assertCode(Code.DIGEST_MISMATCH, () -> verify(bytes, read, diffId, Optional.of(OTHER)));
        }
    }

    @Test
    void a_stream_that_is_hashed_is_neither_skipped_nor_marked() throws IOException {
        for (byte[] bytes : List.of(CONTENT, gzip(CONTENT))) {
            try (var stream = new LayerStream(slice(bytes), new UnpackBudget(UnpackLimits.DEFAULT, bytes.length))) {
                assertThat(stream.markSupported()).isFalse();
                assertThatThrownBy(() -> stream.skip(1))
                        .isInstanceOf(IOException.class)
                        .hasMessage("a hashed stream is read, not skipped");
                assertThat(stream.read()).isEqualTo(CONTENT[0]);
            }
        }
        assertThat(OpenFiles.below(directory.toRealPath())).isZero();
    }

    @Test
    void what_follows_the_archive_counts() throws IOException {
        byte[] longer = Arrays.copyOf(CONTENT, CONTENT.length + 1);
        byte[] packed = gzip(longer);

        assertCode(Code.DIGEST_MISMATCH, () -> verify(longer, 10, Digest.of(CONTENT), Optional.empty()));
        assertCode(Code.DIGEST_MISMATCH, () -> verify(packed, 10, Digest.of(CONTENT), Optional.of(Digest.of(packed))));
    }

    private static UnpackLimits limits(long bytes, long ratio, long grace) {
        return new UnpackLimits(bytes, 1L << 40, 10, 4095, 128, 1 << 20, ratio, grace);
    }

    private void readAll(byte[] bytes, UnpackLimits limits, boolean oneByOne) throws IOException {
        try (var stream = new LayerStream(slice(bytes), new UnpackBudget(limits, bytes.length))) {
            if (oneByOne) {
                while (stream.read() >= 0) {
                    // counted by the stream
                }
            } else {
                stream.readAllBytes();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_layer_is_as_long_as_the_bound_and_no_longer(boolean oneByOne) throws IOException {
        readAll(CONTENT, limits(CONTENT.length, 200, 1 << 20), oneByOne);

        assertCode(Code.TOO_LARGE, () -> readAll(CONTENT, limits(CONTENT.length - 1, 200, 1 << 20), oneByOne));
        assertCode(Code.TOO_LARGE, () -> readAll(gzip(CONTENT), limits(CONTENT.length - 1, 200, 1 << 20), oneByOne));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_layer_that_grows_too_much_is_refused_once_it_is_large(boolean oneByOne) throws IOException {
        byte[] zeros = gzip(new byte[100_000]);
        long ratio = 100_000 / zeros.length;

        readAll(zeros, limits(1 << 20, ratio + 1, 0), oneByOne);
        readAll(zeros, limits(1 << 20, 2, 100_000), oneByOne);
        assertCode(Code.TOO_LARGE, () -> readAll(zeros, limits(1 << 20, ratio / 2, 0), oneByOne));
        assertCode(Code.TOO_LARGE, () -> readAll(zeros, limits(1 << 20, 2, 99_999), oneByOne));
    }

    @Test
    void what_no_image_is_compressed_with_is_named() {
        assertCode(
                Code.UNSUPPORTED_FORMAT,
                () -> readAll(new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 1}, UnpackLimits.DEFAULT, false));
        assertCode(
                Code.UNSUPPORTED_FORMAT,
                () -> readAll(new byte[] {'B', 'Z', 'h', '9', 1, 2, 3}, UnpackLimits.DEFAULT, false));
    }

    @Test
    void the_bounds_are_these() {
        assertThat(UnpackLimits.DEFAULT.bytes()).isEqualTo(64L << 30);
        assertThat(UnpackLimits.DEFAULT.entries()).isEqualTo(2_000_000);
        assertThat(UnpackLimits.DEFAULT.depth()).isEqualTo(128);
        assertThat(UnpackLimits.DEFAULT.ratio()).isEqualTo(200);
    }
}
