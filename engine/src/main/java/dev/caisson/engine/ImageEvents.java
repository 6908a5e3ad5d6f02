package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageStore;
import dev.caisson.image.StoredImage;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Notes what is done with the images of a store. Results of steps of builds, which no list shows, are not noted.
record ImageEvents(EngineOptions options, ImageStore store) {
    private static final String HIDDEN = "caisson.local/";

    StoredImage pulled(ImageReference reference, StoredImage image) {
        note("pull", reference.toString(), image, with(labels(image), reference.shortRepository()));
        return image;
    }

    void pushed(StoredImage image) {
        note("push", image.name(), image, with(labels(image), image.name()));
    }

    StoredImage tagged(StoredImage image) {
        return told("tag", image);
    }

    StoredImage told(String action, StoredImage image) {
        note(action, id(image), image, with(labels(image), image.name()));
        return image;
    }

    /// Carries out a removal, and notes names and images that are gone by it.
    void removing(List<StoredImage> images, Runnable removal) {
        Map<StoredImage, String> ids = new HashMap<>();
        Map<StoredImage, Map<String, String>> labels = new HashMap<>();
        images.forEach(image -> {
            ids.put(image, id(image));
            labels.put(image, labels(image));
        });
        removal.run();
        Set<String> left = store.images().stream()
                .map(image -> image.manifest().toString())
                .collect(Collectors.toSet());
        for (StoredImage image : images) {
            String id = ids.getOrDefault(image, "");
            Map<String, String> own = labels.getOrDefault(image, Map.of());
            if (image.tag().isPresent()) {
                note("untag", id, image, with(own, image.name()));
            }
            if (left.add(image.manifest().toString())) {
                note("delete", id, image, with(own, id));
            }
        }
    }

    private void note(String action, String id, StoredImage image, Map<String, String> attributes) {
        if (!image.repository().startsWith(HIDDEN)) {
            LifeEvents.note(options, LifeEvent.Kind.IMAGE, action, id, attributes);
        }
    }

    private static Map<String, String> with(Map<String, String> labels, String name) {
        var attributes = new LinkedHashMap<String, String>();
        attributes.put("name", name);
        labels.forEach(attributes::putIfAbsent);
        return attributes;
    }

    /// Returns the image's id, or the digest of its manifest if it is damaged.
    private String id(StoredImage image) {
        try {
            return store.describe(image).id().toString();
        } catch (CaissonException e) {
            return image.manifest().toString();
        }
    }

    private Map<String, String> labels(StoredImage image) {
        try {
            return store.describe(image).config().labels();
        } catch (CaissonException e) {
            return Map.of(); // it is damaged, or gone
        }
    }
}
