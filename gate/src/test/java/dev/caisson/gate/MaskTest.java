package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueMatcher;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Values in what a server sends become stars, wherever the pieces end.
class MaskTest {
    private static final String SHORT = "correct horse";
    private static final String LONG = "correct horse battery";

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static AnswerValues values() {
        return new AnswerValues(ValueMatcher.of(List.of(SecretValue.of(bytes(SHORT)), SecretValue.of(bytes(LONG)))));
    }

    private static String masked(String text, int pieces) throws IOException {
        var out = new ByteArrayOutputStream();
        try (AnswerValues values = values()) {
            var mask = new Mask(values, (bytes, length) -> out.write(bytes, 0, length));
            for (int at = 0; at < text.length(); at += pieces) {
                byte[] piece = bytes(text.substring(at, Math.min(text.length(), at + pieces)));
                mask.take(piece, piece.length);
            }
            mask.finish();
        }
        return out.toString(StandardCharsets.US_ASCII);
    }

    @Test
    void a_value_is_hidden_however_it_is_cut() throws IOException {
        for (int pieces = 1; pieces < 40; pieces++) {
            assertThat(masked("a " + LONG + " b " + SHORT + " c", pieces))
                    .as("pieces of %d", pieces)
                    .isEqualTo("a " + "*".repeat(LONG.length()) + " b " + "*".repeat(SHORT.length()) + " c");
        }
    }

    /// It could have gone on as the longer one, and so is held until the end.
    @Test
    void a_value_at_the_end_that_could_have_become_a_longer_one_is_hidden() throws IOException {
        for (int pieces = 1; pieces < 40; pieces++) {
            assertThat(masked("x" + SHORT, pieces)).isEqualTo("x" + "*".repeat(SHORT.length()));
            assertThat(masked("x" + SHORT + " batter", pieces)).isEqualTo("x" + "*".repeat(SHORT.length()) + " batter");
        }
    }

    @Test
    void the_beginning_of_a_value_is_passed_on_at_the_end() throws IOException {
        assertThat(masked("correct hors", 5)).isEqualTo("correct hors");
        assertThat(masked("", 5)).isEmpty();
    }

    @Test
    void a_text_that_is_there_as_a_whole_is_hidden_to_its_end() {
        try (AnswerValues values = values()) {
            assertThat(Mask.whole(values, bytes("x" + SHORT))).isEqualTo(bytes("x" + "*".repeat(SHORT.length())));
            byte[] longer = Arrays.copyOf(bytes("correct"), 7);
            assertThat(Mask.whole(values, longer)).isEqualTo(bytes("correct"));
        }
    }
}
