package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DigestTest {
    private static final String EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    @Test
    void the_digest_of_nothing_is_known() {
        assertThat(Digest.of(new byte[0])).hasToString("sha256:" + EMPTY);
        assertThat(Digest.of("a".getBytes(StandardCharsets.UTF_8))).isNotEqualTo(new Digest(EMPTY));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "e3",
                EMPTY + "0",
                " " + EMPTY,
                "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
                "../../../../../../../../../../../../../../../../../../etc/passwd."
            })
    void other_digits_are_none(String hex) {
        assertThatThrownBy(() -> new Digest(hex)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void digests_are_in_the_order_of_their_digits() {
        Digest less = new Digest("0".repeat(64));
        Digest more = new Digest("0".repeat(63) + "1");

        assertThat(less).isLessThan(more);
        assertThat(more).isGreaterThan(less);
    }
}
