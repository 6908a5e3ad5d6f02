package dev.caisson.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/// Whatever comes, the parser answers with a value or with its own exception.
class JsonPropertyTest {
    @Provide
    Arbitrary<String> nearlyJson() {
        return Arbitraries.of(
                        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "d800", "0", "1", "-", ".", "e", "+", "true",
                        "null", " ", "\n", "a", "\ud83d", "\ude00", "\0")
                .list()
                .ofMaxSize(40)
                .map(pieces -> String.join("", pieces));
    }

    @Property(tries = 5_000)
    void any_text_is_a_value_or_malformed(@ForAll("nearlyJson") String text) {
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
