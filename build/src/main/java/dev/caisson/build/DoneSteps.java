package dev.caisson.build;

import dev.caisson.build.CacheDocument.Entry;
import dev.caisson.engine.SharedLayers;
import dev.caisson.image.CachePlace;
import dev.caisson.image.ImageLayer;
import dev.caisson.image.StoredImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/// The results of the steps of one build, for caches outside the store.
final class DoneSteps {
    private final LayerStore store;
    private final List<Done> all = new ArrayList<>();

    private record Done(int stage, String key, StoredImage image) {}

    DoneSteps(LayerStore store) {
        this.store = store;
    }

    synchronized void add(int stage, String key, StoredImage image) {
        all.add(new Done(stage, key, image));
    }

    /// @param stages whose steps are taken
    private synchronized Map<String, StoredImage> results(Predicate<Integer> stages) {
        var results = new TreeMap<String, StoredImage>();
        all.stream().filter(done -> stages.test(done.stage())).forEach(done -> results.put(done.key(), done.image()));
        return results;
    }

    private Entry entry(String key, StoredImage image) {
        ImageLayer layer = store.layers(image).getLast();
        return new Entry(key, layer.blob(), layer.diffId(), store.config(image).created());
    }

    /// Returns what an image of these layers says of them.
    /// @param stages those that the image's layers come from
    List<Entry> of(Set<Integer> stages, List<String> diffIds) {
        var entries = new ArrayList<Entry>();
        results(stages::contains).forEach((key, image) -> {
            Entry entry = entry(key, image);
            if (diffIds.contains(entry.diffId().toString())) {
                entries.add(entry);
            }
        });
        return entries;
    }

    /// Writes them to a place.
    void write(CachePlace place, Predicate<Integer> stages, SharedLayers layers) {
        Map<String, StoredImage> results = results(stages);
        var entries = new ArrayList<Entry>();
        results.forEach((key, image) -> entries.add(entry(key, image)));
        layers.write(place, CacheDocument.TYPE, CacheDocument.write(entries), List.copyOf(results.values()));
    }
}
