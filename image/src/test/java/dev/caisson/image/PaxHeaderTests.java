package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.TarEntry.Segment;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Records of an extended header, and what is none.
@Timeout(20)
class PaxHeaderTests {
    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static PaxHeader header(String records) {
        return new PaxHeader(bytes(records));
    }

    private static void assertBad(String sentence, org.assertj.core.api.ThrowableAssert.ThrowingCallable attempt) {
        assertThatThrownBy(attempt).isInstanceOfSatisfying(ImageException.class, e -> {
            assertThat(e.reason()).isEqualTo(Code.BAD_ARCHIVE);
            assertThat(e).hasMessageContaining(sentence);
        });
    }

    @Test
    void records_follow_each_other() {
        PaxHeader header = header("6 a=b\n8 cd=e=\n5 f=\n12 path=a\nb\n");

        assertThat(header.text("a")).contains("b");
        assertThat(header.text("cd")).contains("e=");
        assertThat(header.has("f")).isTrue();
        assertThat(header.text("f")).isEmpty();
        assertThat(header.number("f")).isEmpty();
        assertThat(header.text("path")).contains("a\nb");
        assertThat(header.has("g")).isFalse();
        assertThat(header.text("g")).isEmpty();
        assertThat(header.number("g")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0 a=b\n",
                "6 a=b\n0 a=b\n",
                "6 a=b\n1 \n",
                "6 a=b\n3 \n",
                "6 a=b\n4 =\n",
                "6 a=b\n7 c=d\n",
                "7 a=b\n",
                "5 a=b\n",
                "6 a=bc",
                "77777"
            })
    void a_wrong_length_is_refused(String records) {
        assertBad("a wrong length", () -> header(records));
    }

    @ParameterizedTest
    @ValueSource(strings = {"6 abc\n", "6 =ab\n", "5 ab\n"})
    void a_record_has_a_key(String records) {
        assertBad("without a key", () -> header(records));
    }

    @ParameterizedTest
    @ValueSource(strings = {"x a=b\n", " 6 a=b\n", "/6 a=b\n", ":6 a=b\n", "-6 a=b\n", "1234567890123456789 a=b\n"})
    void a_length_is_a_number(String records) {
        assertBad("a number that is", () -> header(records));
    }

    @Test
    void decimal_numbers_have_up_to_eighteen_digits() {
        assertThat(PaxHeader.decimal(bytes("999999999999999999"))).isEqualTo(999_999_999_999_999_999L);
        assertThat(PaxHeader.decimal(bytes("0"))).isZero();
        assertThat(PaxHeader.decimal(bytes("9"))).isEqualTo(9);
        assertBad("missing or too long", () -> PaxHeader.decimal(bytes("0000000000000000000")));
        assertBad("missing or too long", () -> PaxHeader.decimal(new byte[0]));
    }

    @Test
    void attributes_have_their_prefix_and_a_name() {
        PaxHeader header = header(
                record("SCHILY.xattr.", "x") + record("SCHILY.xattr.user.a", "b") + record("user.c.and.more", "d"));

        assertThat(header.attributes()).containsOnlyKeys("user.a");
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 0",
        "1., 1, 0",
        "1.5, 1, 500000000",
        "1.0000000019, 1, 1",
        "-1, -1, 0",
        "-1.0, -1, 0",
        "-1.25, -2, 750000000",
        "-0.5, -1, 500000000",
        "999999999999, 999999999999, 0"
    })
    void a_time_is_seconds_and_a_fraction(String text, long seconds, long nanos) {
        long[] time = header(record("mtime", text)).modified().orElseThrow();

        assertThat(time).containsExactly(seconds, nanos);
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "+1", "1e3", ".5", "1234567890123"})
    void a_time_that_is_none_is_refused(String text) {
        PaxHeader header = header(record("mtime", text));

        assertBad("a time that is no number", header::modified);
    }

    private static String pair(String offset, String count) {
        return record("GNU.sparse.offset", offset) + record("GNU.sparse.numbytes", count);
    }

    private static String record(String key, String value) {
        int body = key.length() + value.length() + 3;
        int length = body + Integer.toString(body + 2).length();
        return length + " " + key + "=" + value + "\n";
    }

    @Test
    void the_oldest_form_of_a_map_repeats_its_keys() {
        assertThat(header(pair("1", "2") + pair("5", "3")).sparseSegments().orElseThrow())
                .containsExactly(new Segment(1, 2), new Segment(5, 3));
        assertThat(header(record("GNU.sparse.numblocks", "0")).sparseSegments()).contains(java.util.List.of());
        assertThat(header("6 a=b\n").sparseSegments()).isEmpty();
        assertBad("in disorder", () -> header(record("GNU.sparse.numbytes", "1")));
        assertBad("in disorder", () -> header(record("GNU.sparse.offset", "1") + record("GNU.sparse.offset", "1")));
        assertBad("odd number", () -> header(record("GNU.sparse.offset", "1")).sparseSegments());
    }

    @Test
    void a_map_in_one_record_replaces_the_oldest_form() {
        assertThat(header(pair("1", "2") + record("GNU.sparse.map", "7,8"))
                        .sparseSegments()
                        .orElseThrow())
                .containsExactly(new Segment(7, 8));
        assertBad("odd number", () -> header(record("GNU.sparse.map", "7,8,9")).sparseSegments());
        assertBad("missing", () -> header(record("GNU.sparse.map", "7,")).sparseSegments());
    }
}
