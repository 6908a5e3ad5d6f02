package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Bytes are counted however they are read, and the end is none of them.
class PositionedStreamTest {
    @TempDir
    private Path temporary;

    @Test
    void what_is_read_or_skipped_is_counted_and_the_end_is_not() throws IOException {
        try (var stream = new PositionedStream(new ByteArrayInputStream(new byte[10]))) {
            assertThat(stream.read()).isZero();
            assertThat(stream.position()).isEqualTo(1);
            assertThat(stream.read(new byte[4], 1, 3)).isEqualTo(3);
            assertThat(stream.position()).isEqualTo(4);
            assertThat(stream.skip(2)).isEqualTo(2);
            assertThat(stream.position()).isEqualTo(6);
            assertThat(stream.read(new byte[9])).isEqualTo(4);
            assertThat(stream.read(new byte[9])).isEqualTo(-1);
            assertThat(stream.read()).isEqualTo(-1);
            assertThat(stream.skip(1)).isZero();
            assertThat(stream.position()).isEqualTo(10);
            assertThat(stream.markSupported()).isFalse();
        }
    }

    @Test
    void a_slice_ends_where_it_ends_byte_by_byte_too() throws IOException {
        Path file = Files.write(temporary.resolve("file"), new byte[] {1, 2, (byte) 0xff, 4});
        try (var channel = FileChannel.open(file);
                FileSlice slice = FileSlice.part(channel, 1, 2)) {
            assertThat(slice.available()).isEqualTo(2);
            assertThat(slice.read()).isEqualTo(2);
            assertThat(slice.read(new byte[3], 1, 0)).isZero();
            assertThat(slice.read()).isEqualTo(0xff);
            assertThat(slice.read()).isEqualTo(-1);
            assertThat(slice.read(new byte[3], 1, 0)).isZero();
            assertThat(slice.done()).isEqualTo(2);
            assertThat(slice.available()).isZero();
            assertThat(channel.isOpen()).isTrue();
        }
    }
}
