package dev.caisson.secret;

import dev.caisson.text.Quoted;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// The public half of an age key, `age1…`: files can be encrypted for it, by everybody.
public record Recipient(String text) implements AgeFile.Recipient {
    static final String PREFIX = "age";
    static final String TYPE = "X25519";

    /// @throws SecretException SECRET_INVALID
    public Recipient {
        byte[] key = Bech32.decode(PREFIX, text.getBytes(StandardCharsets.UTF_8));
        if (key == null || key.length != Curve.KEY || Curve.isOfSmallOrder(key)) {
            throw SecretException.invalid("the recipient " + Quoted.of(text)
                    + " is not a public key of age: give age1…, as 'age-keygen -y' prints it");
        }
    }

    static Recipient of(byte[] publicKey) {
        return new Recipient(new String(Bech32.encode(PREFIX, publicKey), StandardCharsets.US_ASCII));
    }

    @Override
    public Stanza wrap(byte[] fileKey) {
        byte[] recipient = Bech32.decode(PREFIX, text.getBytes(StandardCharsets.US_ASCII));
        byte[] scalar = Curve.randomScalar();
        byte[] ephemeral = Curve.publicKey(scalar);
        byte[] shared = Curve.agree(scalar, recipient == null ? new byte[0] : recipient);
        byte[] key = wrappingKey(shared, ephemeral, recipient == null ? new byte[0] : recipient);
        try {
            byte[] body = AgeCipher.seal(key, new byte[AgeCipher.NONCE], fileKey, 0, fileKey.length);
            return new Stanza(TYPE, List.of(Stanza.encode(ephemeral)), body);
        } finally {
            Arrays.fill(scalar, (byte) 0);
            Arrays.fill(shared, (byte) 0);
            Arrays.fill(key, (byte) 0);
        }
    }

    static byte[] wrappingKey(byte[] shared, byte[] ephemeral, byte[] recipient) {
        byte[] salt = Arrays.copyOf(ephemeral, 2 * Curve.KEY);
        System.arraycopy(recipient, 0, salt, Curve.KEY, Curve.KEY);
        return Kdf.hkdf(shared, salt, "age-encryption.org/v1/X25519");
    }

    @Override
    public String toString() {
        return text;
    }
}
