package dev.caisson.secret;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// An identity that remembers the keys of files which it has unwrapped, in memory that is never swapped: to unwrap one
/// takes longer than all else of a delivery. Used under the store's lock alone.
final class RememberedKeys implements AgeFile.Identity, AutoCloseable {
    private static final int MOST = 64;

    private final Identity identity;
    private final Map<String, SecretValue> keys = new LinkedHashMap<>();

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
        key.ifPresent(bytes -> remember(name, bytes));
        return key;
    }

    private void remember(String name, byte[] key) {
        if (keys.size() == MOST) {
            SecretValue former = keys.remove(keys.keySet().iterator().next());
            if (former != null) {
                former.close();
            }
        }
        keys.put(name, SecretValue.of(key));
    }

    /// Clears the keys, and leaves the identity open.
    @Override
    public void close() {
        keys.values().forEach(SecretValue::close);
        keys.clear();
    }
}
