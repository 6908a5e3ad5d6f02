package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ByteTextTest {
    @Test
    void any_bytes_come_back_unchanged() {
        Random random = new Random(12);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[random.nextInt(12)];
            random.nextBytes(bytes);

            String text = ByteText.of(bytes);

            assertThat(ByteText.bytes(text)).isEqualTo(bytes);
            assertThat(ByteText.isUtf8(text)).isEqualTo(text.equals(new String(bytes, StandardCharsets.UTF_8)));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ff", // no UTF-8 at all
                "e9", // Latin-1
                "c3", // cut
                "efbfbd", // U+FFFD itself
                "efbfbdff",
                "eda080", // a surrogate as CESU-8 writes it
                "c080", // overlong
                "f4908080", // above U+10FFFF
                "f09f9880ff", // an emoji and a byte
                "61ff62fe63"
            })
    void bytes_that_look_like_something_else_stay_themselves(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);

        assertThat(ByteText.bytes(ByteText.of(bytes))).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "plain", "é", "日本", "😀", "what?", "\uFFFD"})
    void valid_text_is_utf_8_as_it_is(String text) {
        assertThat(ByteText.bytes(text)).isEqualTo(text.getBytes(StandardCharsets.UTF_8));
        assertThat(ByteText.of(text.getBytes(StandardCharsets.UTF_8))).isEqualTo(text);
        assertThat(ByteText.isUtf8(text)).isTrue();
    }

    @Test
    void half_of_a_surrogate_pair_that_stands_for_no_byte_is_refused() {
        for (String text : new String[] {"\ud83d", "a\udc00b", "\udc7f", "\udd00", "\ud83dx"}) {
            assertThat(ByteText.isText(text)).isFalse();
            assertThat(ByteText.isUtf8(text)).isFalse();
            assertThatThrownBy(() -> ByteText.bytes(text)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(ByteText.shown("\ud83d.\udcff.\ud83d\ude00é")).isEqualTo("\uFFFD.\\xff.\ud83d\ude00é");
        assertThat(ByteText.isText("\udcff")).isTrue();
        assertThat(ByteText.isUtf8("\udcff")).isFalse();
    }
}
