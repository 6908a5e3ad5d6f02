package dev.caisson.cli.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Denial;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DenialTextTest {
    @Test
    void all_calls_that_a_profile_on_trial_lets_pass_are_shown() {
        assertThat(DenialText.lines(denials("ALLOW", 64)))
                .hasSize(64)
                .allMatch(line -> line.startsWith("caisson: WOULD DENY: "));
    }

    @Test
    void of_denied_calls_the_first_are_shown_and_the_others_counted() {
        assertThat(DenialText.lines(denials("ERRNO(EPERM)", 11)))
                .hasSize(9)
                .endsWith("caisson: and 3 other kinds of denied calls");
    }

    private static List<Denial> denials(String answer, int count) {
        return IntStream.range(0, count)
                .mapToObj(number -> new Denial("call" + number, answer, "", "", "", List.of(), 1))
                .toList();
    }
}
