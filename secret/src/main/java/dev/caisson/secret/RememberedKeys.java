package dev.caisson.secret;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// An identity that remembers the keys of files which it has unwrapped, and small values, in memory that is never
/// swapped: to unwrap one takes longer than all else of a delivery, and to decrypt its file comes next. Used under the
/// store's lock alone.
final class RememberedKeys implements AgeFile.Identity, AutoCloseable {
    private static final int MOST = 64;
    private static final int LARGEST_VALUE = 4096;

    private final Identity identity;
    private final Map<String, SecretValue> keys = new LinkedHashMap<>();
    private final Map<String, SecretValue> values = new LinkedHashMap<>();

    RememberedKeys(Identity identity) {
        this.identity = identity;
    }

    @Override
    public Optional<byte[]> unwrap(Stanza stanza) {
        String name = stanza.type() + stanza.arguments() + Stanza.encode(stanza.body());
        SecretValue known = keys.get(name);
        if (known != null) {
            return Optional.of(known.copy());
        }
        Optional<byte[]> key = identity.unwrap(stanza);
        key.ifPresent(bytes -> remember(keys, name, SecretValue.of(bytes)));
        return key;
    }

    /// Decrypts a file that is as the store wrote it, or returns its value from the time before.
    ///
    /// @param digest of the file
    /// @return a value that is the caller's to close
    SecretValue decrypt(String digest, byte[] file) {
        SecretValue known = values.get(digest);
        if (known != null) {
            return known.start(known.size());
        }
        SecretValue value = AgeFile.decrypt(file, this);
        if (value.size() > 0 && value.size() <= LARGEST_VALUE) {
            remember(values, digest, value.start(value.size()));
        }
        return value;
    }

    private static void remember(Map<String, SecretValue> all, String name, SecretValue one) {
        if (all.size() == MOST) {
            SecretValue former = all.remove(all.keySet().iterator().next());
            if (former != null) {
                former.close();
            }
        }
        all.put(name, one);
    }

    /// Clears the keys and values, and leaves the identity open.
    @Override
    public void close() {
        keys.values().forEach(SecretValue::close);
        keys.clear();
        values.values().forEach(SecretValue::close);
        values.clear();
    }
}
