package dev.caisson.containerfile.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Source;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class WildcardsTest {
    private static final Random RANDOM = new Random(20261129);

    private static Wildcards of(String pattern) {
        var wildcards = new Wildcards.Builder();
        for (int at = 0; at < pattern.length(); at++) {
            char c = pattern.charAt(at);
            switch (c) {
                case '*' -> wildcards.many();
                case '?' -> wildcards.one();
                case 'D' -> wildcards.directories();
                case 'N' -> wildcards.many(character -> character != '/');
                default -> wildcards.literal(c);
            }
        }
        return wildcards.build();
    }

    private static Pattern regex(String pattern) {
        var regex = new StringBuilder();
        for (int at = 0; at < pattern.length(); at++) {
            char c = pattern.charAt(at);
            regex.append(
                    switch (c) {
                        case '*' -> ".*";
                        case '?' -> ".";
                        case 'D' -> "(?:.*/)?";
                        case 'N' -> "[^/]*";
                        default -> Pattern.quote(String.valueOf(c));
                    });
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    private static String random(String letters, int longest) {
        var text = new StringBuilder();
        int length = RANDOM.nextInt(longest + 1);
        for (int i = 0; i < length; i++) {
            text.append(letters.charAt(RANDOM.nextInt(letters.length())));
        }
        return text.toString();
    }

    @Test
    void they_find_what_a_regular_expression_finds() {
        for (int i = 0; i < 20_000; i++) {
            String pattern = random("ab/*?DN", 6);
            String text = random("ab/", 8);
            Wildcards wildcards = of(pattern);
            String as = "%s in %s".formatted(pattern, text);
            assertThat(wildcards.matches(text))
                    .as(as)
                    .isEqualTo(regex(pattern).matcher(text).matches());
            int shortest = -1;
            int longest = -1;
            for (int end = 0; end <= text.length(); end++) {
                if (regex(pattern).matcher(text.substring(0, end)).matches()) {
                    shortest = shortest < 0 ? end : shortest;
                    longest = end;
                }
            }
            assertThat(wildcards.beginning(text, false)).as(as).isEqualTo(shortest);
            assertThat(wildcards.beginning(text, true)).as(as).isEqualTo(longest);
            assertThat(wildcards.find(text, 0)).as(as).isEqualTo(found(pattern, text));
        }
    }

    /// Tries all places.
    private static Optional<Wildcards.Found> found(String pattern, String text) {
        for (int start = 0; start <= text.length(); start++) {
            for (int end = text.length(); end >= start; end--) {
                if (regex(pattern).matcher(text.substring(start, end)).matches()) {
                    return Optional.of(new Wildcards.Found(start, end));
                }
            }
        }
        return Optional.empty();
    }

    @ParameterizedTest
    @CsvSource({
        "a-c,b,true",
        "a-c,-,false",
        "^a-c,b,false",
        "^a-c,z,true",
        "c-a,b,false",
        "c-a,-,true",
        "a-,-,true",
        "-a,-,true",
        "^,x,true",
        "a-c-e,d,false",
        "a-c-e,-,true"
    })
    void a_class_holds_its_ranges(String text, String character, boolean holds) {
        assertThat(Wildcards.characters(text).test(character.codePointAt(0))).isEqualTo(holds);
    }

    // ---- files of people who want a builder or an audit to stand still

    @Test
    void many_stars_take_no_longer_than_their_number_times_the_path() {
        String path = "a/".repeat(500) + "c";
        for (String pattern : List.of("**/".repeat(400) + "b", "*a".repeat(400) + "b", "**".repeat(400) + "b")) {
            DockerIgnore ignore = DockerIgnore.parse(Source.of(".dockerignore", pattern + "\n"));
            assertThat(ignore.excludes(path)).isFalse();
            assertThat(ignore.excludes("a".repeat(255))).isFalse();
        }
    }

    @Test
    void patterns_are_few_and_short() {
        assertThatThrownBy(() -> DockerIgnore.parse(Source.of(".dockerignore", "a\n".repeat(4_097))))
                .isInstanceOf(ContainerFileException.class)
                .hasMessageContaining("CF-103")
                .hasMessageContaining("more than 4096 patterns");
        assertThatThrownBy(() -> DockerIgnore.parse(Source.of(".dockerignore", "a".repeat(4_097) + "\n")))
                .isInstanceOf(ContainerFileException.class)
                .hasMessageContaining("CF-103");
        DockerIgnore most = DockerIgnore.parse(Source.of(".dockerignore", "b\n".repeat(4_095) + "a\n"));
        assertThat(most.excludes("a")).isTrue();
    }
}
