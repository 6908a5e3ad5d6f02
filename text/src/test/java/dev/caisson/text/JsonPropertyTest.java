package dev.caisson.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The parser answers any text with a value or with its own exception.
class JsonPropertyTest {
    private static final List<String> PIECES = List.of(
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "d800", "0", "1", "-", ".", "e", "+", "true", "null", " ",
            "\n", "a", "\ud83d", "\ude00", "\0");

    @Test
    void any_text_is_a_value_or_malformed() {
        Seeds.check(
                5_000,
                random -> assertValueOrMalformed(
                        String.join("", Seeds.list(random, 0, 40, from -> Seeds.one(from, PIECES)))));
    }

    private static void assertValueOrMalformed(String text) {
        try {
            assertThat(Json.parse(text, Json.Limits.DEFAULT))
                    .satisfiesAnyOf(
                            value -> assertThat(value).isNull(),
                            value -> assertThat(value)
                                    .isInstanceOfAny(Map.class, List.class, String.class, Number.class, Boolean.class));
        } catch (MalformedJsonException e) {
            assertThat(e.line()).isPositive();
            assertThat(e.column()).isPositive();
        }
    }
}
