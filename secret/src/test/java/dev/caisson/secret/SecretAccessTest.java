package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretAccessTest {
    private static final Map<String, String> NO_LABELS = Map.of();

    private static boolean allows(SecretAccess access, String image, String name, Map<String, String> labels) {
        return access.allows(image::equals, Optional.of(name).filter(given -> !given.isEmpty()), labels);
    }

    @Test
    void every_kind_that_is_named_has_to_fit() {
        var access = new SecretAccess(List.of("a:1", "b:1"), List.of("web", "job-*"), Map.of("tier", "gold"));
        Map<String, String> gold = Map.of("tier", "gold", "other", "x");
        assertThat(allows(access, "b:1", "web", gold)).isTrue();
        assertThat(allows(access, "a:1", "job-7", gold)).isTrue();
        assertThat(allows(access, "c:1", "web", gold)).isFalse();
        assertThat(allows(access, "a:1", "webs", gold)).isFalse();
        assertThat(allows(access, "a:1", "job", gold)).isFalse();
        assertThat(allows(access, "a:1", "", gold)).isFalse();
        assertThat(allows(access, "a:1", "web", Map.of("tier", "silver"))).isFalse();
        assertThat(allows(access, "a:1", "web", NO_LABELS)).isFalse();
        assertThat(allows(SecretAccess.ANY, "c:1", "", NO_LABELS)).isTrue();
        assertThat(allows(new SecretAccess(List.of(), List.of("*"), Map.of()), "c:1", "", NO_LABELS))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "ä", "a\nb"})
    void a_rule_that_fits_nothing_is_refused(String text) {
        assertThatThrownBy(() -> new SecretAccess(List.of(text), List.of(), Map.of()))
                .isInstanceOf(SecretException.class)
                .hasMessageContaining("image");
        assertThatThrownBy(() -> new SecretAccess(List.of(), List.of(text), Map.of()))
                .isInstanceOf(SecretException.class);
    }
}
