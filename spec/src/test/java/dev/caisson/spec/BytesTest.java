package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.spec.LimitException.Code;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BytesTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "268435456, 268435456",
        "12b, 12",
        "1k, 1024",
        "1K, 1024",
        "256m, 268435456",
        "256MB, 268435456",
        "64MiB, 67108864",
        "1.5g, 1610612736",
        "2t, 2199023255552",
        "1 g, 1073741824",
        "0.5k, 512",
        "1.0001k, 1024"
    })
    void reads_sizes_as_dockers_commands_take_them(String text, long count) {
        assertThat(Bytes.parse(text)).isEqualTo(Bytes.of(count));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "m", "-1", "1x", "1mm", "1e3", "0x10", "1,5g", "1..5g", ".5g", " 1g", "1g ", "१m", "1mi b"})
    void refuses_what_is_no_size(String text) {
        assertThatExceptionOfType(LimitException.class)
                .isThrownBy(() -> Bytes.parse(text))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.BAD_SIZE))
                .withMessageContaining("\"" + text + "\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "8192p", "99999999t"})
    void refuses_what_does_not_fit(String text) {
        assertThatExceptionOfType(LimitException.class)
                .isThrownBy(() -> Bytes.parse(text))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.BAD_SIZE));
    }

    @ParameterizedTest
    @CsvSource({"0, 0 B", "1023, 1023 B", "1024, 1 KiB", "1536, 1.5 KiB", "268435456, 256 MiB", "1073741824, 1 GiB"})
    void reads_well_for_people(long count, String text) {
        assertThat(Bytes.of(count)).hasToString(text);
        assertThat(Bytes.UNLIMITED).hasToString("unlimited");
    }

    @Test
    void reads_every_count_back() {
        var random = new Random(1);
        for (int n = 0; n < 1000; n++) {
            long count = random.nextLong(Long.MAX_VALUE) >> random.nextInt(Long.SIZE - 1);
            assertThat(Bytes.parse(Long.toString(count)).count()).isEqualTo(count);
        }
        assertThat(Bytes.parse(Long.toString(Long.MAX_VALUE - 1)).count()).isEqualTo(Long.MAX_VALUE - 1);
    }
}
