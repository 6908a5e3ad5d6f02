package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Numbers, texts and the check sum of a header block, and what is none.
class TarFieldsTests {
    private static final int AT = 124;

    private static TarFields fields(int... bytes) {
        byte[] block = new byte[TarFields.BLOCK];
        for (int i = 0; i < bytes.length; i++) {
            block[AT + i] = (byte) bytes[i];
        }
        return new TarFields(block);
    }

    private static TarFields octal(String text) {
        return fields(text.chars().toArray());
    }

    private static void assertBad(org.assertj.core.api.ThrowableAssert.ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.BAD_ARCHIVE));
    }

    @ParameterizedTest
    @CsvSource({
        "'', 0",
        "'        ', 0",
        "'0', 0",
        "'7', 7",
        "'10 ', 8",
        "'  644', 420",
        "'00000644', 420",
        "'77777777', 16777215",
        "'12  ', 10"
    })
    void octal_numbers_end_with_a_blank_a_nul_or_the_field(String text, long value) {
        assertThat(octal(text).number(AT, 8)).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"8", "9", "/", ":", "-1", "0x10", "1 2", "12 3", "1a"})
    void what_is_no_octal_number_is_refused(String text) {
        assertBad(() -> octal(text).number(AT, 8));
    }

    @Test
    void a_number_ends_where_its_field_ends() {
        assertThat(octal("123456789").number(AT, 3)).isEqualTo(0123);
        assertThat(octal("   5").number(AT, 3)).isZero();
        byte[] blanks = new byte[TarFields.BLOCK];
        Arrays.fill(blanks, (byte) ' ');
        assertThat(new TarFields(blanks).number(TarFields.BLOCK - 12, 12)).isZero();
    }

    @Test
    void binary_numbers_have_a_sign() {
        assertThat(fields(0x80, 0, 0, 0, 0, 0, 1, 2).number(AT, 8)).isEqualTo(258);
        assertThat(fields(0x81, 0, 0, 0).number(AT, 4)).isEqualTo(1 << 24);
        assertThat(fields(0xff, 0xff, 0xff, 0xfe).number(AT, 4)).isEqualTo(-2);
        assertThat(fields(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00)
                        .number(AT, 12))
                .isEqualTo(-256);
        assertThat(fields(0x80, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
                        .number(AT, 12))
                .isEqualTo(Long.MAX_VALUE >> 8);
    }

    @Test
    void binary_numbers_of_more_than_64_bits_are_refused() {
        assertBad(() -> fields(0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0).number(AT, 12));
        assertBad(() -> fields(0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0).number(AT, 12));
        assertBad(() -> fields(0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
                .number(AT, 12));
    }

    private static byte[] header(int high) {
        byte[] block = new byte[TarFields.BLOCK];
        block[0] = (byte) high;
        block[147] = 3;
        block[156] = '0';
        block[511] = 5;
        return block;
    }

    private static void sum(byte[] block, long sum) {
        byte[] text = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(text, 0, block, 148, 8);
    }

    @Test
    void the_check_sum_counts_every_byte_signed_or_not_with_its_own_field_as_blanks() {
        long others = 3 + '0' + 5 + 8 * ' ';
        for (long sum : new long[] {others + 0xf0, others - 0x10}) {
            byte[] block = header(0xf0);
            sum(block, sum);
            new TarFields(block).check();
            for (int changed : new int[] {0, 147, 156, 511}) {
                byte[] other = block.clone();
                other[changed] ^= 2;
                assertBad(() -> new TarFields(other).check());
            }
        }
    }

    @Test
    void a_block_is_of_zeros_or_not() {
        assertThat(new TarFields(new byte[TarFields.BLOCK]).isZero()).isTrue();
        for (int at : new int[] {0, 1, 255, 511}) {
            byte[] block = new byte[TarFields.BLOCK];
            block[at] = 1;
            assertThat(new TarFields(block).isZero()).as("%d", at).isFalse();
        }
    }

    @Test
    void bytes_end_with_a_nul_or_the_field() {
        TarFields fields = octal("abc");

        assertThat(fields.bytes(AT, 2)).isEqualTo(new byte[] {'a', 'b'});
        assertThat(fields.bytes(AT, 5)).isEqualTo(new byte[] {'a', 'b', 'c'});
        assertThat(fields.bytes(AT + 3, 5)).isEmpty();
        assertThat(fields.at(AT + 1)).isEqualTo((byte) 'b');
    }

    @Test
    void a_text_has_no_nul() {
        assertThat(TarFields.text(new byte[] {'a', 'b'})).isEqualTo("ab");
        assertBad(() -> TarFields.text(new byte[] {'a', 0}));
        assertBad(() -> TarFields.text(new byte[] {0, 'a'}));
    }

    @Test
    void ustar_is_known_by_its_magic_alone() {
        byte[] block = new byte[TarFields.BLOCK];
        System.arraycopy("ustar\0".getBytes(StandardCharsets.US_ASCII), 0, block, 257, 6);
        assertThat(new TarFields(block).isUstar()).isTrue();
        block[262] = ' ';
        assertThat(new TarFields(block).isUstar()).isFalse();
    }
}
