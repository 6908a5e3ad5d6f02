package dev.caisson.engine;

import dev.caisson.image.Digest;
import dev.caisson.image.ImageException;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageStore;
import dev.caisson.image.StoredImage;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Finds images of a store by their ids, which are the digests of their configurations.
record ImageIds(ImageStore store) {
    private static final Pattern ID = Pattern.compile("(?:sha256:)?([0-9a-f]{4,64})");
    /// Fewer digits may be somebody's name, which an image could be made to have an id for.
    private static final Pattern SURE_ID = Pattern.compile("(?:sha256:)?[0-9a-f]{12,64}");

    private static final String LATEST = ":latest";

    /// Finds an image by its name, or by the beginning of its id. Several with one configuration, which differ in how
    /// their layers are compressed, are one image by its id: the last is found.
    StoredImage find(String nameOrId) {
        return named(nameOrId).orElseGet(() -> byId(nameOrId));
    }

    private Optional<StoredImage> named(String name) {
        try {
            return store.find(ImageReference.parse(name));
        } catch (ImageException e) {
            if (ID.matcher(name).matches()) {
                return Optional.empty(); // sha256:…
            }
            throw e;
        }
    }

    /// Returns the name, by its manifest, of an image whose id a reference is; the reference if it is none.
    ImageReference settled(ImageReference reference) {
        String text = reference.toString();
        String id = text.endsWith(LATEST) ? text.substring(0, text.length() - LATEST.length()) : text;
        if (!SURE_ID.matcher(id).matches() || store.find(reference).isPresent()) {
            return reference;
        }
        return candidates(id).isEmpty() ? reference : byId(id).pinned();
    }

    private StoredImage byId(String id) {
        Map<Digest, StoredImage> found = candidates(id);
        if (found.isEmpty()) {
            throw new EngineException(
                    "IMAGE_UNKNOWN",
                    "no image is called, or has an id that begins with " + id + ": see 'caisson images'");
        }
        if (found.size() > 1) {
            throw new EngineException(
                    "IMAGE_AMBIGUOUS", "several images have an id that begins with " + id + ": give more of it");
        }
        return found.values().iterator().next();
    }

    private Map<Digest, StoredImage> candidates(String id) {
        var prefix = ID.matcher(id);
        var found = new LinkedHashMap<Digest, StoredImage>(); // the last of those with one configuration
        if (prefix.matches()) {
            for (StoredImage image : store.images()) {
                try {
                    Digest own = store.describe(image).id();
                    if (own.hex().startsWith(prefix.group(1))) {
                        found.put(own, image);
                    }
                } catch (ImageException e) {
                    // damaged: it has no id to be found by, and hides no other
                }
            }
        }
        return found;
    }
}
