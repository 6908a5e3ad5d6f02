package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class FileCapabilitiesTest {
    private static final int BASE = 0x00010000;
    private static final String SETS = "0004000000000000" + "0000000000000000";

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    @Test
    void capabilities_of_the_container_lose_its_id_and_keep_the_rest() {
        assertThat(FileCapabilities.ofImage(bytes("01000003" + SETS + "00000100"), BASE))
                .hasValue(bytes("01000002" + SETS));
    }

    @Test
    void capabilities_of_an_image_stay_as_they_are() {
        assertThat(FileCapabilities.ofImage(bytes("01000002" + SETS), BASE)).hasValue(bytes("01000002" + SETS));
    }

    @Test
    void capabilities_of_another_container_and_unknown_forms_are_left_out() {
        assertThat(FileCapabilities.ofImage(bytes("01000003" + SETS + "00000200"), BASE))
                .isEmpty();
        assertThat(FileCapabilities.ofImage(bytes("01000004" + SETS + "00000100"), BASE))
                .isEmpty();
        assertThat(FileCapabilities.ofImage(bytes("01"), BASE)).isEmpty();
    }
}
