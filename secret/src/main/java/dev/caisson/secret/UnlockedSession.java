package dev.caisson.secret;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.KernelKeys;
import dev.caisson.linux.KernelRandom;
import dev.caisson.secret.SecretException.Code;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// A store that stays unlocked: its identity, encrypted by a key that is in the kernel's memory alone.
/// The file without the key is worth nothing, and so is the key without the file, which only root of the
/// host reaches.
final class UnlockedSession {
    static final String NAME = "unlocked";
    private static final String DESCRIPTION = "caisson-secrets:";
    private static final int ID = 16;
    private static final int MOST = 1024;

    private UnlockedSession() {}

    /// Begins one, in place of that before.
    static void begin(StoreDirectory root, Identity identity, Optional<Duration> lifetime) {
        end(root);
        byte[] id = KernelRandom.bytes(ID);
        byte[] nonce = KernelRandom.bytes(AgeCipher.NONCE);
        byte[] key = KernelRandom.bytes(Kdf.KEY);
        byte[] plain = new byte[0];
        try (SecretValue line = identity.line()) {
            plain = line.copy();
            byte[] sealed = AgeCipher.seal(key, nonce, plain, 0, plain.length);
            byte[] file = Arrays.copyOf(id, ID + nonce.length + sealed.length);
            System.arraycopy(nonce, 0, file, ID, nonce.length);
            System.arraycopy(sealed, 0, file, ID + nonce.length, sealed.length);
            add(id, key, lifetime);
            try {
                root.write(NAME, file);
            } catch (RuntimeException e) {
                KernelKeys.remove(description(id));
                throw e;
            }
        } finally {
            Arrays.fill(key, (byte) 0);
            Arrays.fill(plain, (byte) 0);
        }
    }

    private static void add(byte[] id, byte[] key, Optional<Duration> lifetime) {
        try {
            KernelKeys.add(description(id), key, lifetime);
        } catch (ErrnoException e) {
            throw new SecretException(
                    Code.SECRET_STORAGE,
                    "the kernel did not keep the key (" + e.getMessage()
                            + "): it needs keyrings, CONFIG_KEYS, and room in /proc/sys/kernel/keys",
                    e);
        }
    }

    private static String description(byte[] id) {
        return DESCRIPTION + HexFormat.of().formatHex(id);
    }

    /// Returns the identity if the store is unlocked.
    static Optional<Identity> find(StoreDirectory root) {
        Optional<byte[]> found = root.read(NAME, MOST).filter(file -> file.length > ID + AgeCipher.NONCE);
        return found.flatMap(file -> KernelKeys.read(description(Arrays.copyOf(file, ID)))
                .filter(key -> key.length == Kdf.KEY)
                .flatMap(key -> open(file, key)));
    }

    /// True if the kernel has the key of one.
    static boolean isThere(StoreDirectory root) {
        Optional<byte[]> key = root.read(NAME, MOST)
                .filter(file -> file.length > ID)
                .flatMap(file -> KernelKeys.read(description(Arrays.copyOf(file, ID))));
        key.ifPresent(bytes -> Arrays.fill(bytes, (byte) 0));
        return key.isPresent();
    }

    private static Optional<Identity> open(byte[] file, byte[] key) {
        int at = ID + AgeCipher.NONCE;
        byte[] plain = AgeCipher.open(key, Arrays.copyOfRange(file, ID, at), file, at, file.length - at);
        Arrays.fill(key, (byte) 0);
        if (plain == null) {
            return Optional.empty();
        }
        try (SecretValue line = SecretValue.of(plain)) {
            return Identity.parse(line);
        } finally {
            Arrays.fill(plain, (byte) 0);
        }
    }

    /// Ends it: the kernel clears the key, then the file goes.
    /// @return false if there was none
    static boolean end(StoreDirectory root) {
        Optional<byte[]> file = root.read(NAME, MOST);
        if (file.isEmpty()) {
            return false;
        }
        boolean was = file.get().length > ID && KernelKeys.remove(description(Arrays.copyOf(file.get(), ID)));
        root.remove(NAME);
        return was;
    }
}
