package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.spec.LimitException.Code;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceRuleTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "c 1:3 rwm|c 1:3 rwm",
                "b 8:* r|b 8:* r",
                "c *:* mwr|c *:* rwm",
                "c 1:3 rr|c 1:3 r",
                "a *:* rwm|c *:* rwm, b *:* rwm",
                "a 10:200 w|c 10:200 w, b 10:200 w",
            })
    void reads_a_rule_as_docker_writes_it(String text, String rules) {
        assertThat(DeviceRule.parse(text)).map(DeviceRule::toString).containsExactly(rules.split(", ", -1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "c 1:3",
                "c 1:3 ",
                "c 1:3 x",
                "c 1:3 rwmr",
                "d 1:3 r",
                "c 1 3 r",
                "c -1:3 r",
                "c 1:3 r\n",
                "c 4096:1 r",
                "c 1:1048576 r",
                "c 999999999:1 r",
            })
    void refuses_what_is_no_rule(String text) {
        assertThatExceptionOfType(LimitException.class)
                .isThrownBy(() -> DeviceRule.parse(text))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.BAD_DEVICE));
    }

    @ParameterizedTest
    @CsvSource({
        "c 1:3 r, true",
        "c 136:7 rw, true",
        "c 136:* rwm, true",
        "c 1:1 r, false",
        "c 1:* r, false",
        "b 1:3 r, false",
        "c *:3 r, false"
    })
    void tells_what_every_container_has(String text, boolean isStandard) {
        assertThat(DeviceRule.parse(text)).allMatch(rule -> rule.isStandard() == isStandard);
    }

    @Test
    void rules_are_kept_as_the_kernel_keeps_them() {
        Limits limits = Limits.defaults().devices(rules("c 10:200 r", "b 8:1 r", "c 10:200 w", "c 1:3 r"));

        assertThat(limits.devices().orElseThrow())
                .map(DeviceRule::toString)
                .containsExactly(
                        "b 8:1 r",
                        "c 10:200 rw",
                        "c 136:* rwm",
                        "c 1:3 rwm",
                        "c 1:5 rwm",
                        "c 1:7 rwm",
                        "c 1:8 rwm",
                        "c 1:9 rwm",
                        "c 5:0 rwm",
                        "c 5:2 rwm");
        assertThat(limits.devices(limits.devices().orElseThrow())).isEqualTo(limits);
    }

    @Test
    void refuses_more_rules_than_a_kernel_should_look_at_for_each_access() {
        var many = new ArrayList<DeviceRule>();
        for (int minor = 0; minor < 300; minor++) {
            many.addAll(DeviceRule.parse("b 8:" + minor + " r"));
        }

        assertThatExceptionOfType(LimitException.class)
                .isThrownBy(() -> Limits.defaults().devices(many))
                .withMessageContaining("256");
    }

    static List<DeviceRule> rules(String... texts) {
        return List.of(texts).stream()
                .flatMap(text -> DeviceRule.parse(text).stream())
                .toList();
    }
}
