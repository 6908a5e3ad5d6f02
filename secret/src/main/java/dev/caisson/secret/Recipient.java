package dev.caisson.secret;

import dev.caisson.text.Quoted;
import java.nio.charset.StandardCharsets;

/// The public half of an age key, `age1…`: files can be encrypted for it, by everybody.
public record Recipient(String text) {
    static final String PREFIX = "age";

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

    /// Returns the key's 32 bytes.
    byte[] publicKey() {
        byte[] key = Bech32.decode(PREFIX, text.getBytes(StandardCharsets.US_ASCII));
        if (key == null) {
            throw new IllegalStateException("a recipient that was checked is malformed: " + text);
        }
        return key;
    }

    @Override
    public String toString() {
        return text;
    }
}
