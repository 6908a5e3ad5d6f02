package dev.caisson.secret;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/// All values of a store, each version, to be found in bytes: [SecretStore#values]. May be used by many
/// threads.
public final class StoredValues implements AutoCloseable {
    private final List<String> names;
    private final ValueMatcher matcher;
    private final List<String> tooShort;

    private StoredValues(List<String> names, ValueMatcher matcher, List<String> tooShort) {
        this.names = names;
        this.matcher = matcher;
        this.tooShort = tooShort;
    }

    static StoredValues of(List<SecretRecord> secrets, BiFunction<SecretName, SecretVersion, SecretValue> reading) {
        List<String> names = new ArrayList<>();
        List<SecretValue> values = new ArrayList<>();
        List<String> tooShort = new ArrayList<>();
        try {
            for (SecretRecord secret : secrets) {
                for (SecretVersion version : secret.versions()) {
                    SecretValue value = reading.apply(secret.name(), version);
                    values.add(value);
                    String name = secret.name() + "@" + version.number();
                    names.add(name);
                    if (ValueMatcher.isTooShort(value)) {
                        tooShort.add(name);
                    }
                }
            }
            return new StoredValues(List.copyOf(names), ValueMatcher.of(values), List.copyOf(tooShort));
        } finally {
            values.forEach(SecretValue::close);
        }
    }

    /// Reads the versions of a secret that are not current, newest first.
    ///
    /// @param most bytes, which the last one may go beyond
    /// @return values, which are the caller's to close
    static List<SecretValue> former(
            SecretRecord secret, int most, BiFunction<SecretName, SecretVersion, SecretValue> reading) {
        List<SecretValue> values = new ArrayList<>();
        try {
            int room = most;
            for (SecretVersion version : secret.versions().reversed()) {
                if (version.number() != secret.current() && room > 0) {
                    SecretValue value = reading.apply(secret.name(), version);
                    values.add(value);
                    room -= value.size();
                }
            }
            return values;
        } catch (RuntimeException e) {
            values.forEach(SecretValue::close);
            throw e;
        }
    }

    /// Returns the matcher, whose values are those of [#name].
    public ValueMatcher matcher() {
        return matcher;
    }

    /// Returns a value's name and version, such as `db@3`.
    /// @param value as given to [ValueMatcher.Hit]
    public String name(int value) {
        return names.get(value);
    }

    /// Returns the names of the values that are too short to be looked for.
    public List<String> tooShort() {
        return tooShort;
    }

    /// Clears the values.
    @Override
    public void close() {
        matcher.close();
    }
}
