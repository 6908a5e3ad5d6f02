package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Programs that values are brought from.
@Timeout(20)
class ValueSourceTest {
    private static final String VALUE = "canary-of-the-source";

    private static SecretValue read(String script) {
        return new ValueSource.Command(List.of("/bin/sh", "-c", script)).read(Duration.ofSeconds(2));
    }

    private static void assertRefused(String script, String why) {
        assertThatThrownBy(() -> read(script).close())
                .isInstanceOfSatisfying(
                        SecretException.class,
                        e -> assertThat(e.reason()).isEqualTo(SecretException.Code.SECRET_SOURCE))
                .hasMessageContaining(why)
                .hasMessageNotContaining(VALUE);
    }

    @Test
    void all_that_a_program_prints_is_the_value() {
        try (SecretValue value = read("echo " + VALUE + "; echo noise >&2")) {
            assertThat(new String(value.copy(), StandardCharsets.UTF_8)).isEqualTo(VALUE + "\n");
        }
        try (SecretValue value = read("head -c " + SecretValue.MOST_BYTES + " /dev/zero")) {
            assertThat(value.size()).isEqualTo(SecretValue.MOST_BYTES);
        }
        try (SecretValue value = read("cat; env")) {
            assertThat(new String(value.copy(), StandardCharsets.UTF_8).lines())
                    .allMatch(line -> line.startsWith("PATH=") || line.startsWith("PWD=") || line.startsWith("_="));
        }
    }

    @Test
    void a_program_that_fails_prints_nothing_or_does_not_end_gives_no_value() {
        assertRefused("printf " + VALUE + "; exit 3", "ended with status 3");
        assertRefused("exit 0", "printed nothing");
        assertRefused("head -c " + (SecretValue.MOST_BYTES + 1) + " /dev/zero", "printed more than");
        assertRefused("sleep 60", "did not end within");
        assertThatThrownBy(() -> new ValueSource.Command(List.of("/nowhere/program")).read())
                .hasMessageContaining("/nowhere/program could not be run");
        assertThatThrownBy(() -> new ValueSource.Command(List.of("pass", VALUE)))
                .hasMessageContaining("absolute path")
                .hasMessageNotContaining(VALUE);
    }
}
