package dev.caisson.image;

import static dev.caisson.image.TarReaderTests.assertBad;
import static dev.caisson.image.TarReaderTests.assertRefused;
import static dev.caisson.image.TarReaderTests.bytes;
import static dev.caisson.image.TarReaderTests.only;
import static dev.caisson.image.TarReaderTests.read;
import static dev.caisson.image.TarReaderTests.tar;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.TarEntry.Segment;
import dev.caisson.image.TarReaderTests.Read;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files with holes, in each form that tar writes: where their content belongs, and which maps are none.
@Timeout(60)
class TarSparseTests {
    private static String octal(long number) {
        return String.format("%011o", number);
    }

    /// GNU's first form: pairs of offset and length in the header, then in blocks of 21.
    private static byte[] oldSparse(int pieces, long size, long stored) {
        byte[] header = tar().magic("ustar  ").header('S', "n", "", stored).withoutEnd();
        var blocks = new ByteArrayOutputStream();
        for (int i = 0; i < Math.min(4, pieces); i++) {
            pair(header, 386 + 24 * i, i);
        }
        header[482] = (byte) (pieces > 4 ? 1 : 0);
        System.arraycopy(bytes(octal(size)), 0, header, 483, 11);
        blocks.writeBytes(TarBuilder.sealed(header));
        for (int first = 4; first < pieces; first += 21) {
            byte[] block = new byte[512];
            for (int i = first; i < Math.min(first + 21, pieces); i++) {
                pair(block, 24 * (i - first), i);
            }
            block[504] = (byte) (first + 21 < pieces ? 1 : 0);
            blocks.writeBytes(block);
        }
        return blocks.toByteArray();
    }

    private static void pair(byte[] block, int at, int piece) {
        System.arraycopy(bytes(octal(10L * piece)), 0, block, at, 11);
        System.arraycopy(bytes(octal(1)), 0, block, at + 12, 11);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4, 5, 24, 25, 26, 47})
    void gnu_s_first_form_has_its_pieces_in_headers(int pieces) throws IOException {
        String content = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".substring(0, pieces);
        List<Read> all = read(tar().raw(oldSparse(pieces, 1000, pieces))
                .content(bytes(content))
                .file("next", "")
                .build());

        assertThat(all).hasSize(2);
        TarEntry entry = all.getFirst().entry();
        assertThat(entry.size()).isEqualTo(1000);
        assertThat(entry.segments()).hasSize(pieces);
        for (int i = 0; i < pieces; i++) {
            assertThat(entry.segments().get(i)).isEqualTo(new Segment(10L * i, 1));
            assertThat(all.getFirst().content()).containsEntry(10L * i, content.substring(i, i + 1));
        }
    }

    /// Pairs end with one whose numbers are both empty.
    @Test
    void gnu_s_first_form_may_leave_one_number_of_a_pair_empty() throws IOException {
        byte[] header = tar().magic("ustar  ").header('S', "n", "", 3).withoutEnd();
        System.arraycopy(bytes("3"), 0, header, 386 + 12, 1);
        System.arraycopy(bytes(octal(9)), 0, header, 386 + 24, 11);
        System.arraycopy(bytes("000000000011" + "7"), 0, header, 483, 13); // a size, and what is no part of it
        byte[] archive =
                tar().raw(TarBuilder.sealed(header)).content(bytes("abc")).build();

        assertThat(only(archive).segments()).containsExactly(new Segment(0, 3), new Segment(9, 0));
    }

    @Test
    void gnu_s_first_form_has_a_bounded_number_of_pieces() {
        int most = 1 << 20;
        byte[] header = oldSparse(5, 1000, 0);
        byte[] more = Arrays.copyOf(oldSparse(26, 1000, 0), 1024);
        byte[] full = Arrays.copyOfRange(more, 512, 1024);
        var blocks = new ByteArrayOutputStream();
        blocks.write(header, 0, 512);
        for (int pieces = 4; pieces + 21 <= most; pieces += 21) {
            blocks.writeBytes(full);
        }
        byte[] last = new byte[512];
        for (int i = 0; i < (most - 4) % 21; i++) {
            pair(last, 24 * i, 1);
        }
        byte[] oneMore = last.clone();
        pair(oneMore, 24 * ((most - 4) % 21), 1);

        assertBad("in disorder", tar().raw(blocks.toByteArray()).raw(last).build());
        assertRefused(
                Code.TOO_LARGE,
                "more than " + most + " pieces",
                tar().raw(blocks.toByteArray()).raw(oneMore).build());
    }

    @Test
    void gnu_s_first_form_that_is_cut_off_is_noticed() {
        byte[] blocks = oldSparse(5, 1000, 5);

        assertBad("an end in the middle", Arrays.copyOf(blocks, blocks.length - 1));
    }

    private static TarBuilder newSparse(String map, long size) {
        return tar().pax("GNU.sparse.major", "1")
                .pax("GNU.sparse.minor", "0")
                .pax("GNU.sparse.realsize", Long.toString(size))
                .member('0', "n", "", bytes(map));
    }

    private static String padded(String map) {
        return map + "\0".repeat(-map.length() & 511);
    }

    @Test
    void a_map_in_the_content_fills_its_blocks() throws IOException {
        List<Read> all = read(newSparse(padded("2\n5\n3\n10\n2\n") + "abcde", 100)
                .file("next", "")
                .build());
        assertThat(all).hasSize(2);
        assertThat(all.getFirst().entry().size()).isEqualTo(100);
        assertThat(all.getFirst().content()).isEqualTo(Map.of(5L, "abc", 10L, "de"));

        var map = new StringBuilder("200\n");
        for (int i = 0; i < 200; i++) {
            map.append(1000 + 10 * i).append("\n1\n");
        }
        String content = "0123456789".repeat(20);
        all = read(newSparse(padded(map.toString()) + content, 5000).build());
        assertThat(all.getFirst().entry().segments()).hasSize(200);
        assertThat(String.join("", all.getFirst().content().values())).isEqualTo(content);
    }

    @Test
    void a_map_in_the_content_that_is_none_is_refused() {
        assertBad("cut off", newSparse("2\n5\n3\n", 100).build());
        assertBad("cut off", newSparse("1".repeat(22) + "\n", 100).build());
        assertBad("cut off", newSparse("1".repeat(21) + "\n", 100).build());
        assertBad("too long", newSparse("1".repeat(20) + "\n", 100).build());
        assertBad("too long", newSparse("1".repeat(19) + "\n", 100).build());
        assertBad("is none", newSparse("1\0\n", 100).build());
        assertBad("an end in the middle", newSparse("1\n0\n0\n", 100).build());
        assertBad("is none", newSparse("x\n", 100).build());
        assertBad("cut off", newSparse("1048576\n", 100).build());
        assertRefused(
                Code.TOO_LARGE, "1048576 pieces", newSparse("1048577\n", 100).build());
        assertBad(
                "without a size",
                tar().pax("GNU.sparse.major", "1")
                        .member('0', "n", "", bytes(padded("0\n")))
                        .build());
    }

    private static TarBuilder mapped(String map, long size, String content) {
        return tar().pax("GNU.sparse.map", map)
                .pax("GNU.sparse.size", Long.toString(size))
                .file("n", content);
    }

    @Test
    void a_map_of_an_extended_header_adds_up() throws IOException {
        assertThat(only(mapped("0,1,1,2", 3, "abc").build()).segments())
                .containsExactly(new Segment(0, 1), new Segment(1, 2));
        assertThat(only(mapped("0,1,4,2", 6, "abc").build()).size()).isEqualTo(6);
        assertBad("in disorder", mapped("0,2,1,1", 9, "abc").build());
        assertBad("in disorder", mapped("0,1,5,2", 6, "abc").build());
        assertBad("in disorder", mapped("4,3", 6, "abc").build());
        assertBad("does not fit", mapped("0,2", 6, "abc").build());
        assertBad("does not fit", mapped("0,4", 6, "abc").build());
        assertBad(
                "without a size",
                tar().pax("GNU.sparse.map", "0,3").file("n", "abc").build());
        assertThat(only(tar().pax("GNU.sparse.map", "0,3")
                                .pax("GNU.sparse.realsize", "7")
                                .file("n", "abc")
                                .build())
                        .size())
                .isEqualTo(7);
    }

    @Test
    void a_map_is_a_file_s_alone() throws IOException {
        assertThat(only(tar().pax("GNU.sparse.map", "0,0").directory("d/").build())
                        .size())
                .isZero();
        assertThat(only(tar().pax("GNU.sparse.major", "1").directory("d/").build())
                        .size())
                .isZero();
        assertThat(only(tar().file("n", "").build()).segments()).isEmpty();
    }
}
