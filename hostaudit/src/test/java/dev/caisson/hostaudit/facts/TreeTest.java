package dev.caisson.hostaudit.facts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.proposals.EngineJson;
import dev.caisson.text.MalformedJsonException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Answers of engines, files of theirs and facts of other machines are read by the one strict parser.
class TreeTest {
    private static final String DEEP = "[".repeat(200_000);

    @Test
    void nesting_without_end_is_malformed_and_does_not_use_up_the_stack() {
        assertThatThrownBy(() -> Tree.parse(DEEP)).isInstanceOf(MalformedJsonException.class);
        assertThatThrownBy(() -> FactsJson.read(DEEP))
                .isInstanceOfSatisfying(
                        AuditException.class,
                        e -> assertThat(e.code()).isEqualTo(AuditException.Code.FACTS_UNREADABLE.name()));
        assertThat(EngineJson.parse("{\"a\":" + DEEP)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\":1,\"a\":2}", "{\"a\":nulL}", "{} {}", "{\"a\":01}", "{\"a\":1,}"})
    void what_readers_understand_differently_is_malformed(String json) {
        assertThatThrownBy(() -> Tree.parse(json)).isInstanceOf(MalformedJsonException.class);
        assertThat(EngineJson.parse(json)).isEmpty();
    }

    @Test
    void numbers_of_any_size_stay_as_they_were_written() {
        String json = "{\n  \"a\": 12345678901234567890123,\n  \"b\": 0.10,\n  \"c\": 9007199254740993\n}\n";
        assertThat(EngineJson.parse(json).map(EngineJson::write)).contains(json);
        assertThat(Tree.parse(json).at("c").textOr("")).isEqualTo("9007199254740993");
    }
}
