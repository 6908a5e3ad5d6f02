package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// How much of a secret is shown.
class MasksTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "a", "ab", "abc", "abcd"})
    void of_a_short_secret_nothing_is_shown_nor_its_length(String secret) {
        assertThat(Masks.masked(secret)).isEqualTo("***");
    }

    @ParameterizedTest
    @CsvSource({"abcde,ab*** (5 characters)", "ghp_0123456789,gh*** (14 characters)", "é\u001bcde,??*** (5 characters)"
    })
    void of_a_longer_one_two_characters_are_shown_that_suit_a_terminal(String secret, String shown) {
        assertThat(Masks.masked(secret)).isEqualTo(shown);
    }

    @Test
    void a_mark_tells_two_apart_and_is_too_short_to_find_either_by() {
        assertThat(Masks.mark("one")).hasSize(6).isEqualTo(Masks.mark("one")).isNotEqualTo(Masks.mark("two"));
    }
}
