package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/// The text form of keys, BIP 173: each text has one meaning, and a mistake in it none.
class Bech32Test {
    private static final String ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] key(int bytes) {
        byte[] key = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            key[i] = (byte) (0xa5 ^ (i * 37));
        }
        return key;
    }

    /// Writes groups of five bits with their checksum, as the standard says.
    private static String text(String prefix, int... groups) {
        int[] all = new int[prefix.length() * 2 + 1 + groups.length + 6];
        for (int i = 0; i < prefix.length(); i++) {
            all[i] = prefix.charAt(i) >> 5;
            all[prefix.length() + 1 + i] = prefix.charAt(i) & 31;
        }
        System.arraycopy(groups, 0, all, prefix.length() * 2 + 1, groups.length);
        long sum = 1;
        long[] generator = {0x3b6a57b2L, 0x26508e6dL, 0x1ea119faL, 0x3d4233ddL, 0x2a1462b3L};
        for (int value : all) {
            long top = sum >> 25;
            sum = ((sum & 0x1ffffff) << 5) ^ value;
            for (int i = 0; i < 5; i++) {
                sum ^= ((top >> i) & 1) == 1 ? generator[i] : 0;
            }
        }
        sum ^= 1;
        var text = new StringBuilder(prefix).append('1');
        Arrays.stream(groups).forEach(group -> text.append(ALPHABET.charAt(group)));
        for (int i = 5; i >= 0; i--) {
            text.append(ALPHABET.charAt((int) ((sum >> (5 * i)) & 31)));
        }
        return text.toString();
    }

    @Test
    void what_is_written_is_read_again_in_either_case_of_its_prefix() {
        for (int bytes = 0; bytes <= 40; bytes++) {
            byte[] written = Bech32.encode("age", key(bytes));
            assertThat(Bech32.decode("age", written)).isEqualTo(key(bytes));
            String upper = new String(Bech32.encode("age-secret-key-", key(bytes)), StandardCharsets.US_ASCII)
                    .toUpperCase(Locale.ROOT);
            assertThat(Bech32.decode("AGE-SECRET-KEY-", ascii(upper))).isEqualTo(key(bytes));
        }
    }

    @Test
    void the_checksum_is_that_of_the_standard() {
        assertThat(text("a")).isEqualTo("a12uel5l");
        assertThat(Bech32.decode("a", ascii("a12uel5l"))).isEmpty();
        assertThat(new String(Bech32.encode("a", new byte[0]), StandardCharsets.US_ASCII))
                .isEqualTo("a12uel5l");
        assertThat(ascii(text("age", 20, 20))).isEqualTo(Bech32.encode("age", new byte[] {(byte) 0xa5}));
    }

    @Test
    void no_letter_can_be_changed_left_out_or_swapped() {
        byte[] good = Bech32.encode("age", key(32));
        for (int at = 0; at < good.length; at++) {
            byte[] other = good.clone();
            other[at] = (byte) (other[at] == 'q' ? 'p' : 'q');
            assertThat(Bech32.decode("age", other)).as("at %d", at).isNull();
            other[at] = (byte) Character.toUpperCase(good[at]);
            if (other[at] != good[at]) {
                assertThat(Bech32.decode("age", other))
                        .as("upper case at %d", at)
                        .isNull();
            }
            other[at] = 'b'; // no letter of the alphabet
            assertThat(Bech32.decode("age", other)).isNull();
        }
        for (int length = 0; length < good.length; length++) {
            assertThat(Bech32.decode("age", Arrays.copyOf(good, length))).isNull();
        }
        assertThat(Bech32.decode("agf", good)).isNull();
    }

    /// Else one key had several texts.
    @Test
    void bits_that_are_left_over_are_zeros_and_fewer_than_a_group() {
        assertThat(Bech32.decode("age", ascii(text("age", 31, 28)))).containsExactly(0xff);
        for (int rest = 29; rest < 32; rest++) {
            assertThat(Bech32.decode("age", ascii(text("age", 31, rest)))).isNull();
        }
        assertThat(Bech32.decode("age", ascii(text("age", 0)))).isNull();
        assertThat(Bech32.decode("age", ascii(text("age", 31, 28, 0)))).isNull();
    }

    @Test
    void a_text_has_256_letters_at_most() {
        byte[] longest = Bech32.encode("age", new byte[153]);
        assertThat(longest).hasSize(255);
        assertThat(Bech32.decode("age", longest)).hasSize(153);
        assertThat(Bech32.decode("age", Bech32.encode("age", new byte[154]))).isNull();
    }
}
