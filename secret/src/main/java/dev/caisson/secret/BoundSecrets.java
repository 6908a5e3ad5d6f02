package dev.caisson.secret;

import dev.caisson.secret.SecretException.Code;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Predicate;

/// Reads the sources that secrets of a store are bound to, and stores what has changed there.
public final class BoundSecrets {
    /// The outcome of reading a source.
    public sealed interface Outcome {
        /// The secret is bound to none, or the source has the value that the store has.
        record Same() implements Outcome {}

        /// The store has another value, as a new version.
        record Changed() implements Outcome {}

        /// The source could not be read, and the secret allows its last value.
        /// @param reason a sentence
        record Last(String reason) implements Outcome {}
    }

    private final SecretStore store;
    private final BoundSource.Trust trust;

    public BoundSecrets(SecretStore store, BoundSource.Trust trust) {
        this.store = store;
        this.trust = trust;
    }

    /// Returns true if the store has secrets that are bound.
    public static boolean any(SecretStore store) {
        return store.list().stream().anyMatch(secret -> secret.source().isPresent());
    }

    /// Reads the source of a secret. Nobody waits for the store meanwhile.
    ///
    /// @param allowed whether the one who will get the value may have it; else nothing is read
    /// @param user who asks, for the log
    /// @throws SecretException SECRET_UNKNOWN; SECRET_SOURCE if the source cannot be read, unless the secret allows
    ///     its last value and that has not expired
    public Outcome refresh(SecretName name, Predicate<SecretAccess> allowed, String user) {
        SecretRecord before = store.find(name);
        Optional<BoundSource> source = before.source();
        if (source.isEmpty() || !allowed.test(before.access())) {
            return new Outcome.Same();
        }
        boolean expired = before.currentVersion().isExpired(Instant.now());
        try (SecretValue value = source.get().read(store, trust, user)) {
            if (!expired && isCurrent(before, value)) {
                return new Outcome.Same();
            }
            return store.renew(before, value, user) ? new Outcome.Changed() : new Outcome.Same();
        } catch (SecretException e) {
            if (source.get().orLast() && !expired) {
                return new Outcome.Last("the secret " + name + " has its last value (" + e.sentence() + ")");
            }
            throw new SecretException(
                    Code.SECRET_SOURCE,
                    "the source of the secret " + name + " gave no value (" + e.sentence() + "): mend it, or give the"
                            + " secret a value of its own by 'caisson secret rotate " + name + "'",
                    e);
        }
    }

    private boolean isCurrent(SecretRecord secret, SecretValue value) {
        try (SecretValue stored = store.readFile(secret.name(), secret.currentVersion())) {
            return stored.isSame(value);
        }
    }
}
