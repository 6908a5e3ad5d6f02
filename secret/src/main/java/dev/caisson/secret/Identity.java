package dev.caisson.secret;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// The private half of an age key, `AGE-SECRET-KEY-1…`, in memory that is never swapped.
final class Identity implements AgeFile.Identity, AutoCloseable {
    private static final String PREFIX = "AGE-SECRET-KEY-";

    private final SecretValue scalar;
    private final byte[] publicKey;

    private Identity(SecretValue scalar, byte[] publicKey) {
        this.scalar = scalar;
        this.publicKey = publicKey;
    }

    static Identity generate() {
        return of(Curve.randomScalar());
    }

    private static Identity of(byte[] scalar) {
        try {
            return new Identity(SecretValue.of(scalar), Curve.publicKey(scalar));
        } finally {
            Arrays.fill(scalar, (byte) 0);
        }
    }

    /// Reads a file of identities as age-keygen writes it: comments, and one key.
    static Optional<Identity> parse(SecretValue file) {
        byte[] bytes = file.copy();
        try {
            for (int start = 0; start < bytes.length; ) {
                int end = start;
                while (end < bytes.length && bytes[end] != '\n' && bytes[end] != '\r') {
                    end++;
                }
                if (end > start && bytes[start] != '#') {
                    return key(Arrays.copyOfRange(bytes, start, end));
                }
                start = end + 1;
            }
            return Optional.empty();
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static Optional<Identity> key(byte[] line) {
        byte[] scalar = Bech32.decode(PREFIX, line);
        Arrays.fill(line, (byte) 0);
        return scalar == null || scalar.length != Curve.KEY ? Optional.empty() : Optional.of(of(scalar));
    }

    /// Returns the key as one line, for a file of identities.
    SecretValue line() {
        byte[] key = scalar.copy();
        byte[] lower = Bech32.encode(PREFIX.toLowerCase(Locale.ROOT), key);
        byte[] line = Arrays.copyOf(lower, lower.length + 1);
        try {
            for (int i = 0; i < lower.length; i++) {
                line[i] = (byte) Character.toUpperCase(lower[i]);
            }
            line[lower.length] = '\n';
            return SecretValue.of(line);
        } finally {
            Arrays.fill(key, (byte) 0);
            Arrays.fill(lower, (byte) 0);
            Arrays.fill(line, (byte) 0);
        }
    }

    Recipient recipient() {
        return Recipient.of(publicKey);
    }

    /// Derives a key for another purpose.
    byte[] derive(String label) {
        byte[] key = scalar.copy();
        try {
            return Kdf.hkdf(key, new byte[0], label);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    @Override
    public Optional<byte[]> unwrap(Stanza stanza) {
        if (!stanza.type().equals(RecipientKey.TYPE)) {
            return Optional.empty();
        }
        byte[] ephemeral = stanza.arguments().size() == 1
                ? Stanza.decode(stanza.arguments().getFirst())
                : new byte[0];
        if (ephemeral.length != Curve.KEY || stanza.body().length != AgeFile.FILE_KEY + AgeCipher.TAG) {
            throw new MalformedAgeException();
        }
        byte[] own = scalar.copy();
        byte[] shared = Curve.agree(own, ephemeral);
        byte[] key = RecipientKey.wrappingKey(shared, ephemeral, publicKey);
        try {
            return Optional.ofNullable(
                    AgeCipher.open(key, new byte[AgeCipher.NONCE], stanza.body(), 0, stanza.body().length));
        } finally {
            Arrays.fill(own, (byte) 0);
            Arrays.fill(shared, (byte) 0);
            Arrays.fill(key, (byte) 0);
        }
    }

    @Override
    public void close() {
        scalar.close();
    }

    @Override
    public String toString() {
        return "Identity";
    }
}
