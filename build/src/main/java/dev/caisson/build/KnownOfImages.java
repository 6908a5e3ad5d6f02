package dev.caisson.build;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Remembers what was found in images of the store, also for the next build: what a digest names does not change. A
/// bounded number of things, those that were asked for last. Used by the threads of all builds.
///
/// @param <K> a thing's place, with the digest of its image
/// @param <V> what was found
final class KnownOfImages<K, V> {
    private static final float LOAD = 0.75f;

    private final Map<K, V> known;

    /// @param most things that are remembered
    KnownOfImages(int most) {
        this.known = new LinkedHashMap<>(16, LOAD, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > most;
            }
        };
    }

    synchronized Optional<V> find(K key) {
        return Optional.ofNullable(known.get(key));
    }

    synchronized void remember(K key, V found) {
        known.put(key, found);
    }
}
