package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Values are found in each form, at each place, and a stream that holds back what it is told to loses none.
class ValueMatcherTest {
    private static final String VALUE = "aB3/+x \"&'<\\9é~kQ";
    private static final String KEY =
            "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nshort\n-----END KEY-----\n";

    private static List<String> found(String text, String... values) {
        return found(text.getBytes(StandardCharsets.UTF_8), values);
    }

    private static List<String> found(byte[] bytes, String... values) {
        try (ValueMatcher matcher = matcher(values)) {
            List<String> found = new ArrayList<>();
            matcher.search(bytes, 0, bytes.length, (value, form, from, to) -> found.add(value + " " + form));
            return found.stream().distinct().toList();
        }
    }

    private static ValueMatcher matcher(String... values) {
        List<SecretValue> all = Arrays.stream(values)
                .map(value -> SecretValue.of(value.getBytes(StandardCharsets.UTF_8)))
                .toList();
        try {
            return ValueMatcher.of(all);
        } finally {
            all.forEach(SecretValue::close);
        }
    }

    @Test
    void a_value_is_found_in_each_of_its_forms() {
        byte[] plain = VALUE.getBytes(StandardCharsets.UTF_8);
        assertThat(found("log: " + VALUE + "!", VALUE)).containsExactly("0 PLAIN");
        assertThat(found("x=" + HexFormat.of().formatHex(plain), VALUE)).containsExactly("0 HEX");
        assertThat(found("x=" + HexFormat.of().withUpperCase().formatHex(plain), VALUE))
                .containsExactly("0 HEX");
        assertThat(found("?q=" + URLEncoder.encode(VALUE, StandardCharsets.UTF_8), VALUE))
                .containsExactly("0 PERCENT");
        assertThat(found(
                        "?q=" + URLEncoder.encode(VALUE, StandardCharsets.UTF_8).replace("+", "%20"), VALUE))
                .containsExactly("0 PERCENT");
        assertThat(found("{\"a\": \"" + VALUE.replace("\\", "\\\\").replace("\"", "\\\"") + "\"}", VALUE))
                .containsExactly("0 STRING");
        assertThat(found("\"aB3/+x \\\"&'<\\\\9\\u00e9~kQ\"", VALUE)).containsExactly("0 STRING");
        assertThat(found("<a>" + VALUE.replace("&", "&amp;").replace("<", "&lt;") + "</a>", VALUE))
                .containsExactly("0 XML");
        assertThat(found(
                        "<a>"
                                + VALUE.replace("&", "&amp;")
                                        .replace("<", "&lt;")
                                        .replace("\"", "&quot;")
                                        .replace("'", "&apos;"),
                        VALUE))
                .containsExactly("0 XML");
        assertThat(found("a '" + VALUE.replace("'", "'\\''") + "'", VALUE)).containsExactly("0 SHELL");
        assertThat(found(("x " + VALUE).getBytes(StandardCharsets.UTF_16LE), VALUE))
                .containsExactly("0 UTF16");
        assertThat(found(("x " + VALUE).getBytes(StandardCharsets.UTF_16BE), VALUE))
                .containsExactly("0 UTF16");
    }

    @Test
    void base_64_is_found_wherever_the_value_begins_in_what_was_encoded() {
        for (int size = 8; size < 20; size++) {
            String value = VALUE.substring(0, Math.min(size - 1, VALUE.length()));
            for (int before = 0; before < 6; before++) {
                for (int behind = 0; behind < 4; behind++) {
                    byte[] all = ("user:x".substring(0, before) + value + "zzzz".substring(0, behind))
                            .getBytes(StandardCharsets.UTF_8);
                    String digits = Base64.getEncoder().encodeToString(all);
                    if (value.getBytes(StandardCharsets.UTF_8).length >= 10) {
                        assertThat(found("Basic " + digits, value)).containsExactly("0 BASE64");
                        assertThat(found(
                                        "t="
                                                + Base64.getUrlEncoder()
                                                        .withoutPadding()
                                                        .encodeToString(all),
                                        value))
                                .containsExactly("0 BASE64");
                    }
                }
            }
            if (size == VALUE.length()) {
                break;
            }
        }
    }

    @Test
    void lines_that_say_something_are_found_alone_and_a_final_line_end_is_no_part() {
        assertThat(found("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", KEY)).containsExactly("0 LINE");
        assertThat(found("-----BEGIN KEY----- short -----END KEY-----", KEY)).isEmpty();
        assertThat(found("pw longenough pw", "longenough\r\n")).containsExactly("0 PLAIN");
    }

    @Test
    void several_values_are_told_apart_and_short_ones_are_not_looked_for() {
        assertThat(found("one-value-here two-value-here tiny", "two-value-here", "tiny", "one-value-here"))
                .containsExactly("2 PLAIN", "0 PLAIN");
        try (SecretValue tiny = SecretValue.of("1234567\n".getBytes(StandardCharsets.UTF_8));
                SecretValue eight = SecretValue.of("12345678".getBytes(StandardCharsets.UTF_8))) {
            assertThat(ValueMatcher.isTooShort(tiny)).isTrue();
            assertThat(ValueMatcher.isTooShort(eight)).isFalse();
        }
        try (ValueMatcher none = matcher("tiny")) {
            assertThat(none.isEmpty()).isTrue();
            assertThat(none.search(new byte[100], 0, 100, (value, form, from, to) -> {}))
                    .isEqualTo(100);
        }
    }

    @Test
    void a_long_value_is_found_in_pieces_that_cover_it() {
        var random = new Random(1);
        var text = new StringBuilder();
        while (text.length() < 100_003) {
            text.append((char) ('!' + random.nextInt(90)));
        }
        byte[] bytes = ("x".repeat(13) + text + "y").getBytes(StandardCharsets.UTF_8);
        boolean[] covered = new boolean[bytes.length];
        try (ValueMatcher matcher = matcher(text.toString())) {
            matcher.search(bytes, 0, bytes.length, (value, form, from, to) -> Arrays.fill(covered, from, to, true));
            assertThat(matcher.longest()).isLessThan(4096 + 8);
        }
        for (int at = 0; at < bytes.length; at++) {
            assertThat(covered[at]).as("byte " + at).isEqualTo(at >= 13 && at < bytes.length - 1);
        }
    }

    @Test
    void a_stream_that_holds_back_what_it_is_told_to_loses_no_value_wherever_it_is_cut() {
        String text = "aaaaab one-value-here one-value-heone-value-here; b25lLXZhbHVlLWhlcmU= aab";
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (ValueMatcher matcher = matcher("one-value-here", "aaaaaaab")) {
            var whole = new TreeSet<String>();
            matcher.search(bytes, 0, bytes.length, (value, form, from, to) -> whole.add(from + "-" + to));
            assertThat(whole).hasSize(3);
            for (int step = 1; step < 20; step++) {
                var pieces = new TreeSet<String>();
                int held = 0;
                for (int to = step; held < bytes.length; to = Math.min(bytes.length, to + step)) {
                    int from = held;
                    held = matcher.search(bytes, from, to, (value, form, start, end) -> pieces.add(start + "-" + end));
                    if (to == bytes.length) {
                        break;
                    }
                }
                assertThat(pieces).as("in steps of " + step).isEqualTo(whole);
            }
            byte[] ends = "one-valu".getBytes(StandardCharsets.UTF_8);
            assertThat(matcher.search(ends, 0, 8, (value, form, from, to) -> {}))
                    .isZero();
            assertThat(matcher.search(ends, 0, 3, (value, form, from, to) -> {}))
                    .isZero();
            assertThat(matcher.search("xyz".getBytes(StandardCharsets.UTF_8), 0, 3, (value, form, from, to) -> {}))
                    .isEqualTo(3);
        }
    }
}
