package dev.caisson.image.bzip2;

import static dev.caisson.image.PackedSamples.joined;
import static dev.caisson.image.PackedSamples.packed;
import static dev.caisson.image.PackedSamples.plain;
import static dev.caisson.image.PackedSamples.text;
import static dev.caisson.image.PackedSamples.unpacked;
import static dev.caisson.image.PackedSamples.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.PackedSamples;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Data of libbz2: all of it is read as it was, and no damage passes for content.
class Bzip2InputStreamTest {
    private static final String PACK = "bz2.compress(data)";
    /// Of the first block: behind the header of the file and the block's magic number.
    private static final int CHECKSUM_AT = 10;

    @ParameterizedTest
    @ValueSource(
            strings = {
                PACK,
                "bz2.compress(data, 1)",
                "bz2.compress(data[:9000], 5) + bz2.compress(data[9000:], 2)",
                "bz2.compress(b'') + bz2.compress(data)"
            })
    void what_was_packed_is_unpacked(String expression) throws Exception {
        for (int size : new int[] {0, 120_001}) {
            byte[] plain = plain(size);
            byte[] packed = packed(expression, plain);
            PackedSamples.assertUnpacks(Bzip2InputStream::exact, packed, plain);
            PackedSamples.assertUnpacks(Bzip2InputStream::searched, packed, plain);
        }
    }

    /// Four equal bytes are followed by how many more there are.
    @Test
    void runs_of_any_length_are_unpacked() throws Exception {
        for (int run : new int[] {1, 3, 4, 5, 254, 255, 256, 258, 259, 260, 600, 150_000}) {
            byte[] same = new byte[run];
            Arrays.fill(same, (byte) 'x');
            byte[] plain = joined(text("a"), same, text("b"), same);
            PackedSamples.assertUnpacks(Bzip2InputStream::exact, packed("bz2.compress(data, 1)", plain), plain);
        }
    }

    @Test
    void all_bytes_and_noise_over_several_blocks_are_unpacked() throws Exception {
        byte[] noise = new byte[250_000];
        new Random(2).nextBytes(noise);
        PackedSamples.assertUnpacks(Bzip2InputStream::exact, packed("bz2.compress(data, 1)", noise), noise);
        byte[] large = new byte[899_000]; // more groups than half of the most
        new Random(4).nextBytes(large);
        PackedSamples.assertUnpacks(Bzip2InputStream::exact, packed(PACK, large), large);
        byte[] each = new byte[256];
        for (int i = 0; i < each.length; i++) {
            each[i] = (byte) i;
        }
        PackedSamples.assertUnpacks(Bzip2InputStream::exact, packed(PACK, each), each);
    }

    @Test
    void what_is_cut_off_is_told() throws Exception {
        byte[] packed = packed(PACK, plain(700));
        PackedSamples.assertNothingCutOffPasses(Bzip2InputStream::exact, packed);
        PackedSamples.assertNothingCutOffPasses(Bzip2InputStream::searched, packed);
    }

    @Test
    void no_damage_passes_for_content_where_it_must_be_right() throws Exception {
        byte[] plain = plain(3000);
        byte[] packed = packed(PACK, plain);
        PackedSamples.assertNothingDamagedPasses(Bzip2InputStream::exact, packed, plain);
        PackedSamples.assertDamageIsTold(Bzip2InputStream::searched, packed);
    }

    @Test
    void each_byte_of_a_checksum_counts() throws Exception {
        byte[] plain = text("hello, hello, hello\n");
        byte[] packed = packed(PACK, plain);
        for (int i = 0; i < 4; i++) {
            byte[] other = with(packed, CHECKSUM_AT + i, packed[CHECKSUM_AT + i] ^ 1);
            assertThatThrownBy(() -> unpacked(Bzip2InputStream::exact, other)).hasMessage("the bzip2 data is damaged");
            assertThat(unpacked(Bzip2InputStream::searched, other)).isEqualTo(plain);
        }
    }

    @Test
    void what_is_no_bzip2_data_is_told() throws Exception {
        byte[] packed = packed(PACK, plain(100));
        for (byte[] other : new byte[][] {
            with(packed, 0, 'b'),
            with(packed, 1, 'z'),
            with(packed, 2, '0'),
            with(packed, 3, '0'),
            with(packed, 3, ':'),
            new byte[0],
            text("BZ")
        }) {
            assertThatThrownBy(() -> Bzip2InputStream.exact(new ByteArrayInputStream(other)))
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessage("the bzip2 data is damaged");
        }
        assertThatThrownBy(() -> unpacked(Bzip2InputStream::exact, text("BZh9")))
                .isInstanceOf(EOFException.class);
        for (int at = 4; at < CHECKSUM_AT; at++) {
            byte[] other = with(packed, at, packed[at] ^ 1);
            assertThatThrownBy(() -> unpacked(Bzip2InputStream::exact, other)).hasMessage("the bzip2 data is damaged");
        }
        assertThatThrownBy(() -> unpacked(Bzip2InputStream::exact, joined(packed, text("more"))))
                .hasMessage("the bzip2 data is damaged");
        byte[] old = with(packed, CHECKSUM_AT + 4, packed[CHECKSUM_AT + 4] | 0x80);
        assertThatThrownBy(() -> unpacked(Bzip2InputStream::exact, old)).hasMessageContaining("before 0.9.5");
    }

    @Test
    void a_block_holds_no_more_than_its_file_says() throws Exception {
        byte[] noise = new byte[150_000];
        new Random(3).nextBytes(noise);
        byte[] packed = packed("bz2.compress(data, 2)", noise);
        assertThatThrownBy(() -> unpacked(Bzip2InputStream::searched, with(packed, 3, '1')))
                .hasMessage("the bzip2 data is damaged");
    }
}
