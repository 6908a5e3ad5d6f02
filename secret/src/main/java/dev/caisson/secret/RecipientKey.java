package dev.caisson.secret;

import java.util.Arrays;
import java.util.List;

/// A recipient as key of an age file, the X25519 recipient of its format.
record RecipientKey(Recipient recipient) implements AgeFile.Wrapper {
    static final String TYPE = "X25519";

    @Override
    public Stanza wrap(byte[] fileKey) {
        byte[] publicKey = recipient.publicKey();
        byte[] scalar = Curve.randomScalar();
        byte[] ephemeral = Curve.publicKey(scalar);
        byte[] shared = Curve.agree(scalar, publicKey);
        byte[] key = wrappingKey(shared, ephemeral, publicKey);
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
}
