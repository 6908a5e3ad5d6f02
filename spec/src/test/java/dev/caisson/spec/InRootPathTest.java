package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.error.ArgumentException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InRootPathTest {
    @ParameterizedTest
    @CsvSource({"/,/", "//,/", "/a,/a", "/a/,/a", "//a//b/./c/.,/a/b/c", "/..a/b..,/..a/b..", "'/a b','/a b'"})
    void is_brought_to_its_normal_form(String given, String normal) {
        assertThat(InRootPath.parse(given).absolute()).isEqualTo(normal);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "./a", "../a", "/..", "/a/../b", "/a/..", "/a\nb", "/a\0b", "/a\u007f"})
    void what_could_lead_elsewhere_is_refused(String given) {
        assertThatExceptionOfType(ArgumentException.class).isThrownBy(() -> InRootPath.parse(given));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a", "a/", "a//b", "./a", "a/.", "..", "a/../b"})
    void the_relative_form_is_normal_already(String given) {
        assertThatExceptionOfType(ArgumentException.class).isThrownBy(() -> InRootPath.of(given));
    }

    @Test
    void lengths_count_in_bytes() {
        assertThat(InRootPath.parse("/" + "x".repeat(255)).relative()).hasSize(255);
        assertThatExceptionOfType(ArgumentException.class).isThrownBy(() -> InRootPath.parse("/" + "x".repeat(256)));
        assertThatExceptionOfType(ArgumentException.class).isThrownBy(() -> InRootPath.parse("/" + "é".repeat(128)));
        assertThatExceptionOfType(ArgumentException.class).isThrownBy(() -> InRootPath.parse("/abc".repeat(1100)));
    }

    @Test
    void lies_within_by_components_not_by_letters() {
        InRootPath proc = InRootPath.of("proc");

        assertThat(InRootPath.of("proc").isWithin(proc)).isTrue();
        assertThat(InRootPath.of("proc/self").isWithin(proc)).isTrue();
        assertThat(InRootPath.of("process").isWithin(proc)).isFalse();
        assertThat(proc.isWithin(InRootPath.of("proc/self"))).isFalse();
        assertThat(proc.isWithin(InRootPath.of(""))).isTrue();
    }
}
