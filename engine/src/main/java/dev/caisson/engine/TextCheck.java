package dev.caisson.engine;

import dev.caisson.secret.SecretStore;
import dev.caisson.secret.StoreStamp;
import dev.caisson.secret.TextSieve;
import dev.caisson.secret.WarmStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Refuses texts that have a stored value. To read all values takes longer than a launch, so a store that has not
/// changed since is read again only for texts that may have one.
final class TextCheck implements AutoCloseable {
    private record Known(StoreStamp stamp, TextSieve sieve) {}

    /// Opening a store that is locked may run a program, which may hang: at most so large a part of the time.
    private static final int PART_OF_TIME = 10;

    private static final Duration LONGEST_REST = Duration.ofMinutes(5);

    private final Path directory;
    private final WarmStore store;
    private @Nullable Known known;
    private Optional<StoreStamp> lockedAs = Optional.empty();
    private long lockedUntil;
    private boolean closed;

    /// @param directory of the store, which need not exist
    TextCheck(Path directory) {
        this.directory = directory;
        this.store = new WarmStore(directory);
    }

    Path directory() {
        return directory;
    }

    /// Returns the store, which stays open between launches.
    WarmStore store() {
        return store;
    }

    /// True if only the store can say that the texts have no value, and it is not known to be locked.
    boolean needsStore(SpecTexts texts) {
        return !texts.isEmpty() && isOpen(texts);
    }

    private synchronized boolean isOpen(SpecTexts texts) {
        Optional<StoreStamp> stamp = StoreStamp.of(directory);
        boolean locked = lockedAs.isPresent() && stamp.equals(lockedAs) && System.nanoTime() - lockedUntil < 0;
        return !locked && (!isCurrent(stamp) || !isRuledOut(texts));
    }

    /// Takes that the store is locked, and how long it took to find out: for ten times as long nothing is compared,
    /// unless the store is unlocked or changed meanwhile.
    synchronized void wasLocked(Duration took) {
        Duration rest = took.multipliedBy(PART_OF_TIME);
        lockedAs = StoreStamp.of(directory);
        lockedUntil = System.nanoTime() + (rest.compareTo(LONGEST_REST) < 0 ? rest : LONGEST_REST).toNanos();
    }

    /// @throws EngineException SECRET_IN_SPEC if one has a value
    void requireClean(SpecTexts texts, SecretStore store) {
        if (!isRuledOut(texts, store)) {
            texts.requireClean(store); // decrypts all values, for which no other launch waits
        }
    }

    /// Reads the store if it has changed; other launches wait for that, as all need it.
    private synchronized boolean isRuledOut(SpecTexts texts, SecretStore store) {
        Optional<StoreStamp> stamp = StoreStamp.of(directory); // before it is read, so that it is never newer
        if (!isCurrent(stamp) && !closed) {
            forget();
            known = stamp.map(of -> new Known(of, TextSieve.of(store))).orElse(null);
        }
        return isRuledOut(texts);
    }

    private boolean isCurrent(Optional<StoreStamp> stamp) {
        return known != null && stamp.equals(Optional.of(known.stamp()));
    }

    private boolean isRuledOut(SpecTexts texts) {
        Known last = known;
        return texts.isEmpty() || (last != null && texts.noneIn(last.sieve()));
    }

    private void forget() {
        if (known != null) {
            known.sieve().close();
            known = null;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        forget();
        store.close();
    }
}
