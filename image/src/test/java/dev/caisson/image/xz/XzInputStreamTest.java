package dev.caisson.image.xz;

import static dev.caisson.image.PackedSamples.joined;
import static dev.caisson.image.PackedSamples.packed;
import static dev.caisson.image.PackedSamples.plain;
import static dev.caisson.image.PackedSamples.text;
import static dev.caisson.image.PackedSamples.unpacked;
import static dev.caisson.image.PackedSamples.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.PackedSamples;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Data of liblzma: all of it is read as it was, and no damage passes for content.
class XzInputStreamTest {
    private static final String RAW = "lzma.compress(data, check=lzma.CHECK_%s)";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "lzma.compress(data[:0]) + lzma.compress(data)",
                "lzma.compress(data, preset=0, check=lzma.CHECK_NONE)",
                "lzma.compress(data, preset=9, check=lzma.CHECK_SHA256)",
                "lzma.compress(data[:9000]) + lzma.compress(data[9000:], check=lzma.CHECK_CRC32)",
                "lzma.compress(data[:9000]) + b'\\0' * 8 + lzma.compress(data[9000:])",
                "lzma.compress(data, filters=[{'id': lzma.FILTER_LZMA2, 'dict_size': 4096, 'lc': 0, 'lp': 3, 'pb': 1}])",
                "lzma.compress(data, filters=[{'id': lzma.FILTER_LZMA2, 'dict_size': 65536, 'lc': 4, 'lp': 0, 'pb': 4}])",
                "lzma.compress(data, filters=[{'id': lzma.FILTER_LZMA2, 'dict_size': 98304, 'lc': 1, 'lp': 2, 'pb': 0}])",
                "lzma.compress(data, filters=[{'id': lzma.FILTER_LZMA2, 'dict_size': 1 << 26, 'preset': 1}])"
            })
    void what_was_packed_is_unpacked(String expression) throws Exception {
        for (int size : new int[] {1, 120_001}) {
            byte[] plain = plain(size);
            byte[] packed = packed(expression, plain);
            PackedSamples.assertUnpacks(XzInputStream::exact, packed, plain);
            PackedSamples.assertUnpacks(XzInputStream::searched, packed, plain);
        }
    }

    @Test
    void a_long_run_goes_far_back_and_noise_is_kept_as_it_is() throws Exception {
        byte[] run = new byte[700_000];
        Arrays.fill(run, (byte) 'x');
        byte[] noise = new byte[100_000];
        new java.util.Random(1).nextBytes(noise);
        for (byte[] plain : new byte[][] {run, noise, joined(noise, run, noise)}) {
            PackedSamples.assertUnpacks(XzInputStream::exact, packed("lzma.compress(data)", plain), plain);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NONE", "CRC32", "CRC64", "SHA256"})
    void what_is_cut_off_is_told(String check) throws Exception {
        byte[] packed = packed(RAW.formatted(check), plain(700));
        PackedSamples.assertNothingCutOffPasses(XzInputStream::exact, packed);
        PackedSamples.assertNothingCutOffPasses(XzInputStream::searched, packed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"CRC32", "CRC64", "SHA256"})
    void no_damage_passes_for_content_where_it_must_be_right(String check) throws Exception {
        byte[] plain = plain(3000);
        byte[] packed = packed(RAW.formatted(check), plain);
        PackedSamples.assertNothingDamagedPasses(XzInputStream::exact, packed, plain);
        PackedSamples.assertDamageIsTold(XzInputStream::searched, packed);
    }

    @ParameterizedTest
    @CsvSource({"CRC32,4", "CRC64,8", "SHA256,32"})
    void each_byte_of_a_checksum_counts(String check, int bytes) throws Exception {
        byte[] plain = text("hello, hello, hello\n");
        byte[] packed = packed(RAW.formatted(check), plain);
        int end = packed.length - 12 - 8; // footer, and an index of one record
        for (int i = 1; i <= bytes; i++) {
            byte[] other = packed.clone();
            other[end - i] ^= 1;
            assertThatThrownBy(() -> unpacked(XzInputStream::exact, other))
                    .as("byte %d from the end", i)
                    .hasMessage("the xz data is damaged");
            assertThat(unpacked(XzInputStream::searched, other)).isEqualTo(plain);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0,0", "1,4", "2,4", "3,4", "4,8", "5,8", "6,8", "7,16", "8,16", "9,16", "10,32", "11,32", "12,32", "13,64",
        "14,64", "15,64"
    })
    void a_checksum_has_its_length_and_one_that_nobody_knows_always_holds(int kind, int bytes) {
        BlockCheck check = BlockCheck.of(kind);
        assertThat(check.bytes()).isEqualTo(bytes);
        boolean known = kind == 1 || kind == 4 || kind == 10;
        check.add(text("123456789"));
        assertThat(check.endsWith(new byte[bytes])).isEqualTo(!known);
    }

    @Test
    void checksums_are_those_that_all_compute_and_begin_again() {
        BlockCheck four = BlockCheck.of(1);
        BlockCheck eight = BlockCheck.of(4);
        for (int turn = 0; turn < 2; turn++) { // CRC-32 and CRC-64/XZ of the nine digits
            four.add(text("12345"));
            four.add(text("6789"));
            assertThat(four.endsWith(new byte[] {0x26, 0x39, (byte) 0xf4, (byte) 0xcb}))
                    .isTrue();
            eight.add(text("123456789"));
            assertThat(eight.endsWith(new byte[] {
                        (byte) 0xfa, 0x39, 0x19, (byte) 0xdf, (byte) 0xbb, (byte) 0xc9, 0x5d, (byte) 0x99
                    }))
                    .isTrue();
        }
    }

    @Test
    void filters_for_machine_code_are_passed_over_only_where_data_is_searched() throws Exception {
        byte[] once = plain(20_000);
        byte[] plain = joined(once, text("no call of a machine is in here ".repeat(20)), once);
        for (int i = 0; i < plain.length; i++) {
            plain[i] &= 0x7f; // no byte of a call
        }
        byte[] packed =
                packed("lzma.compress(data, filters=[{'id': lzma.FILTER_X86}, {'id': lzma.FILTER_LZMA2}])", plain);
        PackedSamples.assertUnpacks(XzInputStream::searched, packed, plain);
        byte[] three = packed(
                "lzma.compress(data, filters=[{'id': lzma.FILTER_X86}, {'id': lzma.FILTER_ARM}, {'id': lzma.FILTER_LZMA2}])",
                plain);
        assertThat(unpacked(XzInputStream::searched, three)).isEqualTo(plain);
        byte[] delta =
                packed("lzma.compress(data, filters=[{'id': lzma.FILTER_DELTA}, {'id': lzma.FILTER_LZMA2}])", plain);

        for (PackedSamples.Unpacker each :
                new PackedSamples.Unpacker[] {XzInputStream::exact, XzInputStream::searched}) {
            assertThatThrownBy(() -> unpacked(each, delta)).hasMessageContaining("a filter that is not undone");
        }
        assertThatThrownBy(() -> unpacked(XzInputStream::exact, packed))
                .hasMessageContaining("a filter that is not undone");
    }

    /// Noise is found again only where it stood first.
    @Test
    void the_dictionary_is_that_of_the_last_filter() throws Exception {
        byte[] noise = new byte[30_000];
        new java.util.Random(5).nextBytes(noise);
        for (int i = 0; i < noise.length; i++) {
            noise[i] &= 0x7f;
        }
        byte[] plain = joined(noise, noise);
        for (String filters : new String[] {
            "{'id': lzma.FILTER_X86}",
            "{'id': lzma.FILTER_X86}, {'id': lzma.FILTER_ARM}",
            "{'id': lzma.FILTER_X86}, {'id': lzma.FILTER_ARM}, {'id': lzma.FILTER_ARMTHUMB}"
        }) {
            byte[] packed = packed(
                    "lzma.compress(data, filters=[" + filters + ", {'id': lzma.FILTER_LZMA2, 'dict_size': 1 << 16}])",
                    plain);
            assertThat(packed).as(filters).hasSizeLessThan(40_000);
            assertThat(unpacked(XzInputStream::searched, packed)).as(filters).isEqualTo(plain);
        }
    }

    /// The filter of a block: behind the header of the file, the size and the flags.
    @Test
    void a_dictionary_has_one_of_41_sizes() throws Exception {
        byte[] packed = packed("lzma.compress(data)", plain(100));
        int at = 12 + 4;
        for (int code : new int[] {41, 63, 128 + 20, 255}) {
            assertThatThrownBy(() -> unpacked(XzInputStream::searched, with(packed, at, code)))
                    .hasMessage("the xz data is damaged");
        }
        assertThatThrownBy(() -> unpacked(XzInputStream::searched, with(packed, at, 40)))
                .hasMessageContaining("more than 64 MiB");
        assertThat(unpacked(XzInputStream::searched, with(packed, at, 28))).isEqualTo(plain(100));
        assertThatThrownBy(() -> unpacked(XzInputStream::searched, with(packed, at, 29)))
                .hasMessageContaining("more than 64 MiB");
    }

    @Test
    void more_memory_than_it_is_worth_is_refused() throws Exception {
        byte[] packed = packed(
                "lzma.compress(data, filters=[{'id': lzma.FILTER_LZMA2, 'dict_size': (1 << 26) + 1}])", plain(100));
        assertThatThrownBy(() -> unpacked(XzInputStream::searched, packed)).hasMessageContaining("more than 64 MiB");
    }

    @Test
    void what_is_no_xz_data_is_told() throws Exception {
        byte[] packed = packed("lzma.compress(data)", plain(100));
        for (int at = 0; at < 6; at++) {
            byte[] other = with(packed, at, packed[at] ^ 1);
            assertThatThrownBy(() -> XzInputStream.exact(new java.io.ByteArrayInputStream(other)))
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessage("the xz data is damaged");
        }
        assertThatThrownBy(() -> XzInputStream.exact(new java.io.ByteArrayInputStream(with(packed, 6, 1))))
                .hasMessage("the xz data is damaged");
        assertThatThrownBy(() -> XzInputStream.exact(new java.io.ByteArrayInputStream(new byte[0])))
                .isInstanceOf(EOFException.class);
        assertThatThrownBy(() -> unpacked(XzInputStream::exact, joined(packed, text("more"))))
                .hasMessage("the xz data is damaged");
    }

    // ---- chunks by hand

    private static byte[] chunk(Lzma2 lzma, int... bytes) throws IOException {
        int[] at = {0};
        return lzma.chunk(() -> bytes[at[0]++]);
    }

    @Test
    void a_chunk_that_is_kept_as_it_is_has_its_length() throws IOException {
        var lzma = new Lzma2(4096);
        assertThat(chunk(lzma, 1, 0, 2, 'a', 'b', 'c')).containsExactly('a', 'b', 'c');
        assertThat(chunk(lzma, 2, 0, 0, 'd')).containsExactly('d');
        assertThat(chunk(lzma, 0)).isEmpty();
        int[] long257 = new int[3 + 257];
        long257[0] = 1;
        long257[1] = 1;
        assertThat(chunk(new Lzma2(4096), long257)).hasSize(257);
    }

    @Test
    void chunks_that_have_nothing_to_go_on_are_damaged() {
        for (int[] first : new int[][] {
            {2, 0, 0, 'a'},
            {3, 0, 0, 'a'},
            {0x7f, 0, 0, 'a'},
            {0x80, 0, 0, 0, 0, 0},
            {0xa0, 0, 0, 0, 0, 0},
            {0xc0, 0, 0, 0, 0, 0x5d, 0},
            {0xdf, 0, 0, 0, 0, 0x5d, 0}
        }) {
            assertThatThrownBy(() -> chunk(new Lzma2(4096), first))
                    .as(Arrays.toString(first))
                    .hasMessage("the xz data is damaged");
        }
        // Odds that nobody has set would decode to 273 times the last byte.
        assertThatThrownBy(() -> {
                    var lzma = new Lzma2(4096);
                    chunk(lzma, 1, 0, 0, 'a');
                    chunk(lzma, 0x80, 1, 16, 0, 4, 0, 0, 0, 0, 0);
                })
                .hasMessage("the xz data is damaged");
        for (int started : new int[] {0x80, 0xa0}) { // without properties so far
            assertThatThrownBy(() -> {
                        var lzma = new Lzma2(4096);
                        chunk(lzma, 1, 0, 0, 'a');
                        chunk(lzma, started, 0, 0, 0, 4, 0, 0, 0, 0, 0);
                    })
                    .hasMessage("the xz data is damaged");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {225, 255, 5 * 9 + 9 * 1 + 4, 9 * 4 + 1, 9 * 1 + 4})
    void properties_out_of_their_range_are_damaged(int code) {
        assertThatThrownBy(() -> chunk(new Lzma2(4096), 0xe0, 0, 0, 0, 4, code, 0, 0, 0, 0, 0))
                .hasMessage("the xz data is damaged");
    }
}
