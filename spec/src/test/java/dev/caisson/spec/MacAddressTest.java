package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The address of one card: six bytes, of no group.
class MacAddressTest {
    @Test
    void it_is_read_in_either_form_and_has_its_bytes_in_order() {
        MacAddress address = MacAddress.parse("02:42:aC:11:00:fe");
        assertThat(MacAddress.parse("02-42-ac-11-00-fe")).isEqualTo(address);
        assertThat(address).hasToString("02:42:ac:11:00:fe");
        assertThat(address.bytes()).containsExactly(2, 0x42, 0xac, 0x11, 0, 0xfe);
        assertThat(MacAddress.of(address.bytes())).isEqualTo(address);
        assertThat(MacAddress.parse("fe:ff:ff:ff:ff:ff").bytes()).containsExactly(0xfe, 255, 255, 255, 255, 255);
        assertThat(MacAddress.parse("00:00:00:00:00:01")).isEqualTo(new MacAddress(1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "02:42:ac:11:00",
                "02:42:ac:11:00:fe:01",
                "0242ac1100fe",
                "02.42.ac.11.00.fe",
                "02:42:ac:11:00:fg",
                "2:42:ac:11:00:fe",
                "02:42:ac:11:00:fe ",
                "01:00:5e:00:00:01",
                "ff:ff:ff:ff:ff:ff",
                "00:00:00:00:00:00"
            })
    void what_is_no_address_of_one_card_is_refused(String text) {
        assertThatThrownBy(() -> MacAddress.parse(text)).isInstanceOf(ArgumentException.class);
    }

    @Test
    void six_bytes_are_an_address_and_no_other_number_of_them() {
        for (int count : new int[] {0, 5, 7, 8}) {
            assertThatThrownBy(() -> MacAddress.of(new byte[count])).hasMessageContaining("6 bytes, not " + count);
        }
        for (long value : new long[] {0, -1, 1L << 48, 1L << 40, Long.MIN_VALUE}) {
            assertThatThrownBy(() -> new MacAddress(value)).isInstanceOf(ArgumentException.class);
        }
    }
}
