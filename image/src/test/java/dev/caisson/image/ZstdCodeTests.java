package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.zstd.ZstdInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Codes and sequences that are written by hand: what an encoder seldom writes, and what it never does.
class ZstdCodeTests {
    private static final int[] TWO_SYMBOLS = {128, 0x10};
    /// A window of 128 KiB.
    private static final int LARGE = 7 << 3;

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static int[] joined(int[]... parts) {
        return IntStream.range(0, parts.length)
                .flatMap(i -> IntStream.of(parts[i]))
                .toArray();
    }

    /// A stream of bits that is read from its end, with the mark before the first.
    private static int[] bits(String bits) {
        String marked = "0".repeat(-(bits.length() + 1) & 7) + "1" + bits;
        int[] bytes = new int[marked.length() / 8];
        for (int i = 0; i < bytes.length; i++) {
            bytes[bytes.length - 1 - i] = Integer.parseInt(marked.substring(8 * i, 8 * i + 8), 2);
        }
        return bytes;
    }

    /// A block of coded literals without sequences; format 0 is one stream, format 1 are four.
    private static int[] coded(int format, int literals, int[]... parts) {
        int[] body = joined(parts);
        int header = 2 | format << 2 | literals << 4 | body.length << 14;
        return joined(new int[] {header & 0xff, header >> 8 & 0xff, header >> 16}, body, new int[] {0});
    }

    private static byte[] decoded(int[] block) throws IOException {
        return new ZstdInputStream(new ByteArrayInputStream(bytes(ZstdLargeTests.block(block)))).readAllBytes();
    }

    private static void assertDamaged(String what, int... block) {
        ZstdLargeTests.assertDamaged(what, ZstdLargeTests.block(block));
    }

    /// Nine symbols, each of which but the last two is twice as frequent as the next.
    @Test
    void weights_are_written_two_to_a_byte_and_the_last_one_follows() throws IOException {
        int[] code = {128 + 7, 0x87, 0x65, 0x43, 0x21};
        int[] stream = bits("1" + "01" + "001" + "0001" + "00001" + "000001" + "0000001" + "00000000" + "00000001");

        assertThat(decoded(coded(0, 9, code, stream))).isEqualTo(bytes(0, 1, 2, 3, 4, 5, 6, 7, 8));
    }

    @Test
    void four_streams_hold_a_quarter_each_and_the_last_what_is_left() throws IOException {
        int[] jumps = {1, 0, 1, 0, 1, 0};
        int[] pair = bits("01");

        assertThat(decoded(coded(1, 6, TWO_SYMBOLS, jumps, pair, pair, pair, bits(""))))
                .isEqualTo(bytes(0, 1, 0, 1, 0, 1));
        assertThat(decoded(coded(1, 7, TWO_SYMBOLS, jumps, pair, pair, pair, bits("1"))))
                .isEqualTo(bytes(0, 1, 0, 1, 0, 1, 1));
        assertDamaged("four streams of too few", coded(1, 5, TWO_SYMBOLS, jumps, pair, pair, pair, bits("")));
        assertDamaged("four streams of too few", coded(1, 6, TWO_SYMBOLS, new int[5]));
        assertDamaged("no end mark", coded(1, 6, TWO_SYMBOLS, new int[6]));
        assertDamaged("stream of literals is cut off", coded(1, 6, TWO_SYMBOLS, jumps, pair, pair));
        assertDamaged("longer or shorter", coded(1, 6, TWO_SYMBOLS, jumps, pair, bits("011"), pair, bits("")));
    }

    @Test
    void a_code_is_complete_and_eleven_bits_long_at_most() throws IOException {
        int[] longest = {128 + 10, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
        assertThat(decoded(coded(0, 1, longest, bits("1")))).isEqualTo(bytes(0));
        assertDamaged("not complete", coded(0, 1, new int[] {129, 0xbb}, bits("1"))); // twelve bits
        assertDamaged("not complete", coded(0, 1, new int[] {128, 0x00}, bits("1"))); // no symbol
        assertDamaged("not complete", coded(0, 1, new int[] {129, 0x31}, bits("1"))); // three of eight are left
        assertDamaged("a code is too long", coded(0, 1, new int[] {128, 0xc0}, bits("1")));
        assertDamaged("a code is cut off", coded(0, 1));
        assertDamaged("a code is cut off", coded(0, 1, new int[] {128}));
        assertDamaged("a code is cut off", coded(0, 1, new int[] {5, 0, 0, 0, 0}));
        assertDamaged("no end mark", coded(0, 1, TWO_SYMBOLS));
    }

    /// A table of weights that knows one of them, so that its states take no bits and the description does not end.
    private static int[] tableOf(int symbol) {
        var bits = new StringBuilder("0000"); // the accuracy, from its lowest bit on
        bits.append("10000"); // no share for weight 0, and 3 more for as often as that is said
        int left = symbol - 1;
        for (; left >= 3; left -= 3) {
            bits.append("11");
        }
        bits.append(left % 2).append(left / 2).append("11111").append("1"); // all shares for this one
        int[] bytes = new int[(bits.length() + 7) / 8];
        for (int i = 0; i < bits.length(); i++) {
            bytes[i / 8] |= (bits.charAt(i) - '0') << i % 8;
        }
        return bytes;
    }

    @Test
    void a_table_has_a_bounded_number_of_symbols() {
        int[] stream = bits("0".repeat(10));

        for (int symbol : new int[] {12, 13}) {
            int[] table = tableOf(symbol);
            assertDamaged(
                    symbol == 12 ? "a code has too many symbols" : "a table has too many symbols",
                    coded(0, 1, new int[] {table.length + stream.length}, table, stream, bits("1")));
        }
        assertDamaged("a table is too fine", coded(0, 1, new int[] {3, 2, 0, 1}, bits("1")));
        assertDamaged("a table is cut off", coded(0, 1, new int[] {1, 0}, bits("1")));
    }

    @Test
    void literals_of_20_bits_of_length() throws IOException {
        int size = 1000;
        assertThat(decoded(new int[] {1 | 3 << 2 | (size & 15) << 4, size >> 4 & 0xff, size >> 12, 'z', 0}))
                .hasSize(size)
                .containsOnly('z');
        assertDamaged("too many literals", 1 | 3 << 2, 0, 0x10, 'z', 0);
    }

    /// What a frame leaves does not reach into the next.
    @Test
    void a_frame_begins_with_nothing() throws IOException {
        int[] tables = sequences(1, new int[] {1}, 1, 0, 0, "");
        int[] again = tables.clone();
        again[again.length - 5] = 0xfc;
        int[] repeated = joined(IntStream.of(again).limit(again.length - 4).toArray(), bits(""));
        int[] literals = coded(0, 1, TWO_SYMBOLS, bits("1"));

        assertThat(decoded(tables)).hasSize(4);
        ZstdLargeTests.assertDamaged(
                "repeated that there was not", joined(ZstdLargeTests.block(tables), ZstdLargeTests.block(repeated)));
        ZstdLargeTests.assertDamaged(
                "literals without a code", joined(ZstdLargeTests.block(literals), ZstdLargeTests.block(3, 4, 0, 1)));
    }

    @Test
    void a_dictionary_of_number_0_is_none_and_no_check_sum() throws IOException {
        byte[] frame = bytes(0x28, 0xb5, 0x2f, 0xfd, 0x21, 0, 1, 1 << 3 | 1, 0, 0, 'x');

        assertThat(new ZstdInputStream(new ByteArrayInputStream(frame)).readAllBytes())
                .isEqualTo(bytes('x'));
    }

    // ---- sequences of codes that are the same each time, which take no bits

    /// So many literals `z`, and so many sequences.
    private static int[] sequences(int literals, int[] count, int length, int offset, int match, String bits) {
        return joined(
                new int[] {1 | 1 << 2 | (literals & 15) << 4, literals >> 4, 'z'},
                count,
                new int[] {0x54, length, offset, match},
                bits(bits));
    }

    @Test
    void sequences_use_the_literals_that_there_are_and_fill_the_block_at_most() throws IOException {
        int[] one = {1};
        int[] two = {2};

        assertThat(decoded(sequences(2, two, 1, 0, 0, ""))).hasSize(2 + 2 * 3);
        assertDamaged("other literals than its sequences", sequences(1, one, 2, 0, 0, ""));
        assertDamaged("other literals than its sequences", sequences(3, two, 2, 0, 0, ""));
        // A match of 1000 bytes in a block of 1024: 24 literals fit besides.
        String length = Integer.toBinaryString(1000 - 515);
        assertThat(decoded(sequences(24, one, 1, 0, 45, length))).hasSize(1024);
        assertDamaged("or is too long", sequences(25, one, 1, 0, 45, length));
        assertDamaged("a block is too long", sequences(1, one, 1, 0, 46, "0".repeat(10)));
        assertDamaged("longer or shorter", sequences(1, one, 1, 0, 0, "0"));
        assertDamaged("sequences are cut off", sequences(1, one, 1, 0, 45, ""));
    }

    /// The count takes a third byte, and the two last offsets take turns.
    @Test
    void a_block_may_have_more_than_32512_sequences() throws IOException {
        int count = 0x7f00 + 0x0102;
        int[] block = sequences(0, new int[] {255, 0x02, 0x01}, 0, 0, 0, "");
        var stream = new ByteArrayOutputStream();
        stream.writeBytes(bytes(0x28, 0xb5, 0x2f, 0xfd, 0, LARGE, 8 << 3, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8));
        stream.writeBytes(bytes(((block.length << 3) & 0xff) | 5, block.length >> 5, 0));
        stream.writeBytes(bytes(block));

        byte[] expected = new byte[8 + 3 * count];
        System.arraycopy(bytes(1, 2, 3, 4, 5, 6, 7, 8), 0, expected, 0, 8);
        for (int i = 0; i < 3 * count; i++) {
            expected[8 + i] = expected[8 + i - (i / 3 % 2 == 0 ? 4 : 1)];
        }
        assertThat(new ZstdInputStream(new ByteArrayInputStream(stream.toByteArray())).readAllBytes())
                .isEqualTo(expected);
    }
}
