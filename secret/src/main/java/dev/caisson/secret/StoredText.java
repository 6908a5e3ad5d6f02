package dev.caisson.secret;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Looks for stored values in texts that must have none, as the variables of a container. Nobody gets a value, so
/// the log of accesses has no line of it.
public final class StoredText {
    /// A text that has a value.
    ///
    /// @param text its index
    /// @param secret name and version, as `db@3`
    /// @param form how the value stands there
    public record Found(int text, String secret, ValueForm form) {}

    private StoredText() {}

    /// An act that takes the values of a store.
    @FunctionalInterface
    interface Use<T> {
        /// Takes their names, as `db@3`, and what finds them.
        T of(List<String> names, ValueMatcher matcher);
    }

    /// Reads every version that is retained, and clears them afterwards.
    static <T> T withValues(SecretStore store, Use<T> use) {
        return store.locked(opened -> {
            var names = new ArrayList<String>();
            var values = new ArrayList<SecretValue>();
            try {
                for (SecretRecord secret : opened.index().secrets().values()) {
                    for (SecretVersion version : secret.versions()) {
                        values.add(store.readFile(secret.name(), version));
                        names.add(secret.name() + "@" + version.number());
                    }
                }
                try (ValueMatcher matcher = ValueMatcher.of(values)) {
                    return use.of(names, matcher);
                }
            } finally {
                values.forEach(SecretValue::close);
            }
        });
    }

    /// Returns the first of the texts that has a value of any version that is retained, in any form.
    /// @throws SecretException SECRET_TAMPERED
    public static Optional<Found> find(SecretStore store, List<String> texts) {
        return withValues(store, (names, matcher) -> find(names, matcher, texts));
    }

    private static Optional<Found> find(List<String> names, ValueMatcher matcher, List<String> texts) {
        var found = new ArrayList<Found>();
        for (int text = 0; text < texts.size() && found.isEmpty(); text++) {
            int index = text;
            byte[] bytes = texts.get(text).getBytes(StandardCharsets.UTF_8);
            int _ = matcher.search(
                    bytes,
                    0,
                    bytes.length,
                    (value, form, from, to) -> found.add(new Found(index, names.get(value), form)));
            Arrays.fill(bytes, (byte) 0);
        }
        return found.stream().findFirst();
    }
}
