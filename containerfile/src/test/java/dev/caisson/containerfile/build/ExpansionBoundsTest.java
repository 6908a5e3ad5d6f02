package dev.caisson.containerfile.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Dockerfiles whose variables want all memory or never end.
@Timeout(30)
class ExpansionBoundsTest {
    private static EffectiveImage effective(String... lines) {
        ImageBuild build = ImageBuild.of(
                Dockerfile.parse(Source.of("Dockerfile", String.join("\n", lines) + "\n")), Map.of(), BaseImages.NONE);
        return build.effective(build.finalStage());
    }

    private static String expanded(String text) {
        return Substitution.expand(text, '\\', Map.of("A", "aXbXc", "E", "")::get)
                .value();
    }

    private static String repeated(int count, String before, String after) {
        return IntStream.range(0, count).mapToObj(i -> before + i + after).collect(Collectors.joining("\n"));
    }

    private static void assertRefused(String sentence, String... lines) {
        assertThatThrownBy(() -> effective(lines))
                .isInstanceOf(ContainerFileException.class)
                .hasMessageContaining("CF-208")
                .hasMessageContaining(sentence);
    }

    @ParameterizedTest
    @CsvSource({
        "${A/X/-},a-bXc",
        "${A//X/-},a-b-c",
        "${A//X},abc",
        "${A/Z/-},aXbXc",
        "${A//?X/-},--c",
        "${A//*/-},-",
        "${A/X*/-},a-",
        "${A#*X},bXc",
        "${A##*X},c",
        "${A%X*},aXb",
        "${A%%X*},a",
        "${A#b},aXbXc",
        "${A%b},aXbXc",
        "${A##*},''",
        "${A%%*},''",
        "${E/X/-},''",
        "${A//X/$A},aaXbXcbaXbXcc"
    })
    void patterns_change_values_as_a_shell_does(String text, String value) {
        assertThat(expanded(text)).isEqualTo(value);
    }

    @Test
    void a_pattern_of_many_stars_ends() {
        String large = "ARG A=" + "a".repeat(100_000);
        for (String modifier : List.of("%%", "##", "%", "#", "/", "//")) {
            assertThat(effective(large, "ARG B=${A" + modifier + "*a".repeat(20) + "b}", "FROM scratch")
                            .steps())
                    .isEmpty();
        }
        assertRefused("longer than 1024", "ARG A=a", "ARG B=${A%" + "a".repeat(1_025) + "}", "FROM scratch");
    }

    @Test
    void all_values_together_are_bounded() {
        String large = "A=" + "a".repeat(100_000);
        assertRefused("All values together", "ARG " + large, repeated(400, "ARG B", "=$A"), "FROM scratch");
        assertRefused("All values together", "FROM scratch", "ENV " + large, repeated(400, "ENV B", "=$A"));
        assertRefused("All values together", "FROM scratch", "ENV " + large, repeated(400, "LABEL B", "=$A"));
    }

    @Test
    void what_each_instruction_keeps_is_bounded() {
        assertThat(effective("FROM scratch", repeated(1_500, "ENV B", "=b")).steps())
                .hasSize(1_500);
        assertRefused("times the variables there", "FROM scratch", repeated(3_000, "ENV B", "=b"));
    }
}
