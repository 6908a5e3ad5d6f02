package dev.caisson.engine;

import dev.caisson.secret.SecretStore;
import dev.caisson.secret.StoreStamp;
import dev.caisson.secret.TextSieve;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Refuses texts that have a stored value. To open a store takes longer than a launch, so one that has not changed
/// since
/// it was read is opened again only for texts that may have a value.
final class TextCheck implements AutoCloseable {
    private record Known(StoreStamp stamp, TextSieve sieve) {}

    private final Path directory;
    private @Nullable Known known;
    private boolean closed;

    /// @param directory of the store, which need not exist
    TextCheck(Path directory) {
        this.directory = directory;
    }

    Path directory() {
        return directory;
    }

    /// True if only the store can say that the texts have no value.
    synchronized boolean needsStore(SpecTexts texts) {
        return !texts.isEmpty() && (!isCurrent(StoreStamp.of(directory)) || !isRuledOut(texts));
    }

    /// @throws EngineException SECRET_IN_SPEC if one has a value
    synchronized void requireClean(SpecTexts texts, SecretStore store) {
        Optional<StoreStamp> stamp = StoreStamp.of(directory); // before it is read, so that it is never newer
        if (!isCurrent(stamp) && !closed) {
            forget();
            known = stamp.map(of -> new Known(of, TextSieve.of(store))).orElse(null);
        }
        if (!isRuledOut(texts)) {
            texts.requireClean(store);
        }
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
    }
}
