package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import org.junit.jupiter.api.Test;

/// An id is 64 hexadecimal digits in lower case, and nothing that a path could be made of.
class ContainerIdTest {
    private static final String ID = "0123456789abcdef".repeat(4);

    @Test
    void an_id_has_64_digits() {
        assertThat(new ContainerId(ID)).hasToString(ID);
        assertThat(new ContainerId(ID).shortForm()).isEqualTo("0123456789ab");
        for (String other : new String[] {"", ID.substring(1), ID + "0"}) {
            assertThat(ContainerId.isValid(other)).isFalse();
            assertThatThrownBy(() -> new ContainerId(other)).isInstanceOf(ArgumentException.class);
        }
    }

    @Test
    void each_of_them_is_hexadecimal_and_in_lower_case() {
        for (String digit : new String[] {"/", ":", "`", "g", "A", "F", ".", " ", "\n", "\u0661"}) {
            assertThat(ContainerId.isValid(digit + ID.substring(1))).as(digit).isFalse();
            assertThat(ContainerId.isValid(ID.substring(1) + digit)).as(digit).isFalse();
        }
        for (String digit : new String[] {"0", "9", "a", "f"}) {
            assertThat(ContainerId.isValid(digit.repeat(64))).as(digit).isTrue();
        }
    }

    @Test
    void a_random_one_is_new() {
        assertThat(ContainerId.random()).isNotEqualTo(ContainerId.random());
    }
}
