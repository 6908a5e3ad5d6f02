package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.TarEntry.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a member is, field by field, and which archives are none.
@Timeout(60)
class TarReaderTests {
    /// A member with its content, as one text for each place that was written to.
    record Read(TarEntry entry, Map<Long, String> content) {}

    static TarBuilder tar() {
        return new TarBuilder();
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static List<Read> read(byte[] archive) throws IOException {
        var reader = new TarReader(new ByteArrayInputStream(archive), UnpackLimits.DEFAULT);
        var found = new ArrayList<Read>();
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            var content = new TreeMap<Long, String>();
            reader.content(
                    (piece, length, at) -> content.put(at, new String(piece, 0, length, StandardCharsets.ISO_8859_1)));
            found.add(new Read(next.orElseThrow(), content));
        }
        return found;
    }

    static TarEntry only(byte[] archive) throws IOException {
        List<Read> all = read(archive);
        assertThat(all).hasSize(1);
        return all.getFirst().entry();
    }

    static void assertRefused(Code code, String sentence, byte[] archive) {
        var refused = catchThrowableOfType(ImageException.class, () -> read(archive));
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(code);
        assertThat(refused).hasMessageContaining(sentence);
    }

    static void assertBad(String sentence, byte[] archive) {
        assertRefused(Code.BAD_ARCHIVE, sentence, archive);
    }

    // ---- names, kinds and numbers

    /// A header block, changed before its check sum is written.
    private static byte[] block(TarBuilder header, int at, String text) {
        byte[] block = header.withoutEnd();
        System.arraycopy(bytes(text), 0, block, at, text.length());
        return TarBuilder.sealed(block);
    }

    @Test
    void a_prefix_counts_in_posix_headers_alone() throws IOException {
        byte[] posix = block(tar().header('0', "name", "", 0), 345, "a/b");
        byte[] gnu = block(tar().magic("ustar  ").header('0', "name", "", 0), 345, "a/b");
        byte[] none = tar().file("name", "").build();

        assertThat(only(tar().raw(posix).build()).name()).isEqualTo("a/b/name");
        assertThat(only(tar().raw(gnu).build()).name()).isEqualTo("name");
        assertThat(only(none).name()).isEqualTo("name");
    }

    @Test
    void a_name_and_its_prefix_may_fill_their_fields() throws IOException {
        byte[] full = block(tar().header('0', "n".repeat(100), "", 0), 345, "p".repeat(155));

        assertThat(only(tar().raw(full).build()).name()).isEqualTo("p".repeat(155) + "/" + "n".repeat(100));
    }

    @ParameterizedTest
    @CsvSource({
        "'0', n, FILE", "'7', n, FILE", "'S', n, FILE", "'0', n/, DIRECTORY", "'1', n, HARD_LINK",
        "'2', n, SYMBOLIC_LINK", "'3', n, CHARACTER_DEVICE", "'4', n, BLOCK_DEVICE", "'5', n, DIRECTORY", "'6', n, FIFO"
    })
    void each_type_has_its_kind(char type, String name, Kind kind) throws IOException {
        assertThat(only(tar().header(type, name, "", 0).build()).kind()).isEqualTo(kind);
    }

    @Test
    void a_type_of_zero_is_a_file_and_another_is_refused_by_its_number() throws IOException {
        assertThat(only(tar().header('\0', "n", "", 0).build()).kind()).isEqualTo(Kind.FILE);
        assertRefused(
                Code.UNSUPPORTED_FORMAT,
                "type 90,",
                tar().header('Z', "n", "", 0).build());
        assertRefused(
                Code.UNSUPPORTED_FORMAT,
                "type 255,",
                tar().header('\u00ff', "n", "", 0).build());
    }

    @Test
    void numbers_of_a_device_are_a_device_s_alone() throws IOException {
        for (char type : new char[] {'3', '4'}) {
            TarEntry device = only(
                    tar().device(05000001, 07000001).header(type, "n", "", 0).build());
            assertThat(device.deviceMajor()).isEqualTo(05000001);
            assertThat(device.deviceMinor()).isEqualTo(07000001);
        }
        TarEntry file = only(tar().device(5, 7).header('0', "n", "", 0).build());
        assertThat(file.deviceMajor()).isZero();
        assertThat(file.deviceMinor()).isZero();
    }

    @Test
    void attributes_are_those_of_files_and_directories() throws IOException {
        for (char type : new char[] {'0', '5', '1', '2', '6'}) {
            TarEntry entry = only(tar().pax("SCHILY.xattr.user.a", "v")
                    .member(type, "n", "t", new byte[0])
                    .build());
            assertThat(entry.attributes().containsKey("user.a"))
                    .as("type %s", type)
                    .isEqualTo(type == '0' || type == '5');
        }
    }

    @Test
    void a_link_has_a_target_and_nothing_else_has() throws IOException {
        assertThat(only(tar().header('2', "n", "t", 0).build()).linkTarget()).isEqualTo("t");
        assertThat(only(tar().header('1', "n", "t", 0).build()).linkTarget()).isEqualTo("t");
        assertThat(only(tar().header('0', "n", "t", 0).build()).linkTarget()).isEmpty();
        assertThat(only(tar().pax("linkpath", "p").symbolicLink("n", "t").build())
                        .linkTarget())
                .isEqualTo("p");
    }

    @Test
    void what_is_no_file_has_no_content_whatever_its_size_says() throws IOException {
        List<Read> all = read(tar().header('5', "d/", "", 512).file("f", "x").build());

        assertThat(all).extracting(read -> read.entry().name()).containsExactly("d/", "f");
        assertThat(all.getFirst().entry().size()).isZero();
        assertBad("a hard link with content", tar().header('1', "n", "t", 1).build());
    }

    @Test
    void sizes_and_owners_are_not_negative() {
        assertBad("a negative size", tar().header('0', "n", "", -1).build());
        assertBad("a negative owner", tar().owner(-1, 0).header('0', "n", "", 0).build());
        assertBad("a negative owner", tar().owner(0, -1).header('0', "n", "", 0).build());
        assertRefused(
                Code.TOO_LARGE,
                "header of -1 bytes",
                tar().header('x', "pax", "", -1).build());
    }

    // ---- extended headers

    private static TarBuilder longHeader(TarBuilder to, char type, String text) {
        return to.header(type, "././@LongLink", "", text.length()).content(bytes(text));
    }

    @Test
    void long_names_and_targets_end_before_their_nuls() throws IOException {
        TarBuilder archive = longHeader(longHeader(tar(), 'L', "long name\0\0"), 'K', "long target\0");
        TarEntry entry = only(archive.symbolicLink("n", "t").build());

        assertThat(entry.name()).isEqualTo("long name");
        assertThat(entry.linkTarget()).isEqualTo("long target");
        assertThat(only(longHeader(tar(), 'L', "\0\0").file("n", "").build()).name())
                .isEmpty();
        assertThat(only(longHeader(tar(), 'L', "ab").file("n", "").build()).name())
                .isEqualTo("ab");
    }

    @Test
    void an_extended_header_is_one_and_has_a_member_after_it() {
        byte[] nothing = new byte[0];
        assertBad("nothing after it", tar().header('x', "pax", "", 0).build());
        assertBad("nothing after it", longHeader(tar(), 'L', "n\0").build());
        assertBad("nothing after it", longHeader(tar(), 'K', "n\0").build());
        assertBad("nothing after it", longHeader(tar(), 'K', "n\0").withoutEnd());
        assertBad(
                "two extended",
                tar().header('x', "a", "", 0)
                        .header('x', "b", "", 0)
                        .file("n", "")
                        .build());
        assertBad(
                "two long",
                longHeader(longHeader(tar(), 'L', "a"), 'L', "b").file("n", "").build());
        assertBad(
                "two long",
                longHeader(longHeader(tar(), 'K', "a"), 'K', "b").file("n", "").build());
        assertBad(
                "an end in the middle",
                tar().header('x', "pax", "", 10).raw(bytes("6 a")).withoutEnd());
        assertThat(nothing).isEmpty();
    }

    @Test
    void what_a_global_header_says_does_not_count() throws IOException {
        byte[] record = bytes("9 path=x\n");
        TarBuilder archive = tar().header('g', "global", "", record.length).content(record);

        assertThat(only(archive.file("n", "").build()).name()).isEqualTo("n");
    }

    // ---- the end

    @Test
    void an_archive_ends_with_two_blocks_of_zeros_with_one_or_with_its_last_member() throws IOException {
        byte[] member = tar().file("n", "x").withoutEnd();

        assertThat(read(member)).hasSize(1);
        assertThat(read(tar().raw(member).raw(new byte[512]).withoutEnd())).hasSize(1);
        assertThat(read(tar().raw(member).raw(new byte[1024]).withoutEnd())).hasSize(1);
        assertThat(read(tar().raw(member).raw(new byte[1024]).raw(member).withoutEnd()))
                .hasSize(1);
        assertBad("a single block", tar().raw(member).raw(new byte[513]).withoutEnd());
        assertBad(
                "a single block",
                tar().raw(member).raw(new byte[512]).raw(member).withoutEnd());
        assertBad("an end in the middle", tar().raw(member).raw(new byte[511]).withoutEnd());
    }

    @Test
    void content_that_is_cut_off_is_noticed_whether_it_is_read_or_passed_over() throws IOException {
        byte[] cut = tar().header('0', "n", "", 1000).raw(new byte[999]).withoutEnd();

        assertBad("an end in the middle", cut);
        var reader = new TarReader(new ByteArrayInputStream(cut), UnpackLimits.DEFAULT);
        reader.next();
        var refused = catchThrowableOfType(ImageException.class, reader::next);
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(Code.BAD_ARCHIVE);
    }

    @Test
    void large_content_comes_in_pieces_at_their_places() throws IOException {
        String content = "0123456789".repeat(30_000);
        List<Read> all = read(tar().file("big", content).file("next", "y").build());

        assertThat(String.join("", all.getFirst().content().values())).isEqualTo(content);
        assertThat(all.getFirst().content().keySet()).contains(0L, 128L << 10, 256L << 10);
        assertThat(all.get(1).content()).isEqualTo(Map.of(0L, "y"));
    }
}
