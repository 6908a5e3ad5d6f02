package dev.caisson.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.text.MalformedJsonException.Code;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The grammar of RFC 8259, one row for each rule and each way to break it.
class JsonTest {
    private static final Json.Limits SMALL = new Json.Limits(200_000, 8, 1_000);

    /// @param value that the text stands for, as `String.valueOf` writes it
    record Valid(String text, String value) {
        @Override
        public String toString() {
            return shown(text);
        }
    }

    record Invalid(String text, Code code) {
        @Override
        public String toString() {
            return shown(text);
        }
    }

    private static String shown(String text) {
        return Quoted.of(text.length() > 40 ? text.substring(0, 40) + "…" : text);
    }

    static List<Valid> valid() {
        return List.of(
                new Valid("null", "null"),
                new Valid("true", "true"),
                new Valid("false", "false"),
                new Valid(" \t\r\n0 \t\r\n", "0"),
                new Valid("-0", "0"),
                new Valid("0e1", "0E+1"),
                new Valid("0e+1", "0E+1"),
                new Valid("1E22", "1E+22"),
                new Valid("1e-0002", "0.01"),
                new Valid("1.5", "1.5"),
                new Valid("-123.456e3", "-123456"),
                new Valid("9223372036854775807", "9223372036854775807"),
                new Valid("-9223372036854775808", "-9223372036854775808"),
                new Valid("9223372036854775808", "9223372036854775808"),
                new Valid("18446744073709551615", "18446744073709551615"),
                new Valid("-0." + "0".repeat(77) + "1", new BigDecimal("-1E-78").toString()),
                new Valid("\"\"", ""),
                new Valid("\" \"", " "),
                new Valid("\"asd\"", "asd"),
                new Valid("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"),
                new Valid("\"\\u0041\\u00e9\\u00E9\"", "Aéé"),
                new Valid("\"\\u0000\"", "\0"),
                new Valid("\"\\ud83d\\ude00\\uD83D\\uDE00\"", "😀😀"),
                new Valid("\"é€😀\"", "é€😀"),
                new Valid("\"\u007f\u0080\u2028\u2029\ufeff\uffff\"", "\u007f\u0080\u2028\u2029\ufeff\uffff"),
                new Valid("\"\\\\u0041\"", "\\u0041"),
                new Valid("\"a/*b*/c//d\"", "a/*b*/c//d"),
                new Valid("\"" + "x".repeat(150_000) + "\"", "x".repeat(150_000)),
                new Valid("\"" + "\\n".repeat(90_000) + "\"", "\n".repeat(90_000)),
                new Valid("[]", "[]"),
                new Valid("[ ]", "[]"),
                new Valid("[null, 1, \"1\", {}]", "[null, 1, 1, {}]"),
                new Valid("[[] , [[ ]]]", "[[], [[]]]"),
                new Valid("{}", "{}"),
                new Valid("{ }", "{}"),
                new Valid("{\"\":0}", "{=0}"),
                new Valid("{\"a\":{\"b\":[1,2]},\"c\":null}", "{a={b=[1, 2]}, c=null}"),
                new Valid("{\"b\" : 1 , \"a\" : 2}", "{b=1, a=2}"),
                new Valid("{\"a\":1,\"A\":2}", "{a=1, A=2}"),
                new Valid("{\"a\":{\"a\":1}}", "{a={a=1}}"),
                new Valid("[[[[[[[[]]]]]]]]", "[[[[[[[[]]]]]]]]"));
    }

    @ParameterizedTest
    @MethodSource("valid")
    void text_of_the_grammar_is_read(Valid row) {
        assertThat(String.valueOf(Json.parse(row.text(), SMALL))).isEqualTo(row.value());
        assertThat(String.valueOf(Json.parse(row.text().getBytes(StandardCharsets.UTF_8), SMALL)))
                .isEqualTo(row.value());
    }

    static List<Invalid> invalid() {
        var rows = new ArrayList<Invalid>();
        for (String text : List.of(
                // nothing, or not a value
                "",
                " ",
                "\n",
                "a",
                "nul",
                "nulL",
                "True",
                "truth",
                "tru",
                "fals",
                "Infinity",
                "NaN",
                "undefined",
                "*",
                "\0",
                "'a'",
                "`a`",
                "é",
                "\u00a0",
                "\u2028",
                "\f1",
                "\u000b1",
                "<null>",
                "&",
                "_",
                ".",
                "+",
                "/",
                "//",
                "/**/",
                // numbers
                "-",
                "+1",
                "01",
                "-01",
                "00",
                "0x1",
                "1.",
                ".1",
                "-.1",
                "1.e1",
                "1e",
                "1e+",
                "1E-",
                "1e1.5",
                "1e1e1",
                "0.1.2",
                "1_000",
                "1,000",
                "- 1",
                "--1",
                "-+1",
                "-a",
                "-Infinity",
                "1a",
                "1 2",
                "0b1",
                "1f",
                "1L",
                "0x",
                "\u0661",
                "\uff11",
                "1\u0661",
                "2.\u0661",
                "1e\uff11",
                // strings
                "\"",
                "\"a",
                "\"\\\"",
                "\"\\",
                "\"\\a\"",
                "\"\\x41\"",
                "\"\\'\"",
                "\"\\0\"",
                "\"\\U0041\"",
                "\"\\u\"",
                "\"\\u004\"",
                "\"\\u004g\"",
                "\"\\u 041\"",
                "\"\\u+041\"",
                "\"\\u-041\"",
                "\"\\u\uff10\uff10\uff14\uff11\"",
                "\"\t\"",
                "\"\n\"",
                "\"\r\"",
                "\"\0\"",
                "\"\u001f\"",
                "\"\\\n\"",
                "\"a\"b",
                "\"a\" \"b\"",
                "\"\\é\"",
                "\"\\ud83d\\u12\"",
                // lists
                "[",
                "]",
                "[1",
                "[1,",
                "[1,]",
                "[,1]",
                "[,]",
                "[1,,2]",
                "[1 2]",
                "[1;2]",
                "[1}",
                "[\"a\"",
                "[]]",
                "[][]",
                "[1]x",
                "[1],",
                "[a]",
                "[\"a\":1]",
                "[1:2]",
                "[*]",
                "[#1]",
                "[1,\n",
                "[[]",
                "[null,nul]",
                "(1)",
                // objects
                "{",
                "}",
                "{\"a\"",
                "{\"a\":",
                "{\"a\":1",
                "{\"a\":1,",
                "{\"a\":1,}",
                "{,}",
                "{,\"a\":1}",
                "{\"a\" 1}",
                "{\"a\",1}",
                "{\"a\"::1}",
                "{\"a\":1 \"b\":2}",
                "{\"a\":1;\"b\":2}",
                "{a:1}",
                "{'a':1}",
                "{1:1}",
                "{null:1}",
                "{\"a\":1}}",
                "{\"a\":1]",
                "{\"a\":}",
                "{\"a\":1,,\"b\":2}",
                "{\"a\"=1}",
                "{\"a\":1}{}",
                "{\"a\":1}#",
                "{\"a\":1}//",
                "{\"a\":1}/**/",
                "{/**/\"a\":1}",
                "{\"a\":/**/1}",
                "{[]:1}",
                "{\"a\":b}",
                "{\"a\":1}\0",
                "{{}}",
                "{\"a\":\"a",
                "{\"a\\\":1}")) {
            rows.add(new Invalid(text, Code.SYNTAX));
        }
        for (String text : List.of(
                "\ufeff1",
                "\ufeff",
                "\"\\ud800\"",
                "\"\\udc00\"",
                "\"\\udc00\\ud800\"",
                "\"\\ud800x\"",
                "\"\\ud800\\n\"",
                "\"\\ud800\\u0041\"",
                "\"\\ud800\\ud800\\udc00\"",
                "\"\ud800\"",
                "\"\udc00\"",
                "\"\\n\ud800\"",
                "{\"\\udfff\":1}")) {
            rows.add(new Invalid(text, Code.ENCODING));
        }
        for (String text : List.of(
                "{\"a\":1,\"a\":1}",
                "{\"a\":1,\"b\":2,\"a\":3}",
                "{\"a\":1,\"\\u0061\":2}",
                "{\"a\":null,\"a\":1}",
                "{\"\":0,\"\":0}",
                "[{\"x\":{\"y\":1,\"y\":1}}]")) {
            rows.add(new Invalid(text, Code.DUPLICATE_KEY));
        }
        for (String text : List.of(
                "[".repeat(9) + "]".repeat(9),
                "[".repeat(100_000),
                "{\"a\":".repeat(30_000),
                "[{\"\":".repeat(20_000))) {
            rows.add(new Invalid(text, Code.TOO_DEEP));
        }
        for (String text : List.of(
                "1".repeat(1_001),
                "0." + "1".repeat(1_000),
                "1e10000",
                "1e-10000",
                "1e" + "9".repeat(500),
                "[0" + ",0".repeat(1_000) + "]",
                "\"" + "x".repeat(200_000) + "\"")) {
            rows.add(new Invalid(text, Code.TOO_LARGE));
        }
        return rows;
    }

    @ParameterizedTest
    @MethodSource("invalid")
    void text_outside_the_grammar_or_the_limits_is_refused(Invalid row) {
        var refused = catchThrowableOfType(MalformedJsonException.class, () -> Json.parse(row.text(), SMALL));
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(row.code());
        assertThat(refused).hasMessageMatching("(is|has|lacks|begins) .* at line [1-9][0-9]*, column [1-9][0-9]*");
    }

    @Test
    void every_beginning_of_a_document_is_refused() {
        String document = "{\"a\":[1.5e1,\"\\u00e9\\n\",true,null],\"b\":{\"c\":{}}}";
        assertThat(Json.parse(document, SMALL)).isInstanceOf(Map.class);
        for (int end = 0; end < document.length(); end++) {
            String cut = document.substring(0, end);
            assertThat(catchThrowableOfType(MalformedJsonException.class, () -> Json.parse(cut, SMALL)))
                    .as(cut)
                    .isNotNull()
                    .extracting(MalformedJsonException::reason)
                    .isEqualTo(Code.SYNTAX);
        }
    }

    @Test
    void bytes_that_are_not_utf_8_are_refused() {
        for (byte[] bytes : new byte[][] {
            {'"', (byte) 0xff, '"'},
            {'"', (byte) 0xc0, (byte) 0x80, '"'},
            {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'},
            {'"', (byte) 0xf4, (byte) 0x90, (byte) 0x80, (byte) 0x80, '"'},
            {'"', (byte) 0xe2, (byte) 0x82, '"'},
            {(byte) 0xff, (byte) 0xfe, '1', 0},
            {(byte) 0xef, (byte) 0xbb, (byte) 0xbf, '1'},
        }) {
            assertThat(catchThrowableOfType(MalformedJsonException.class, () -> Json.parse(bytes, SMALL)))
                    .as(Arrays.toString(bytes))
                    .isNotNull()
                    .extracting(MalformedJsonException::reason)
                    .isEqualTo(Code.ENCODING);
        }
    }

    @Test
    void a_fault_names_its_line_and_column() {
        var refused =
                catchThrowableOfType(MalformedJsonException.class, () -> Json.parse("{\n  \"a\": 1,\n  b\n}", SMALL));

        assertThat(refused).hasMessage("lacks a key in quotation marks at line 3, column 3");
        assertThat(refused.line()).isEqualTo(3);
        assertThat(refused.column()).isEqualTo(3);
    }

    @Test
    void a_key_in_a_message_cannot_act_on_a_terminal() {
        String key = "\"\\u001b[2J\\u202e" + "k".repeat(5_000) + "\"";
        String text = "{" + key + ":1," + key + ":2}";

        var refused = catchThrowableOfType(MalformedJsonException.class, () -> Json.parse(text, SMALL));

        assertThat(refused.getMessage()).contains("\\u001b[2J\\u202ek").hasSizeLessThan(150);
    }

    @Test
    void whole_numbers_are_longs_and_all_others_exact_decimals() {
        assertThat(Json.parse("1")).isEqualTo(1L);
        assertThat(Json.parse("9007199254740993")).isEqualTo(9007199254740993L);
        assertThat(Json.parse("1.0")).isEqualTo(new BigDecimal("1.0"));
        assertThat(Json.parse("1e2")).isEqualTo(new BigDecimal("1e2"));
        assertThat(Json.parse("0.1")).isEqualTo(new BigDecimal("0.1"));
        assertThat(Json.parse("9223372036854775808")).isEqualTo(new BigDecimal("9223372036854775808"));
    }

    @Test
    void an_object_or_a_list_is_had_where_one_is_needed() {
        assertThat(Json.parseObject("{\"a\":1}", SMALL)).containsExactly(Map.entry("a", 1L));
        assertThat(Json.parseList("[1,null]", SMALL)).containsExactly(1L, null);
        assertThat(catchThrowableOfType(MalformedJsonException.class, () -> Json.parseObject("[]", SMALL)))
                .hasMessageStartingWith("is not an object");
        assertThat(catchThrowableOfType(MalformedJsonException.class, () -> Json.parseList("{}", SMALL)))
                .hasMessageStartingWith("is not a list");
    }
}
