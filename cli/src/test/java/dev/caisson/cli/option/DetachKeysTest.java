package dev.caisson.cli.option;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DetachKeysTest {
    private static String typed(DetachKeys keys, String text) {
        DetachKeys.Input input = keys.take(text.getBytes(US_ASCII), text.length());
        return new String(input.bytes(), US_ASCII) + (input.detached() ? "!" : "");
    }

    @Test
    void the_usual_keys_leave_and_what_only_begins_like_them_is_passed_on() {
        DetachKeys keys = DetachKeys.parse(DetachKeys.USUAL);

        assertThat(typed(keys, "ls\n")).isEqualTo("ls\n");
        assertThat(typed(keys, "a\u0010")).isEqualTo("a");
        assertThat(typed(keys, "b")).isEqualTo("\u0010b");
        assertThat(typed(keys, "\u0010\u0010")).isEqualTo("\u0010");
        assertThat(typed(keys, "\u0011rest")).isEqualTo("!");
    }

    @Test
    void other_keys_and_none_may_be_chosen() {
        assertThat(typed(DetachKeys.parse("x"), "abxc")).isEqualTo("ab!");
        assertThat(typed(DetachKeys.parse(""), "\u0010\u0011")).isEqualTo("\u0010\u0011");
        assertThat(typed(DetachKeys.parse("ctrl-@,ctrl-["), "\u0000\u001b")).isEqualTo("!");
    }
}
