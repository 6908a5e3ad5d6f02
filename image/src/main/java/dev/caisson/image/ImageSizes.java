package dev.caisson.image;

import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The room that the images of a store take on the disk: layers and statements as they were fetched, and
/// what layers were unpacked to. Each counts once, however many images have it.
public final class ImageSizes {
    private static final String BLOB = "blob ";
    private static final String TREE = "tree ";

    private final Map<String, Long> all;
    private final Map<Digest, Set<String>> parts;

    private ImageSizes(Map<String, Long> all, Map<Digest, Set<String>> parts) {
        this.all = all;
        this.parts = parts;
    }

    static ImageSizes read(ContentStore content, LayerTrees trees) throws IOException {
        var all = new HashMap<String, Long>();
        content.sizes().forEach((name, bytes) -> all.put(BLOB + name, bytes));
        trees.sizes().forEach((name, bytes) -> all.put(TREE + name, bytes));
        var parts = new HashMap<Digest, Set<String>>();
        for (StoredImage image : content.images()) {
            Set<String> own = parts.get(image.manifest());
            if (own == null) {
                own = parts(content, image);
                parts.put(image.manifest(), own);
            }
            own.addAll(beside(content, image));
        }
        return new ImageSizes(all, parts);
    }

    private static Set<String> parts(ContentStore content, StoredImage image) throws IOException {
        var parts = new HashSet<String>();
        try {
            ManifestDocument.Manifest manifest = content.manifest(image);
            parts.add(BLOB + manifest.config().digest().hex());
            manifest.layers().forEach(layer -> parts.add(BLOB + layer.digest().hex()));
            List<Digest> diffIds = content.packedConfig(image).diffIds();
            PackedImage.chainIds(diffIds).forEach(chain -> parts.add(TREE + chain.hex()));
        } catch (ImageException _) {
            // it is damaged: what cannot be read belongs to no image
        }
        return parts;
    }

    /// The same image may be in the store with statements and without.
    private static Set<String> beside(ContentStore content, StoredImage image) throws IOException {
        var parts = new HashSet<String>();
        parts.add(BLOB + image.manifest().hex());
        try {
            content.beside(image).forEach(blob -> parts.add(BLOB + blob.digest().hex()));
        } catch (ImageException _) {
            // as above
        }
        return parts;
    }

    /// Returns the bytes of all that is in the store, also of no image.
    public long all() {
        return bytes(all.keySet());
    }

    /// Returns the bytes that these images have together.
    public long of(Collection<StoredImage> images) {
        return bytes(parts(images));
    }

    /// Returns the bytes of an image that none of the others has.
    public long alone(StoredImage image, Collection<StoredImage> others) {
        Set<String> own = parts(List.of(image));
        own.removeAll(parts(others.stream()
                .filter(other -> !other.manifest().equals(image.manifest()))
                .toList()));
        return bytes(own);
    }

    private Set<String> parts(Collection<StoredImage> images) {
        var of = new HashSet<String>();
        images.forEach(image -> of.addAll(parts.getOrDefault(image.manifest(), Set.of())));
        return of;
    }

    private long bytes(Set<String> of) {
        return of.stream().mapToLong(part -> all.getOrDefault(part, 0L)).sum();
    }
}
