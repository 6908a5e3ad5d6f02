package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.error.ErrorCode;
import dev.caisson.gate.GateException;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.StoreStamp;
import dev.caisson.spec.ContainerId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Brings new values of secrets to gates that are open: for one thread.
final class GateUpdates {
    private static final System.Logger LOG = System.getLogger(GateUpdates.class.getName());

    private static final Set<ErrorCode> GONE = Set.of(
            SecretException.Code.SECRET_UNKNOWN,
            SecretException.Code.SECRET_DENIED,
            SecretException.Code.SECRET_EXPIRED,
            SecretException.Code.SECRET_STORE_MISSING);

    /// Another process has the store, or gives it another key: each try has waited for it.
    private static final Set<ErrorCode> PASSING = Set.of(SecretException.Code.SECRET_BUSY);

    /// Takes other values of a container's gates.
    interface Replacement {
        void by(String id, GateSecrets former, GateSecrets next);
    }

    private final EngineOptions options;
    private final Replacement replacement;
    private final Consumer<String> end;
    /// The store that was looked into for each container.
    private final Map<String, Optional<StoreStamp>> seen = new HashMap<>();

    /// @param end closes the gates of a container
    GateUpdates(EngineOptions options, Replacement replacement, Consumer<String> end) {
        this.options = options;
        this.replacement = replacement;
        this.end = end;
    }

    /// Reads values again if the store has changed since, or one of them has expired. If the store is busy,
    /// that is tried again with the next look.
    /// @param open gates, by container
    void look(Map<String, GateSecrets> open) throws InterruptedException {
        seen.keySet().retainAll(open.keySet());
        if (open.isEmpty()) {
            return;
        }
        Optional<StoreStamp> stamp = StoreStamp.of(options.data().resolve(SecretStore.DIRECTORY));
        for (Map.Entry<String, GateSecrets> one : open.entrySet()) {
            GateSecrets secrets = one.getValue();
            boolean changed =
                    !seen.computeIfAbsent(one.getKey(), _ -> secrets.stamp()).equals(stamp);
            if ((changed || secrets.isExpired()) && update(one.getKey(), secrets)) {
                seen.put(one.getKey(), stamp);
            }
        }
    }

    /// @return false if it is to be tried again
    private boolean update(String id, GateSecrets former) throws InterruptedException {
        try {
            if (former.isExpired()) {
                former.refresh(options);
            }
            Optional<GateSecrets> found = former.again();
            if (found.isPresent()) {
                try (GateSecrets next = found.get()) {
                    replacement.by(id, former, next);
                }
            }
            return true;
        } catch (CaissonException e) {
            String gates = "the gates of container " + new ContainerId(id).shortForm();
            if (isOneOf(GONE, e) || former.isExpired()) { // that of a locked store too
                LOG.log(System.Logger.Level.DEBUG, gates + " are closed: " + e.sentence()); // whoever removed it knows
                end.accept(id);
                return true;
            }
            if (e instanceof GateException) { // a process that does not take values is ended
                LOG.log(System.Logger.Level.WARNING, gates + " are closed: " + e.sentence());
                return true;
            }
            LOG.log(System.Logger.Level.WARNING, gates + " have the values that they had: " + e.sentence());
            return !isOneOf(PASSING, e);
        }
    }

    private static boolean isOneOf(Set<ErrorCode> codes, CaissonException e) {
        return e instanceof SecretException secret && codes.contains(secret.reason());
    }
}
