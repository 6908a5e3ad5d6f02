package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// An expression is tried at its keywords alone only if no match of it can begin with anything else.
class BeginningTest {
    private static boolean begins(String expression, String... keywords) {
        return Beginning.of(expression, List.of(keywords)).isPresent();
    }

    @Test
    void an_expression_that_begins_with_its_keyword_is_known_by_it() {
        assertThat(begins("ghp_[0-9a-zA-Z]{36}", "ghp_")).isTrue();
        assertThat(begins("(?i)\\b(pul-[a-f0-9]{40})(?:['\\n]|$)", "pul-")).isTrue();
        assertThat(begins("(ghu|ghs)_[0-9a-zA-Z]{36}", "ghu", "ghs")).isTrue();
        assertThat(begins("(?i)(?:new-relic|newrelic)(?:[a-z]{0,20})=([a-z]{4})", "new-relic", "newrelic"))
                .isTrue();
        assertThat(begins("dp\\.pt\\.[a-z]{4}", "dp.pt.")).isTrue();
        assertThat(begins("xox[baprs]-(x)", "xox")).isTrue();
        assertThat(begins("(?i)[\\w.-]{0,50}?(?:adobe)(?:[a-z]{0,20})=(x)", "adobe"))
                .isTrue();
    }

    @Test
    void one_that_may_begin_otherwise_is_not() {
        assertThat(begins("(ghu|ghs)_[0-9]{36}", "ghu")).isFalse();
        assertThat(begins("ghp_a|x", "ghp_")).isFalse();
        assertThat(begins("(ghp_a)|x", "ghp_")).isFalse();
        assertThat(begins("(?:ghp_)?x", "ghp_")).isFalse();
        assertThat(begins("(?:ghp_){0,1}x", "ghp_")).isFalse();
        assertThat(begins("ghp_?x", "ghp_")).isFalse();
        assertThat(begins("gh[p]_x", "ghp_")).isFalse();
        assertThat(begins("[a-z]{14}\\.atlasv1", ".atlasv1")).isFalse();
        assertThat(begins("(sk|pk)_test_x", "sk_test_")).isFalse();
        assertThat(begins("(?:a(?:b|c)|d)x", "a")).isFalse();
    }

    @Test
    void what_assigns_is_known_and_what_stands_before_without_weight_is_left_away() {
        String expression = "(?i)[\\w.-]{0,50}?(?:adobe)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}"
                + "(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([a-f0-9]{32})";
        Beginning begins = Beginning.of(expression, List.of("adobe")).orElseThrow();
        assertThat(begins.expression()).startsWith("(?i)(?:adobe)");
        assertThat(begins.assignment()).isPresent();
        assertThat(Beginning.of("(?i)(?:adobe)=(x)", List.of("adobe"))
                        .orElseThrow()
                        .assignment())
                .isEmpty();
    }

    @Test
    void a_place_is_passed_over_only_if_the_expression_cannot_match_there() {
        String expression = "(?i)(?:key)(?:[0-9a-z\\-_\\t .]{0,20})(?:[\\s|']|[\\s|\"]){0,3}(?:=|>|:=|\\|\\|:|<=|=>|:)"
                + "(?:'|\\\"|\\s|=|\\x60){0,5}([0-9a-z\\-_.=]{10,150})(?:['|\\\"|\\n|\\r|\\s|\\x60|;]|$)";
        Assignment assignment = Assignment.of(expression).orElseThrow();
        var pattern = Pattern.compile(expression);
        var random = new Random(4);
        String parts = "key =:>|<'\"\t\nab1.-_,;`";
        int matched = 0;
        int passed = 0;
        for (int round = 0; round < 300_000; round++) {
            var text = new StringBuilder("key");
            while (text.length() < 34) {
                boolean word = random.nextInt(3) > 0;
                text.append(word ? "a1-" : String.valueOf(parts.charAt(random.nextInt(parts.length()))));
            }
            boolean matches = pattern.matcher(text).lookingAt();
            byte[] bytes = text.toString().getBytes(StandardCharsets.ISO_8859_1);
            boolean may = assignment.mayFollow(bytes, bytes.length, 3);
            matched += matches ? 1 : 0;
            passed += may ? 0 : 1;
            if (matches) {
                assertThat(may).as(text.toString()).isTrue();
            }
        }
        assertThat(matched).isGreaterThan(1000);
        assertThat(passed).isGreaterThan(1000);
    }
}
