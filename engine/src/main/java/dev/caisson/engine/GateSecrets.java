package dev.caisson.engine;

import dev.caisson.gate.GateServer;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.StoreStamp;
import dev.caisson.secret.WarmStore;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Gate;
import dev.caisson.spec.Network;
import dev.caisson.spec.Placement;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The values of one container's gates, read before anything is changed for it; and the log of their use.
final class GateSecrets implements AutoCloseable {
    /// The container that they were read for.
    private record Wanted(Path data, ContainerSpec spec, Optional<Digest> image, String container) {}

    /// A version of a secret, and who may have it; the id tells it from one of a secret that had its name before.
    private record Version(String id, int number, SecretAccess access, Optional<Instant> expires) {
        static Version present(SecretStore store, SecretName name) {
            SecretRecord secret = store.find(name);
            return new Version(
                    secret.id(),
                    secret.current(),
                    secret.access(),
                    secret.currentVersion().expires());
        }
    }

    private final List<GateServer.Valued> values = new ArrayList<>();
    private final List<Version> versions = new ArrayList<>();
    private final Wanted wanted;
    private final Optional<StoreStamp> stamp;

    private GateSecrets(Wanted wanted, Optional<StoreStamp> stamp) {
        this.wanted = wanted;
        this.stamp = stamp;
    }

    private static Path store(Path data) {
        return data.resolve(SecretStore.DIRECTORY);
    }

    static List<Gate> of(ContainerSpec spec) {
        return switch (spec.network()) {
            case Network.None _, Network.OfContainer _, Network.Host _ -> List.of();
            case Network.Joined joined -> joined.gates();
        };
    }

    /// Reads the current versions, and refuses those that no request can have. The store is opened only if the spec has
    /// gates.
    ///
    /// @param image its digest, if it has one
    /// @param container for the log of accesses
    /// @throws dev.caisson.secret.SecretException SECRET_STORE_MISSING, SECRET_LOCKED, SECRET_UNKNOWN,
    ///     SECRET_DENIED, SECRET_EXPIRED, SECRET_TAMPERED
    static GateSecrets read(Path data, ContainerSpec spec, Optional<Digest> image, String container) {
        var read = new GateSecrets(new Wanted(data, spec, image, container), StoreStamp.of(store(data)));
        List<Gate> gates = of(spec);
        if (gates.isEmpty()) {
            return read;
        }
        try (SecretStore store = SecretStore.open(store(data), Optional::empty)) {
            for (Gate gate : gates) {
                read.versions.add(Version.present(store, gate.secret()));
                SecretValue value =
                        store.deliver(gate.secret(), access -> SecretFiles.allows(access, spec, image), container);
                read.values.add(new GateServer.Valued(gate, value));
                GateServer.require(gate, value);
            }
            return read;
        } catch (RuntimeException | Error e) {
            read.close();
            throw e;
        }
    }

    /// The same for a container in the background, whose image is written down with its digest.
    static GateSecrets read(Path data, ContainerSpec kept, String container) {
        return read(
                data,
                kept,
                kept.image() instanceof Image.Named named ? named.reference().digest() : Optional.empty(),
                container);
    }

    List<Gate> gates() {
        return of(wanted.spec());
    }

    Placement placement() {
        return wanted.spec().placement();
    }

    /// Returns the store as it was before they were read.
    Optional<StoreStamp> stamp() {
        return stamp;
    }

    /// True if one of them has expired; also after [#close].
    boolean isExpired() {
        Instant now = Instant.now();
        return versions.stream()
                .flatMap(version -> version.expires().stream())
                .anyMatch(expires -> !now.isBefore(expires));
    }

    /// Reads the sources that they are bound to.
    /// @throws dev.caisson.secret.SecretException SECRET_SOURCE, and those of opening the store
    void refresh(EngineOptions options) throws InterruptedException {
        try (var warm = new WarmStore(store(wanted.data()))) {
            new SecretSources(options, warm)
                    .refresh(new SecretSources.Starting(wanted.spec(), wanted.image(), wanted.container()));
        }
    }

    /// Reads them again if the store hands out other versions by now, or to others, or one has expired;
    /// also after [#close].
    /// @throws dev.caisson.secret.SecretException as [#read]
    Optional<GateSecrets> again() {
        try (SecretStore store = SecretStore.open(store(wanted.data()), Optional::empty)) {
            List<Version> present = of(wanted.spec()).stream()
                    .map(gate -> Version.present(store, gate.secret()))
                    .toList();
            if (present.equals(versions) && !isExpired()) {
                return Optional.empty();
            }
        }
        return Optional.of(anew());
    }

    /// Reads them again; also after [#close].
    /// @throws dev.caisson.secret.SecretException as [#read]
    GateSecrets anew() {
        return read(wanted.data(), wanted.spec(), wanted.image(), wanted.container());
    }

    /// Returns the same once more, with values of its own.
    GateSecrets copy() {
        var copy = new GateSecrets(wanted, stamp);
        copy.versions.addAll(versions);
        copy.values.addAll(copies());
        return copy;
    }

    /// Returns copies of the values, which are the caller's to close.
    List<GateServer.Valued> copies() {
        var copies = new ArrayList<GateServer.Valued>();
        for (GateServer.Valued one : values) {
            byte[] bytes = one.value().copy();
            try {
                copies.add(new GateServer.Valued(one.gate(), SecretValue.of(bytes)));
            } catch (RuntimeException | Error e) {
                copies.forEach(copied -> copied.value().close());
                throw e;
            } finally {
                Arrays.fill(bytes, (byte) 0);
            }
        }
        return copies;
    }

    /// Logs that a value was put into requests.
    static void note(Path data, SecretName secret, String user) {
        try (SecretStore store = SecretStore.open(store(data), Optional::empty)) {
            store.read(secret, Optional.empty(), "use", user).close();
        }
    }

    /// Clears the values.
    @Override
    public void close() {
        values.forEach(one -> one.value().close());
    }
}
