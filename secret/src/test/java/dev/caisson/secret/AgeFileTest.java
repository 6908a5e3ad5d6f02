package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files of age as this room writes and reads them, alone; [AgePeerTest] compares them with age's.
class AgeFileTest {
    private static final int CHUNK = 64 * 1024;

    @ParameterizedTest
    @ValueSource(ints = {1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, SecretValue.MOST_BYTES})
    void what_is_encrypted_is_decrypted(int size) {
        byte[] content = content(size);
        try (Identity identity = Identity.generate();
                Identity other = Identity.generate()) {
            byte[] file = encrypt(content, other, identity);
            assertThat(decrypt(file, identity)).isEqualTo(content);
            assertThat(decrypt(file, other)).isEqualTo(content);
        }
    }

    @Test
    void a_file_for_others_is_not_decrypted() {
        try (Identity identity = Identity.generate();
                Identity other = Identity.generate()) {
            assertMalformed(encrypt(content(9), other), identity);
        }
    }

    @Test
    void no_bit_can_be_flipped() {
        try (Identity identity = Identity.generate()) {
            byte[] file = encrypt(content(40), identity);
            for (int i = 0; i < file.length; i++) {
                byte[] changed = file.clone();
                changed[i] ^= (byte) (1 << i % 8);
                assertMalformed(changed, identity);
            }
        }
    }

    @Test
    void nothing_can_be_cut_off_swapped_or_added() {
        try (Identity identity = Identity.generate()) {
            byte[] file = encrypt(content(3 * CHUNK), identity);
            int sealed = CHUNK + AgeCipher.TAG;
            int start = file.length - 3 * sealed;
            for (int end : new int[] {0, 20, start - 17, start, start + 15, start + sealed, start + 2 * sealed}) {
                assertMalformed(Arrays.copyOf(file, end), identity);
            }
            assertMalformed(Arrays.copyOf(file, file.length + 1), identity);
            assertMalformed(Arrays.copyOf(file, file.length + AgeCipher.TAG), identity);
            byte[] swapped = file.clone();
            System.arraycopy(file, start, swapped, start + sealed, sealed);
            System.arraycopy(file, start + sealed, swapped, start, sealed);
            assertMalformed(swapped, identity);
        }
    }

    @Test
    void random_bytes_behind_a_valid_start_are_refused() {
        var random = new Random(17);
        try (Identity identity = Identity.generate()) {
            byte[] file = encrypt(content(40), identity);
            for (int i = 0; i < 300; i++) {
                int from = random.nextInt(file.length);
                byte[] tail = new byte[random.nextInt(200)];
                random.nextBytes(tail);
                byte[] changed = Arrays.copyOf(file, from + tail.length);
                System.arraycopy(tail, 0, changed, from, tail.length);
                if (!Arrays.equals(changed, file)) {
                    assertMalformed(changed, identity);
                }
            }
        }
    }

    /// The format leaves no choice, so that no file can be tried with several keys at once.
    @Test
    void a_wrapped_key_has_one_length_and_one_public_key_beside_it() {
        byte[] point = new byte[32];
        point[0] = 9;
        String good = Stanza.encode(point);
        byte[] body = new byte[32];
        try (Identity identity = Identity.generate()) {
            assertThat(identity.unwrap(new Stanza("X25519", List.of(good), body)))
                    .isEmpty(); // for another one
            assertThat(identity.unwrap(new Stanza("other", List.of(), new byte[1])))
                    .isEmpty();
            for (int length : new int[] {0, 16, 31, 33, 48}) {
                assertThatThrownBy(() -> identity.unwrap(new Stanza("X25519", List.of(good), new byte[length])))
                        .isInstanceOf(MalformedAgeException.class);
            }
            for (List<String> arguments :
                    List.of(List.<String>of(), List.of(good, good), List.of(Stanza.encode(Arrays.copyOf(point, 31))))) {
                assertThatThrownBy(() -> identity.unwrap(new Stanza("X25519", arguments, body)))
                        .isInstanceOf(MalformedAgeException.class);
            }
        }
    }

    @Test
    void a_recipient_of_small_order_is_refused() {
        String zero = new String(Bech32.encode("age", new byte[32]), StandardCharsets.US_ASCII);
        assertThatThrownBy(() -> new Recipient(zero)).isInstanceOf(SecretException.class);
        assertThatThrownBy(() -> new Recipient("age1qqq")).hasMessageContaining("age-keygen");
    }

    @Test
    void a_key_survives_its_text_form_in_one_case_alone() {
        try (Identity identity = Identity.generate();
                SecretValue line = identity.line();
                Identity read = Identity.parse(line).orElseThrow()) {
            assertThat(read.recipient()).isEqualTo(identity.recipient());
            byte[] mixed = line.copy();
            int letter = 30;
            while (!Character.isLetter(mixed[letter])) {
                letter++;
            }
            mixed[letter] = (byte) Character.toLowerCase(mixed[letter]);
            assertThat(Identity.parse(SecretValue.of(mixed))).isEmpty();
        }
    }

    private static byte[] content(int size) {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        return content;
    }

    private static byte[] encrypt(byte[] content, Identity... identities) {
        List<Recipient> recipients =
                Arrays.stream(identities).map(Identity::recipient).toList();
        try (SecretValue value = SecretValue.of(content)) {
            return AgeFile.encrypt(value, recipients);
        }
    }

    private static byte[] decrypt(byte[] file, Identity identity) {
        try (SecretValue value = AgeFile.decrypt(file, identity)) {
            return value.copy();
        }
    }

    private static void assertMalformed(byte[] file, Identity identity) {
        assertThatThrownBy(() -> AgeFile.decrypt(file, identity)).isInstanceOf(MalformedAgeException.class);
    }
}
