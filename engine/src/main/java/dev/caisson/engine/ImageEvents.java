package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageDescription;
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

    /// What is told of an image.
    ///
    /// @param id the digest of its manifest if it is damaged
    private record Described(String id, Map<String, String> labels) {
        static final Described NONE = new Described("", Map.of());
    }

    StoredImage pulled(ImageReference reference, StoredImage image) {
        if (isShown(image)) {
            note("pull", reference.toString(), with(describe(image).labels(), reference.shortRepository()));
        }
        return image;
    }

    void pushed(StoredImage image) {
        if (isShown(image)) {
            note("push", image.name(), with(describe(image).labels(), image.name()));
        }
    }

    StoredImage tagged(StoredImage image) {
        return told("tag", image);
    }

    StoredImage told(String action, StoredImage image) {
        if (isShown(image)) {
            Described told = describe(image);
            note(action, told.id(), with(told.labels(), image.name()));
        }
        return image;
    }

    /// Carries out a removal, and notes names and images that are gone by it.
    void removing(List<StoredImage> images, Runnable removal) {
        var described = new HashMap<StoredImage, Described>();
        images.forEach(image -> described.put(image, describe(image)));
        removal.run();
        Set<String> left = store.images().stream()
                .map(image -> image.manifest().toString())
                .collect(Collectors.toSet());
        for (StoredImage image : images) {
            Described told = described.getOrDefault(image, Described.NONE);
            if (image.tag().isPresent() && isShown(image)) {
                note("untag", told.id(), with(told.labels(), image.name()));
            }
            if (left.add(image.manifest().toString()) && isShown(image)) {
                note("delete", told.id(), with(told.labels(), told.id()));
            }
        }
    }

    private static boolean isShown(StoredImage image) {
        return !image.repository().startsWith(HIDDEN);
    }

    private void note(String action, String id, Map<String, String> attributes) {
        LifeEvents.note(options, LifeEvent.Kind.IMAGE, action, id, attributes);
    }

    private static Map<String, String> with(Map<String, String> labels, String name) {
        var attributes = new LinkedHashMap<String, String>();
        attributes.put("name", name);
        labels.forEach(attributes::putIfAbsent);
        return attributes;
    }

    private Described describe(StoredImage image) {
        try {
            ImageDescription found = store.describe(image);
            return new Described(found.id().toString(), found.config().labels());
        } catch (CaissonException e) { // it is damaged, or gone
            return new Described(image.manifest().toString(), Map.of());
        }
    }
}
