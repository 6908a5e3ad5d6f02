package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.zstd.ZstdException;
import dev.caisson.image.zstd.ZstdException.Reason;
import dev.caisson.image.zstd.ZstdInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Frames written by hand or by zstd, whole and damaged.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ZstdInputStreamTests {
    @TempDir
    Path directory;

    private static final int MAGIC = 0xfd2fb528;
    private static final int RAW = 0;
    private static final int REPEATED = 1;
    private static final int COMPRESSED = 2;

    /// Writes a frame field by field.
    private static final class Frame {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Frame field(int width, long value) {
            for (int i = 0; i < width; i++) {
                out.write((int) (value >>> (8 * i)));
            }
            return this;
        }

        Frame bytes(int... bytes) {
            for (int b : bytes) {
                out.write(b);
            }
            return this;
        }

        /// A window of 2 to the power of 10 + `exponent`, no size and no checksum.
        static Frame ofWindow(int exponent) {
            return new Frame().field(4, MAGIC & 0xffffffffL).bytes(0, exponent << 3);
        }

        Frame block(boolean last, int type, int size) {
            return field(3, (long) size << 3 | type << 1 | (last ? 1 : 0));
        }

        Frame raw(boolean last, String text) {
            block(last, RAW, text.length());
            out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
            return this;
        }

        byte[] build() {
            return out.toByteArray();
        }
    }

    private static byte[] decode(byte[] stream) throws IOException {
        try (InputStream in = new ZstdInputStream(new ByteArrayInputStream(stream))) {
            return in.readAllBytes();
        }
    }

    private static String text(byte[] stream) throws IOException {
        return new String(decode(stream), StandardCharsets.UTF_8);
    }

    private static void assertRefused(Reason reason, byte[] stream) {
        assertThatExceptionOfType(ZstdException.class)
                .isThrownBy(() -> decode(stream))
                .satisfies(refused -> assertThat(refused.reason()).isEqualTo(reason));
    }

    @Test
    void raw_and_repeated_blocks_follow_each_other() throws IOException {
        byte[] frame = Frame.ofWindow(0)
                .raw(false, "ab")
                .block(false, REPEATED, 5)
                .bytes('c')
                .raw(true, "d")
                .build();

        assertThat(text(frame)).isEqualTo("abcccccd");
    }

    @Test
    void frames_follow_each_other_and_skippable_ones_are_left_out() throws IOException {
        byte[] stream = new Frame()
                .field(4, 0x184d2a57)
                .field(4, 3)
                .bytes(1, 2, 3)
                .field(4, MAGIC & 0xffffffffL)
                .bytes(0x20, 1)
                .raw(true, "x")
                .field(4, 0x184d2a50)
                .field(4, 0)
                .field(4, MAGIC & 0xffffffffL)
                .bytes(0x24, 1)
                .raw(true, "y")
                .field(4, 0xa1ba3fb2L) // as zstd(1) computes it
                .build();

        assertThat(text(stream)).isEqualTo("xy");
        stream[stream.length - 1] ^= 1;
        assertRefused(Reason.DAMAGED, stream);
        assertThat(decode(new byte[0])).isEmpty();
    }

    /// Its three lowest bits are eighths of the power of two above them.
    @Test
    void a_window_is_a_power_of_two_and_eighths_of_it() throws IOException {
        for (int eighths = 0; eighths < 8; eighths++) {
            int window = 1024 + 128 * eighths;
            for (int size : new int[] {window, window + 1}) {
                byte[] frame = new Frame()
                        .field(4, MAGIC & 0xffffffffL)
                        .bytes(0, eighths)
                        .raw(true, "x".repeat(size))
                        .build();
                if (size == window) {
                    assertThat(text(frame)).hasSize(size);
                } else {
                    assertRefused(Reason.DAMAGED, frame);
                }
            }
        }
    }

    @Test
    void literals_without_sequences_are_the_block() throws IOException {
        byte[] raw = Frame.ofWindow(0)
                .block(true, COMPRESSED, 5)
                .bytes(3 << 3, 'a', 'b', 'c', 0)
                .build();
        byte[] repeated = Frame.ofWindow(0)
                .block(true, COMPRESSED, 4)
                .bytes(1 | 1 << 2 | (40 & 15) << 4, 40 >> 4, 'z', 0)
                .build();

        assertThat(text(raw)).isEqualTo("abc");
        assertThat(text(repeated)).isEqualTo("z".repeat(40));
    }

    @Test
    void a_frame_of_zstd_is_decoded() throws IOException {
        for (int i = 0; i < ZstdSamples.PACKED.size(); i++) {
            byte[] packed = Base64.getDecoder().decode(ZstdSamples.PACKED.get(i));
            assertThat(decode(packed)).as("sample %d", i).isEqualTo(ZstdSamples.unpacked(i));
        }
    }

    @Test
    void what_a_frame_says_of_itself_has_to_be_true() {
        assertRefused(
                Reason.DAMAGED,
                new Frame()
                        .field(4, MAGIC & 0xffffffffL)
                        .bytes(0x20, 2)
                        .raw(true, "x")
                        .build());
        assertRefused(
                Reason.DAMAGED,
                new Frame()
                        .field(4, MAGIC & 0xffffffffL)
                        .bytes(0x20, 2)
                        .raw(true, "xyz")
                        .build());
        assertRefused(
                Reason.DAMAGED,
                new Frame().field(4, MAGIC & 0xffffffffL).bytes(0x28, 1).build());
        assertRefused(
                Reason.DAMAGED, Frame.ofWindow(0).block(true, 3, 1).bytes(0).build());
        assertRefused(
                Reason.DAMAGED,
                Frame.ofWindow(0).block(true, REPEATED, 1025).bytes(0).build());
        assertRefused(Reason.DAMAGED, Frame.ofWindow(0).raw(true, "x").bytes(1).build());
        assertRefused(
                Reason.DAMAGED,
                Frame.ofWindow(0).raw(true, "x").bytes(1, 2, 3, 4).build());
    }

    @Test
    void a_window_or_a_dictionary_that_is_too_much_to_ask_is_refused_by_name() {
        assertRefused(Reason.WINDOW_TOO_LARGE, Frame.ofWindow(16).raw(true, "x").build());
        assertRefused(
                Reason.WINDOW_TOO_LARGE,
                new Frame()
                        .field(4, MAGIC & 0xffffffffL)
                        .bytes(0xe0)
                        .field(8, 1L << 40)
                        .build());
        assertRefused(
                Reason.DICTIONARY,
                new Frame()
                        .field(4, MAGIC & 0xffffffffL)
                        .bytes(0x21, 7, 1)
                        .raw(true, "x")
                        .build());
    }

    /// 4 bytes stand for 128 KiB: how far that may go is the layer's limit.
    @Test
    void a_bomb_goes_off_within_the_limits_of_a_layer() throws IOException {
        var frame = Frame.ofWindow(7);
        for (int i = 0; i < 1000; i++) {
            frame.block(i == 999, REPEATED, 128 << 10).bytes(0);
        }
        Path file = Files.write(directory.resolve("layer"), frame.build());
        var ratio = new UnpackLimits(1L << 40, 1L << 40, 10, 4095, 128, 4096, 200, 16 << 20);
        var bytes = new UnpackLimits(16 << 20, 1L << 40, 10, 4095, 128, 4096, 1L << 40, 16 << 20);

        for (UnpackLimits limits : List.of(ratio, bytes)) {
            try (var slice = FileSlice.whole(FileChannel.open(file), Files.size(file));
                    var layer = new LayerStream(slice, new UnpackBudget(limits, slice.size()))) {
                var read = new CountingStream();
                assertThatExceptionOfType(ImageException.class)
                        .isThrownBy(() -> layer.transferTo(read))
                        .satisfies(refused -> assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE));
                assertThat(read.count).isLessThanOrEqualTo(17 << 20);
            }
        }
    }

    @Test
    void a_layer_reports_the_decoders_refusals_as_faults_of_the_image() throws IOException {
        assertLayerRefused(
                Code.BAD_ARCHIVE, Frame.ofWindow(0).raw(true, "x").bytes(1).build());
        assertLayerRefused(Code.TOO_LARGE, Frame.ofWindow(16).raw(true, "x").build());
        assertLayerRefused(
                Code.UNSUPPORTED_FORMAT,
                new Frame()
                        .field(4, MAGIC & 0xffffffffL)
                        .bytes(0x21, 7, 1)
                        .raw(true, "x")
                        .build());
    }

    private void assertLayerRefused(Code code, byte[] stream) throws IOException {
        Path file = Files.write(directory.resolve("layer"), stream);
        try (var slice = FileSlice.whole(FileChannel.open(file), Files.size(file));
                var layer = new LayerStream(slice, new UnpackBudget(UnpackLimits.DEFAULT, slice.size()))) {
            assertThatExceptionOfType(ImageException.class)
                    .isThrownBy(layer::readAllBytes)
                    .satisfies(refused -> assertThat(refused.reason()).isEqualTo(code));
        }
    }

    private static final class CountingStream extends OutputStream {
        private long count;

        @Override
        public void write(int b) {
            count++;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            count += length;
        }
    }

    @Test
    void an_offset_out_of_the_window_and_a_table_out_of_nowhere_are_refused() {
        // One sequence by repeated tables that there were not; then by tables of one code, with an offset of 29 bits.
        assertRefused(
                Reason.DAMAGED,
                Frame.ofWindow(0)
                        .block(true, COMPRESSED, 5)
                        .bytes(1 << 3, 'a', 1, 0xfc, 1)
                        .build());
        assertRefused(
                Reason.DAMAGED,
                Frame.ofWindow(0)
                        .block(true, COMPRESSED, 11)
                        .bytes(1 << 3, 'a', 1, 0x54, 1, 29, 0, 0, 0, 0, 0x20)
                        .build());
    }

    /// Whatever is changed or cut off, decoding ends, with what was asked for or a refusal that has a code.
    @Test
    void no_damage_does_more_than_be_refused() throws IOException {
        var random = new Random(8878);
        int refused = 0;
        for (int i = 0; i < ZstdSamples.PACKED.size(); i++) {
            byte[] packed = Base64.getDecoder().decode(ZstdSamples.PACKED.get(i));
            for (int length = 1; length < packed.length; length++) {
                assertRefused(Reason.DAMAGED, Arrays.copyOf(packed, length));
            }
            for (int n = 0; n < 3_000; n++) {
                byte[] damaged = packed.clone();
                for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                    damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
                }
                try {
                    decode(damaged);
                } catch (ZstdException e) {
                    refused++;
                }
            }
        }
        assertThat(refused).isPositive();
    }

    /// A table of contents behind the archive, as a layer that can be fetched in parts has it.
    private static byte[] withSkippable(int size) {
        return Frame.ofWindow(0)
                .raw(true, "archive")
                .field(4, 0x184d2a50)
                .field(4, size)
                .bytes(new int[size])
                .build();
    }

    @Test
    void a_long_skippable_frame_counts_in_the_digest_of_the_compressed_layer() throws IOException {
        byte[] stream = withSkippable(200_000);
        Path file = Files.write(directory.resolve("layer"), stream);
        var layer = new PackedImage.PackedLayer(
                Digest.of("archive".getBytes(StandardCharsets.US_ASCII)),
                Optional.of(Digest.of(stream)),
                "layer",
                stream.length,
                () -> FileSlice.whole(FileChannel.open(file), stream.length));

        try (LayerStream in =
                new LayerStream(layer.opening().open(), new UnpackBudget(UnpackLimits.DEFAULT, stream.length))) {
            in.verify(layer);
        }
    }

    @Test
    void a_skippable_frame_that_is_cut_off_is_damage() {
        byte[] stream = withSkippable(200_000);

        assertRefused(Reason.DAMAGED, Arrays.copyOf(stream, stream.length - 1));
        assertRefused(Reason.DAMAGED, Arrays.copyOf(stream, stream.length - 200_002));
    }
}
