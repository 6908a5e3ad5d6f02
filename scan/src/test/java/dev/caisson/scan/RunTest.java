package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class RunTest {
    @Test
    void the_longest_run_that_every_match_has_is_found() {
        assertThat(least("(?i)(?:^|[^0-9])([0-9]{5,16}:A[a-zA-Z0-9_\\-]{34})(?:$|[^a-z])"))
                .isEqualTo(34);
        assertThat(least("(A3T[A-Z0-9]|AKIA)[A-Z0-9]{16}")).isEqualTo(16);
        assertThat(least("dt0c01\\.[a-z0-9]{24}\\.[a-z0-9]{64,70}")).isEqualTo(64);
        assertThat(least("(?:[a-z0-9]{20}){1,2}")).isEqualTo(20);
    }

    @Test
    void what_a_match_can_be_without_is_no_run() {
        for (String expression : new String[] {
            "a(?:[0-9]{40})?", "a(?:x[0-9]{40})*", "a(?:[0-9]{40}){0,3}b", "[0-9]{40}|abc", "(?:[0-9]{40}|abc)x",
            "[0-9]{0,40}", "[0-9]{4}", "[^a]{40}", "a(?![0-9]{40})", "a\\[[0-9]{3}\\]{40}"
        }) {
            assertThat(Run.of(expression)).as(expression).isEmpty();
        }
    }

    @Test
    void a_run_is_found_where_an_expression_finds_it() {
        Run run = Run.of("[a-f0-9]{12}").orElseThrow();
        Pattern same = Pattern.compile("[a-f0-9]{12}");
        var random = new Random(5);
        int found = 0;
        for (int i = 0; i < 20_000; i++) {
            var text = new StringBuilder();
            for (int at = 0; at < 60; at++) {
                text.append(random.nextInt(8) == 0 ? ' ' : "abcdef0123456789".charAt(random.nextInt(16)));
            }
            int from = random.nextInt(30);
            int to = from + random.nextInt(30);
            boolean expected = same.matcher(text).region(from, to).find();
            assertThat(run.isWithin(text.toString().getBytes(StandardCharsets.US_ASCII), from, to))
                    .as(text + " " + from + " " + to)
                    .isEqualTo(expected);
            found += expected ? 1 : 0;
        }
        assertThat(found).isBetween(1000, 19_000);
    }

    private static int least(String expression) {
        return Run.of(expression).orElseThrow().least();
    }
}
