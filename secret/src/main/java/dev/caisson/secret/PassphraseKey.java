package dev.caisson.secret;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A passphrase as key of an age file, the scrypt recipient of its format.
record PassphraseKey(SecretValue passphrase) implements AgeFile.Wrapper, AgeFile.Identity {
    static final String TYPE = "scrypt";
    /// 128 MiB of memory, and about half a second.
    static final int LOG = 17;

    private static final int SALT = 16;
    private static final int BLOCKS = 8;
    private static final byte[] LABEL = "age-encryption.org/v1/scrypt".getBytes(StandardCharsets.US_ASCII);

    @Override
    public Stanza wrap(byte[] fileKey) {
        byte[] salt = new byte[SALT];
        new SecureRandom().nextBytes(salt);
        byte[] key = key(salt, LOG);
        try {
            byte[] body = AgeCipher.seal(key, new byte[AgeCipher.NONCE], fileKey, 0, fileKey.length);
            return new Stanza(TYPE, List.of(Stanza.encode(salt), Integer.toString(LOG)), body);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    @Override
    public Optional<byte[]> unwrap(Stanza stanza) {
        if (!stanza.type().equals(TYPE)) {
            return Optional.empty();
        }
        List<String> arguments = stanza.arguments();
        byte[] salt = arguments.size() == 2 ? Stanza.decode(arguments.getFirst()) : new byte[0];
        // another cost would be somebody else's choice of how much memory is taken; age writes 18
        int log = arguments.size() == 2 && arguments.get(1).matches("[1-9]|1[0-8]")
                ? Integer.parseInt(arguments.get(1))
                : 0;
        if (salt.length != SALT || log == 0 || stanza.body().length != AgeFile.FILE_KEY + AgeCipher.TAG) {
            throw new MalformedAgeException();
        }
        byte[] key = key(salt, log);
        try {
            return Optional.ofNullable(
                    AgeCipher.open(key, new byte[AgeCipher.NONCE], stanza.body(), 0, stanza.body().length));
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    private byte[] key(byte[] salt, int log) {
        byte[] labelled = Arrays.copyOf(LABEL, LABEL.length + salt.length);
        System.arraycopy(salt, 0, labelled, LABEL.length, salt.length);
        byte[] text = passphrase.copy();
        try {
            return Scrypt.key(text, labelled, log, BLOCKS, 1, Kdf.KEY);
        } finally {
            Arrays.fill(text, (byte) 0);
        }
    }
}
