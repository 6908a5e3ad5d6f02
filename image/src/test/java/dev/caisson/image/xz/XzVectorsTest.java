package dev.caisson.image.xz;

import static dev.caisson.image.PackedSamples.joined;
import static dev.caisson.image.PackedSamples.mixed;
import static dev.caisson.image.PackedSamples.unpacked;
import static dev.caisson.image.PackedSamples.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.PackedSamples;
import dev.caisson.image.PackedSamples.Unpacker;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Unpacks streams that liblzma 5.4 made of contents which are computed here, and streams written by hand.
class XzVectorsTest {
    /// @param packed in Base64
    private record Vector(int seed, int size, String how, String packed) {
        byte[] plain() {
            return mixed(seed, size);
        }

        byte[] bytes() {
            return Base64.getDecoder().decode(packed);
        }
    }

    private static final List<Unpacker> BOTH = List.of(XzInputStream::exact, XzInputStream::searched);

    /// Chunks of two encoders, with other properties.
    private static final String TWO_CHUNKS =
            "4AGPAFtdADDvznE6uwSuK4iEtcibZMHweqCioLi008fjoDZZB4x4eCIVFthvIonR1pLRDJBkLMSNG9yOrJQn5MgJ0iX0B3c5"
                    + "rLLhAlFbmqubqCC+MG/8l4r5qt4woI18lZbgAY8AgpIANJkDowHZchCWSs8oipmkpyAsA1+KrbfrIpV7WfG2npMFDiQFZltK"
                    + "0OfXBkl2U+m01LteIUQVd47q2drP+kHwiks8jbuMKtQxjEJdhlvt7TAcPtGXfPp7LqNSzVxiaTqgKKyBGcNXOA5uo08bYTzo"
                    + "Mxh0MwFrkPDlqWW5zk02fcGVAAA=";

    private static final List<Vector> VECTORS = List.of(
            new Vector(
                    1,
                    2500,
                    "crc32, default properties",
                    "/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4AnDAntdADFvXlR7L1vn/uNQAvrirfeGtq4o5LVhpXxbbSwuoYegcgv0mlRtdboL"
                            + "ABfKfacBioj4ayYkb4f2j9FS5wn4ruaou9k7qq6s7pBJfUvsKUS/2b7ZJyiYZtyJ8y6sGEIstme3Ox+WWt8GzXb7Cxq5zYoq"
                            + "/Go7enlMmUt8w756PPVKpA3LUhKvrHEmMkPuPKOrcEb+imUm5jMQbWruNTwRtU9CBz2ODZj82Da5e/HnV+vr4UTckW9vE4gs"
                            + "LCoCJuUuF6Ay+M4wfzv+8sm5uWBS/f3L0rqpOM0hlzQwKxzohQtkbTNCGcTSiKqVL075X0t/35G6s+P6VFvkKEpBNdleKKA6"
                            + "EAcJqhc97V9bxvYnyhzYEo4CCebzVcbI3Wzfc07YtGuE6rdGWUTK35K7jLE9QexpAY/XVGL+EiG+BYmqg+g63vVz4PmKhB5R"
                            + "xtyOW0lLd06z6NrvslAdd/DE0pAA7xXALzFaBm00cffRIE2rQQQMfBdKaL45U1kSG996IP3oSroKCRsNv7W9jqfzhBe/m60W"
                            + "mKQ5PMVJBN252QrrogSS6Du//KEj53nObcKwFgsqGKhdKWo7LepJl6r9o+xvmdx7YUqo9zIKA4Agi/9F56aMr0WodeWjgoiu"
                            + "cexO0RNivXTqLymPl4wM2voSFWZsN9V2KEeCSNMozhuqov5TKgI3iB2NucU6wzfx+0TOmiF25xFBlxsMJhcgf2V45jFOYq9V"
                            + "FztWm4MXecn5XTFQDmyArpdJZrWn7w6No9XvEXfknAiR2RebJnCWWkheFZfSz+Fs9JpzhGh5sQpdhV8ibXCdp5roUQ82hwCW"
                            + "zEc5+ZuQ3W+lQtLYSti9qxAAAAABmrxRAAGTBcQTAAA4Wwh3PjANiwIAAAAAAVla"),
            new Vector(
                    2,
                    1500,
                    "lc 0, lp 3, pb 1",
                    "/Td6WFoAAATm1rRGAgAhAQAAAAA3J5fW4AXbAXVIADSZA+Ay1wo8gSLbF7j0xEXwMtEolEIZOqrTT6W/Q8+lc3THzz/q2Cf4"
                            + "li1ry7EZPmFmrE20Jglds2oWNMADZH9xHrbA5mPSgMv7BRm1GMjeWl/NCSK7q5Hgn1lxUhZWDVFpU9RTN7Kkkvt+j743mwkk"
                            + "8EV+R7tK0sGP1N1AjvAzY6fUXiJ9Ns1M1ZhcQbRc+/wsWC9kjYHvuRNckIreJj1n7YAWAjDF3MZgT53ZuBZcfQ+JH518jSKM"
                            + "H8/cP8m93vIXZJt3eCPD3icxJSUno702RCTh11HgLfzVMoapO9N/FbJFVXLumeeRA2auq0r/XtI4UtYt//22WBB940ErY8vp"
                            + "VR21alSOOOLPxT0g1EwZHUXbMF66WgGZDkK/9Brr9iJF9apOSwBSNIluQk2b6WoqeFtQdb0wcgteDUCQkBlgI2yHEpa4MT8W"
                            + "LKHDQZvl+1bqdhVSIM6QsaKVINsDC9fItVCfNTxhDYfT7joU1mHhpRgpIgAAAAAAtMwyzFOAQmAAAZED3AsAACuCGDKxxGf7"
                            + "AgAAAAAEWVo="),
            new Vector(
                    3,
                    1500,
                    "lc 4, lp 0, pb 4",
                    "/Td6WFoAAArh+wyhAgAhAQAAAAA3J5fW4AXbATS4ADoaCKIC+Rd7J5B1/v55vWFyRcT3MJcplqR41IIvjNmY9Ghae7IDl/HS"
                            + "OjI8YAuGFTScJashJ6GwHWlpy3lzEKkcFVp867anUvp3EiNnOD51m6+VcRp/1dxR2siIo52MLzxI21v5S4DW/ZI0g9igD38V"
                            + "CdrXgeJd6IIF0A2pgHDl9cwilTeal0FVNMfFcoaXhcIIYxA5f7ei8GK4IQ54s/guSch+T4HuLpS/P7bORfy+yzOyEy04da69"
                            + "aNWDnzSDJE6o2OSYEdC/I8QTRD1Ygw6Nep6WEuZxS7sSajOiofiwUAfp4ZFhLkT0f2NcryD0Ngwa8kBr8YzEQSCFpLTKOw44"
                            + "8p8z4OUBaP5E1ghqKzl9rD0wYTTkhTJraToqdaXBPtLbGLAWkCo6lNPkK//FKSMVnOwAAOzjIo5k6Jj8XUaNQehTmjdknV1n"
                            + "ZIH8ZSM/GjfIFnAuAAHoAtwLAACS91UjtunfHAIAAAAAClla"),
            new Vector(
                    4,
                    1500,
                    "lc 1, lp 2, pb 0",
                    "/Td6WFoAAAD/EtlBAgAhAQAAAAA3J5fW4AXbAS4TADoa2dRznBQuUH5VkFw+1FdtWEIikwOk5tAhN8iWrlofGicf1PLpA+uO"
                            + "HYOe9IHReaddB6fnQch9bdQlxBgL44Qnfm4+Nm1XPl1sRa0hgq2lNyYJinf3UGbV/XniinsfmSh0jRTqzlKQ9ywUnGDFiVlc"
                            + "SIhFj6iWehj5tTsLjuPOPllETck1ZLwXB8eKb48IexNUJ0ta/liZO2D/ieDR6ea9RazdJXYEzllzIN8lxFK1O6zbOcwz57Tt"
                            + "ubUG/7yLErTPqPHDfFeZbh2ecL3HdA5X3xXj3dHLczMz6oXyrjyVRKFkWmxsBT1DHWgbhjC3Z5fQdv9MZ72AqjSTT4m/MBrX"
                            + "tz0H0JwcMzxD2qLfKyonroGBcz0Jnr0oC/EWNznHZkECvzHctU6eBVpzREQAAAAAAAHCAtwLAADC0WKFqAAK/AIAAAAAAFla"),
            new Vector(
                    5,
                    1500,
                    "preset 0",
                    "/Td6WFoAAAFpIt42AgAhAQwAAACPmEGc4AXbASVdADwhVibF7nuMEgoGzhS1OfZ/UERdgFfIts3sqIWGpdhSrqzjfOE1hxxh"
                            + "rRVDLN6CgaWX4N/79qPjTSnYkr97WKDjxTl3Oy4BdoWVI1BPlZ/88LO4kc5EgRvzWYSvfsiilWJaRjSP1qX+zoNWpaiLe2l+"
                            + "JOXSj/QV8yYCs+hqBkTSP5LbbMfuGWTSlUtXLzCQKqHE+lsxBy6fAF60E5jpg3BWxIYidqmdLNs8aWNXwTtwpMRsc4DQXguI"
                            + "lrPPsCDuze8GzDqXo2ayB05+CZAOR1kjG9+ErS8SNCmx7HKauaRYbbxc4+a77oxsQEi6hhwf8K4sKe8gXqNRnjHso31DT0+n"
                            + "+vvD23+08XWdvFuiT1VwD/lZL3jQ6ipYGRXvFoKvfYhtemplAAAAAP3Cws4AAb0C3AsAANZuFn8+MA2LAgAAAAABWVo="));

    @Test
    void what_liblzma_packed_is_unpacked() throws IOException {
        for (Vector each : VECTORS) {
            for (Unpacker unpacker : BOTH) {
                assertThat(unpacked(unpacker, each.bytes())).as(each.how()).isEqualTo(each.plain());
            }
        }
    }

    @Test
    void what_is_cut_off_is_told() {
        for (Vector each : VECTORS.subList(3, 4)) {
            PackedSamples.assertNothingCutOffPasses(XzInputStream::exact, each.bytes());
        }
    }

    @Test
    void no_damage_passes_for_content() {
        PackedSamples.assertNothingDamagedPasses(
                XzInputStream::exact, VECTORS.get(4).bytes(), VECTORS.get(4).plain());
        PackedSamples.assertDamageIsTold(XzInputStream::searched, VECTORS.get(2).bytes());
    }

    // ---- chunks

    private static byte[] chunk(Lzma2 lzma, byte[] from, int[] at) throws IOException {
        return lzma.chunk(() -> from[at[0]++] & 0xff);
    }

    @Test
    void a_chunk_begins_where_the_one_before_it_ended() throws IOException {
        byte[] packed = Base64.getDecoder().decode(TWO_CHUNKS);
        var lzma = new Lzma2(4096);
        int[] at = {0};
        assertThat(chunk(lzma, packed, at)).isEqualTo(mixed(6, 400));
        assertThat(chunk(lzma, packed, at)).isEqualTo(mixed(7, 400));
        assertThat(chunk(lzma, packed, at)).isEmpty();
        assertThat(at[0]).isEqualTo(packed.length);
    }

    // ---- streams by hand

    private static final byte[] NO_CRC = new byte[4];
    private static final byte[] HEADER = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 0, 0, 0, 0, 0, 0};
    /// A chunk that is kept as it is, and the end of the block.
    private static final byte[] LETTER = {1, 0, 0, 'a', 0};

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static byte[] padded(byte[] part) {
        return Arrays.copyOf(part, (part.length + 3) / 4 * 4);
    }

    /// A block of one letter, whose header has these fields.
    private static byte[] block(int... fields) {
        byte[] header = padded(joined(new byte[1], bytes(fields)));
        header[0] = (byte) (header.length / 4);
        return padded(joined(header, NO_CRC, LETTER));
    }

    /// A stream of these blocks and an index with this count, and these numbers for each block.
    private static byte[] stream(byte[] count, byte[] record, byte[]... blocks) {
        var index = new ByteArrayOutputStream();
        index.writeBytes(new byte[1]);
        index.writeBytes(count);
        for (int i = 0; i < blocks.length; i++) {
            index.writeBytes(record);
        }
        return joined(HEADER, joined(blocks), padded(index.toByteArray()), NO_CRC, new byte[12]);
    }

    private static final byte[] PLAIN = block(0, 0x21, 1, 0);

    private static void assertIs(byte[] packed, String plain) throws IOException {
        for (Unpacker unpacker : BOTH) {
            assertThat(unpacked(unpacker, packed)).asString().isEqualTo(plain);
            assertThat(unpacked(unpacker, joined(packed, packed))).asString().isEqualTo(plain + plain);
        }
    }

    private static void assertRefused(byte[] packed, String part) {
        for (Unpacker unpacker : BOTH) {
            assertThatThrownBy(() -> unpacked(unpacker, packed))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(part);
        }
    }

    @Test
    void an_index_has_as_many_records_as_it_says() throws IOException {
        assertIs(stream(bytes(0), bytes()), "");
        assertIs(stream(bytes(1), bytes(17, 1), PLAIN), "a");
        byte[][] many = new byte[130][];
        Arrays.fill(many, PLAIN);
        assertIs(stream(bytes(0x82, 1), bytes(17, 1), many), "a".repeat(130));
        byte[][] more = new byte[300][];
        Arrays.fill(more, PLAIN);
        assertIs(stream(bytes(0xac, 2), bytes(17, 1), more), "a".repeat(300));
    }

    @Test
    void a_number_has_up_to_nine_bytes() throws IOException {
        byte[] nine = bytes(0x91, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1);
        assertIs(stream(bytes(1), joined(nine, bytes(1)), PLAIN), "a");
        assertIs(stream(bytes(1), joined(bytes(17), nine), PLAIN), "a");
        byte[] ten = bytes(0x91, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1);
        assertRefused(stream(bytes(1), joined(ten, bytes(1)), PLAIN), "the xz data is damaged");
        assertRefused(stream(joined(nine, bytes(1)), bytes(17, 1), PLAIN), "cut off");
    }

    @Test
    void sizes_in_the_header_of_a_block_are_passed_over() throws IOException {
        assertIs(stream(bytes(1), bytes(17, 1), block(0x40, 5, 0x21, 1, 0)), "a");
        assertIs(stream(bytes(1), bytes(17, 1), block(0x80, 0x81, 0, 0x21, 1, 0)), "a");
        assertIs(stream(bytes(1), bytes(17, 1), block(0xc0, 5, 1, 0x21, 1, 0)), "a");
    }

    @Test
    void a_filter_is_known_by_all_of_its_number() {
        for (byte[] block : List.of(
                block(0, 0xa1, 1, 1, 0),
                block(0, 0x21, 2, 0, 0),
                block(0, 0x21, 0),
                block(0, 4, 0),
                block(0, 3, 1, 0),
                block(1, 3, 0, 0x21, 1, 0),
                block(1, 12, 0, 0x21, 1, 0),
                block(1, 0x21, 1, 0, 0x21, 1, 0),
                block(1, 0x21, 1, 0, 4, 0))) {
            assertRefused(stream(bytes(1), bytes(17, 1), block), "a filter that is not undone");
        }
        assertRefused(stream(bytes(1), bytes(17, 1), block(1, 4, 0)), "");
        assertRefused(with(stream(bytes(1), bytes(17, 1), PLAIN), 12, 0), "");
    }

    @Test
    void filters_for_machine_code_stand_before_the_last_one() throws IOException {
        for (byte[] block : List.of(
                block(1, 4, 0, 0x21, 1, 0),
                block(1, 11, 0, 0x21, 1, 0),
                block(2, 5, 0, 6, 4, 0, 0, 0, 0, 0x21, 1, 0))) {
            byte[] packed = stream(bytes(1), bytes(17, 1), block);
            assertThat(unpacked(XzInputStream::searched, packed)).asString().isEqualTo("a");
            assertThatThrownBy(() -> unpacked(XzInputStream::exact, packed)).hasMessageContaining("a filter");
        }
    }

    @Test
    void zeros_may_stand_between_streams() throws IOException {
        byte[] one = stream(bytes(1), bytes(17, 1), PLAIN);
        assertThat(unpacked(XzInputStream::exact, joined(one, new byte[8], one, new byte[4])))
                .asString()
                .isEqualTo("aa");
        assertThatThrownBy(() -> unpacked(XzInputStream::exact, joined(one, bytes(0xfd))))
                .isInstanceOf(EOFException.class);
    }
}
