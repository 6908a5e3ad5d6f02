package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.StoreStamp;
import dev.caisson.secret.WarmStore;
import dev.caisson.spec.ContainerId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Reads the sources of bound secrets again when their versions expire, for containers that run: those of this
/// engine, and those in the background of its directories. A source that cannot be read is tried again, less
/// and less often, and the containers have the value that they had meanwhile.
final class SecretRenewals implements AutoCloseable {
    /// A container that runs.
    record Holder(ContainerId id, String name, SecretSources.Starting starting) {}

    static final String ACTION = "secret_stale";
    /// About eight hours.
    static final int MOST_TRIES = 100;

    private static final System.Logger LOG = System.getLogger(SecretRenewals.class.getName());
    private static final Duration LOOKED_EACH = Duration.ofSeconds(1);
    private static final Duration UNUSED = Duration.ofSeconds(10);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);
    private static final int MOST_REASON = 200;

    /// The version of a secret that a source is to replace.
    private record Version(SecretName secret, String id, int number, Instant expires) {}

    /// The tries to read the source in place of one version. Used under the lock of the renewals.
    private static final class Tries {
        private int failed;
        private long next = System.nanoTime();
        private boolean reading;
    }

    private final EngineOptions options;
    private final WarmStore store;
    private final SecretSources sources;
    private final List<Supplier<List<Holder>>> runs = new ArrayList<>();
    private final Map<Version, Tries> bound = new HashMap<>();
    private Optional<StoreStamp> seen = Optional.empty();
    private @Nullable Thread looking;
    private boolean closed;

    /// @param store is the caller's to close
    SecretRenewals(EngineOptions options, WarmStore store, SecretSources sources) {
        this.options = options;
        this.store = store;
        this.sources = sources;
    }

    /// Adds the containers that this engine runs, and begins to look, if there is a store.
    synchronized void of(Supplier<List<Holder>> own) {
        runs.add(own);
        if (StoreStamp.of(store.directory()).isPresent()) {
            begin();
        }
    }

    synchronized void begin() {
        if (looking == null && !closed) {
            looking =
                    Thread.ofPlatform().daemon().name("caisson secret renewal").start(this::look);
        }
    }

    private void look() {
        try {
            while (true) {
                Thread.sleep(LOOKED_EACH);
                try {
                    lookOnce();
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.WARNING, "secrets that expire are looked for again", e);
                }
            }
        } catch (InterruptedException e) {
            // it is closed
        }
    }

    private void lookOnce() {
        Optional<StoreStamp> stamp = StoreStamp.of(store.directory());
        if (!stamp.equals(seen)) {
            try {
                take(stamp.isEmpty() ? List.of() : store.use(SecretRenewals::expiring));
            } catch (SecretException e) {
                if (e.reason() == SecretException.Code.SECRET_BUSY) {
                    return; // it is looked again
                }
                take(List.of()); // locked, or gone: another stamp says that it is not any more
            }
            seen = stamp;
        }
        due().forEach(this::begin);
    }

    private static List<Version> expiring(SecretStore opened) {
        var versions = new ArrayList<Version>();
        for (SecretRecord secret : opened.list()) {
            if (secret.source().isPresent()) {
                secret.currentVersion()
                        .expires()
                        .ifPresent(expires ->
                                versions.add(new Version(secret.name(), secret.id(), secret.current(), expires)));
            }
        }
        return versions;
    }

    private synchronized void take(List<Version> versions) {
        bound.keySet().retainAll(versions);
        versions.forEach(version -> bound.putIfAbsent(version, new Tries()));
    }

    private synchronized List<Version> due() {
        Instant now = Instant.now();
        return bound.entrySet().stream()
                .filter(one -> !now.isBefore(one.getKey().expires()))
                .filter(one -> !one.getValue().reading && System.nanoTime() - one.getValue().next >= 0)
                .map(Map.Entry::getKey)
                .toList();
    }

    /// Reads a source, for which no other waits.
    private void begin(Version version) {
        List<Holder> holders = holders(version.secret());
        synchronized (this) {
            Tries tries = bound.get(version);
            if (tries == null || closed) {
                return;
            }
            if (holders.isEmpty()) { // the next start reads it
                tries.next = System.nanoTime() + UNUSED.toNanos();
                return;
            }
            tries.reading = true;
        }
        Thread.ofPlatform().daemon().name("caisson secret source").start(() -> read(version, holders));
    }

    private List<Holder> holders(SecretName secret) {
        var all = new ArrayList<Holder>();
        List<Supplier<List<Holder>>> own;
        synchronized (this) {
            own = List.copyOf(runs);
        }
        own.forEach(one -> all.addAll(one.get()));
        for (DetachedPlace place : DetachedPlace.all(options)) {
            KeptSpec.of(place.id(), options)
                    .map(spec -> SecretSources.Starting.kept(
                            spec, "container " + place.id().value()))
                    .filter(starting -> starting.secrets().contains(secret) && mayRun(place))
                    .ifPresent(starting -> all.add(new Holder(place.id(), place.name(), starting)));
        }
        return all.stream()
                .filter(holder -> holder.starting().secrets().contains(secret))
                .toList();
    }

    /// True if it runs, or does not say.
    private static boolean mayRun(DetachedPlace place) {
        try {
            return new DetachedContainer(place).state().isUp();
        } catch (CaissonException e) {
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void read(Version version, List<Holder> holders) {
        Optional<String> failure = Optional.empty();
        boolean changed = false;
        try {
            changed = sources.renew(version.secret(), holders);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (CaissonException e) {
            failure = Optional.of(e.sentence());
        } catch (RuntimeException | Error e) {
            failure = Optional.of(e.toString());
            throw e;
        } finally {
            finish(version, holders, changed, failure);
        }
    }

    private void finish(Version version, List<Holder> holders, boolean changed, Optional<String> failure) {
        int failed;
        synchronized (this) {
            Tries tries = bound.get(version);
            if (tries == null) {
                return;
            }
            tries.reading = false;
            if (failure.isEmpty()) {
                tries.next = System.nanoTime() + UNUSED.toNanos(); // until the store's stamp says what it has
                return;
            }
            failed = ++tries.failed;
            tries.next = System.nanoTime()
                    + (failed < MOST_TRIES
                            ? pause(failed).toNanos()
                            : Duration.ofDays(36_500).toNanos());
        }
        if (!changed && (failed == 1 || failed == MOST_TRIES)) {
            note(version, holders, failure.get(), failed);
        }
    }

    /// Returns how long to wait after some failures in a row.
    static Duration pause(int failed) {
        Duration doubled = LOOKED_EACH.multipliedBy(1L << Math.min(failed - 1, 16));
        return doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }

    /// Says what a container that runs has still, and why.
    private void note(Version version, List<Holder> holders, String failure, int failed) {
        String reason = failure.length() > MOST_REASON ? failure.substring(0, MOST_REASON) + "…" : failure;
        for (Holder holder : holders) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "container " + holder.name() + " has an expired value of the secret " + version.secret()
                            + (failed < MOST_TRIES
                                    ? ", whose source is tried again: "
                                    : ", and its source is given up: ")
                            + failure);
            Map<String, String> more = Map.of("secret", version.secret().text(), "reason", reason);
            LifeEvents.note(
                    options,
                    holder.id(),
                    ACTION,
                    DetachedPlace.find(holder.id().value(), options)
                            .map(place -> LifeEvents.attributes(place, more))
                            .orElse(more));
        }
    }

    /// Looks no more. A source that is being read is read to its end, and its value brought to the containers.
    @Override
    public synchronized void close() {
        closed = true;
        if (looking != null) {
            looking.interrupt();
            looking = null;
        }
    }
}
