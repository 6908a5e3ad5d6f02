package dev.caisson.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;

class CaissonExceptionTest {
    @Test
    void a_missing_argument_is_named() {
        assertThat(ArgumentException.present("x", "image")).isEqualTo("x");
        assertThatExceptionOfType(CaissonException.class)
                .isThrownBy(() -> ArgumentException.present(null, "image"))
                .satisfies(e -> {
                    assertThat(e.code()).isEqualTo("ARGUMENT_MISSING");
                    assertThat(e.sentence()).isEqualTo("image is null: pass a value");
                    assertThat(e.httpStatus()).isEqualTo(400);
                    assertThat(e.exitStatus()).isEqualTo(125);
                });
    }

    @Test
    void an_invalid_argument_has_its_sentence() {
        assertThat(ArgumentException.invalid("port 0 is reserved: use 1 to 65535"))
                .hasMessage("port 0 is reserved: use 1 to 65535")
                .extracting(CaissonException::code)
                .isEqualTo("ARGUMENT_INVALID");
    }
}
