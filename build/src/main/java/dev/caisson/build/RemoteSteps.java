package dev.caisson.build;

import dev.caisson.build.CacheDocument.Entry;
import dev.caisson.engine.SharedLayers;
import dev.caisson.error.CaissonException;
import dev.caisson.image.CachePlace;
import dev.caisson.image.LayerCache;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Results of steps in places outside the store. A place that cannot be read is a warning: the steps are carried out.
final class RemoteSteps implements AutoCloseable {
    private final List<LayerCache> opened = new ArrayList<>();
    private final Map<String, Found> results = new HashMap<>();

    /// A result, and where it is.
    record Found(Entry entry, LayerCache cache, CachePlace place) {}

    /// @param places the first that has a result is the one that it is taken from
    static RemoteSteps open(List<CachePlace> places, SharedLayers layers, BuildListener listener) {
        var all = new RemoteSteps();
        for (CachePlace place : places) {
            try {
                all.add(place, layers, listener);
            } catch (CaissonException e) {
                listener.warns("no result of a step is taken from " + place + ": " + sentence(e));
            }
        }
        return all;
    }

    static String sentence(CaissonException e) {
        return e instanceof BuildException failed ? failed.problem() : e.sentence();
    }

    private void add(CachePlace place, SharedLayers layers, BuildListener listener) {
        LayerCache cache = layers.open(place);
        opened.add(cache);
        Optional<List<Entry>> entries = CacheDocument.read(cache);
        if (entries.isEmpty()) {
            listener.warns(place + " names no results of steps: build it by caisson with --cache-to type=inline");
        }
        entries.orElse(List.of()).forEach(entry -> results.putIfAbsent(entry.key(), new Found(entry, cache, place)));
    }

    Optional<Found> find(String key) {
        return Optional.ofNullable(results.get(key));
    }

    @Override
    public void close() {
        opened.forEach(LayerCache::close);
    }
}
