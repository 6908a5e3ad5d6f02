package dev.caisson.engine;

import dev.caisson.gate.HostTrust;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.secret.BoundSecrets;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.StoreStamp;
import dev.caisson.secret.WarmStore;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Gate;
import dev.caisson.spec.SecretFile;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Reads the sources that secrets of containers are bound to before these start, and gives what has changed there to
/// the containers that have it already.
final class SecretSources {
    private static final System.Logger LOG = System.getLogger(SecretSources.class.getName());

    private final EngineOptions options;
    private final WarmStore store;
    /// The store that was seen to have no bound secrets.
    private volatile Optional<StoreStamp> unbound = Optional.empty();

    /// @param store is the caller's to close
    SecretSources(EngineOptions options, WarmStore store) {
        this.options = options;
        this.store = store;
    }

    /// The container that is to start.
    ///
    /// @param image the digest of its image, if that has one
    /// @param label its words in the log of accesses
    record Starting(ContainerSpec spec, Optional<Digest> image, String label) {
        /// Returns a container in the background, whose image is written down with its digest.
        static Starting kept(ContainerSpec spec, String label) {
            return new Starting(
                    spec,
                    spec.image() instanceof Image.Named named
                            ? named.reference().digest()
                            : Optional.empty(),
                    label);
        }

        Set<SecretName> secrets() {
            var names = new LinkedHashSet<SecretName>();
            SecretUpdate.files(spec).stream().map(SecretFile::secret).forEach(names::add);
            GateSecrets.of(spec).stream().map(Gate::secret).forEach(names::add);
            return names;
        }
    }

    /// Reads the sources of all secrets that a container is to have.
    ///
    /// @throws SecretException SECRET_SOURCE if one cannot be read, and those of opening the store
    void refresh(Starting container) throws InterruptedException {
        Set<SecretName> names = container.secrets();
        Optional<StoreStamp> stamp = names.isEmpty() ? Optional.empty() : StoreStamp.of(store.directory());
        if (names.isEmpty() || (stamp.isPresent() && stamp.equals(unbound))) {
            return;
        }
        List<SecretName> changed = store.use(opened -> {
            if (!BoundSecrets.any(opened)) {
                unbound = stamp;
                return List.of();
            }
            return changed(opened, names, container);
        });
        for (SecretName name : changed) {
            deliver(name);
        }
    }

    private static List<SecretName> changed(SecretStore opened, Set<SecretName> names, Starting container) {
        var bound = new BoundSecrets(opened, HostTrust::context);
        var changed = new ArrayList<SecretName>();
        for (SecretName name : names) {
            BoundSecrets.Outcome outcome = bound.refresh(
                    name, access -> SecretFiles.allows(access, container.spec(), container.image()), container.label());
            switch (outcome) {
                case BoundSecrets.Outcome.Same _ -> {}
                case BoundSecrets.Outcome.Changed _ -> changed.add(name);
                case BoundSecrets.Outcome.Last last -> LOG.log(System.Logger.Level.WARNING, last.reason());
            }
        }
        return changed;
    }

    /// Reads the source of one secret for containers that run, if it has expired, and gives them what it has.
    ///
    /// @return true if the store has another version by now
    /// @throws SecretException SECRET_SOURCE, and those of opening the store
    boolean renew(SecretName name, List<SecretRenewals.Holder> holders) throws InterruptedException {
        boolean changed = store.use(opened -> {
            for (SecretRenewals.Holder holder : holders) {
                if (!opened.find(name).currentVersion().isExpired(Instant.now())) {
                    return false; // another engine has read it
                }
                if (!changed(opened, Set.of(name), holder.starting()).isEmpty()) {
                    return true;
                }
            }
            return false;
        });
        if (changed) {
            deliver(name);
        }
        return changed;
    }

    private void deliver(SecretName name) throws InterruptedException {
        List<SecretUpdate.Missed> missed;
        try (SecretStore opened = SecretStore.open(store.directory(), Optional::empty)) {
            missed = SecretUpdate.deliver(name, opened, options);
        }
        missed.forEach(one -> LOG.log(
                System.Logger.Level.WARNING,
                "the secret " + name + " of container " + one.container() + ": " + one.reason()));
    }

    /// Reads the sources of a container in the background before it is started again. A store that is not there, or
    /// locked, is passed over: the container has values, or its start says that it gets none.
    static void refresh(DetachedPlace place) throws InterruptedException {
        EngineOptions options = place.options();
        Optional<ContainerSpec> spec = place.spec();
        if (spec.isEmpty()) {
            return;
        }
        try (var store = new WarmStore(options.data().resolve(SecretStore.DIRECTORY))) {
            new SecretSources(options, store)
                    .refresh(Starting.kept(spec.get(), "container " + place.id().value()));
        } catch (SecretException e) {
            if (e.reason() != SecretException.Code.SECRET_LOCKED
                    && e.reason() != SecretException.Code.SECRET_STORE_MISSING
                    && e.reason() != SecretException.Code.SECRET_UNKNOWN) {
                throw e;
            }
        }
    }
}
