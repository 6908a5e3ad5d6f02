package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KernelVersionTest {
    @ParameterizedTest
    @CsvSource({
        "4.8, 4, 8",
        "6.12.101-amd64, 6, 12",
        "6.9-rc1, 6, 9",
        "0.0, 0, 0",
        "09.90, 9, 90",
        "9999.9999, 9999, 9999",
        "5.10:x, 5, 10",
        "5.10/x, 5, 10"
    })
    void the_leading_numbers_are_read(String text, int major, int minor) {
        assertThat(KernelVersion.parse(text)).isEqualTo(new KernelVersion(major, minor));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "4", "4.", ".8", "4,8", "a.8", "4.a", "-4.8", "4.-8", " 4.8", "4 .8", "12345.1", "1.12345", "/.1",
                ":.1", "1./", "1.:"
            })
    void what_does_not_begin_so_is_none(String text) {
        assertThatExceptionOfType(SeccompException.class)
                .isThrownBy(() -> KernelVersion.parse(text))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(SeccompException.Code.BAD_KERNEL_VERSION));
    }

    @Test
    void they_are_in_order_of_age() {
        List<KernelVersion> inOrder = List.of(
                new KernelVersion(4, 19), new KernelVersion(5, 4), new KernelVersion(5, 10), new KernelVersion(6, 0));
        for (int one = 0; one < inOrder.size(); one++) {
            for (int other = 0; other < inOrder.size(); other++) {
                assertThat(inOrder.get(one).isBefore(inOrder.get(other))).isEqualTo(one < other);
            }
        }
        assertThat(inOrder.getLast()).hasToString("6.0");
    }
}
