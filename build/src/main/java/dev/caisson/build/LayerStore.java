package dev.caisson.build;

import dev.caisson.build.ConfigDocument.History;
import dev.caisson.engine.Images;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageLayer;
import dev.caisson.image.ImageNotes;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageTree;
import dev.caisson.image.NewLayer;
import dev.caisson.image.StoredImage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The images of a build in the store. The result of each step is an image of its own, named by what it was made of, so
/// that the next build finds it.
final class LayerStore {
    private static final int LARGEST_KNOWN = 1 << 15;
    private static final KnownOfImages<Digest, ConfigDocument> CONFIGS = new KnownOfImages<>(512);

    private final Images images;

    LayerStore(Images images) {
        this.images = images;
    }

    /// Returns a name of a registry whose images no list shows.
    static ImageReference name(String key) {
        return new ImageReference("caisson.local", "build-cache", Optional.of(key), Optional.empty());
    }

    Optional<StoredImage> find(String key) {
        return images.find(name(key));
    }

    /// Finds the result of a step on what it was carried out on. Where another build has carried the step before out
    /// again, one of that name stands on other layers.
    Optional<StoredImage> find(String key, Snapshot before) {
        return find(key).filter(image -> {
            List<String> layers = config(image).diffIds();
            List<String> below =
                    before.image().map(base -> config(base).diffIds()).orElse(List.of());
            return layers.size() == below.size() + 1
                    && layers.subList(0, below.size()).equals(below);
        });
    }

    /// Returns the image as one that containers and trees can be made of, whatever its name comes to mean.
    static Image image(StoredImage image) {
        return new Image.Named(image.pinned());
    }

    ImageTree tree(StoredImage image) {
        return images.tree(image(image));
    }

    ConfigDocument config(StoredImage image) {
        Optional<ConfigDocument> known = CONFIGS.find(image.manifest());
        if (known.isPresent()) {
            return known.get();
        }
        byte[] json = images.config(image);
        ConfigDocument config = ConfigDocument.parse(json);
        if (json.length <= LARGEST_KNOWN) {
            CONFIGS.remember(image.manifest(), config);
        }
        return config;
    }

    List<ImageLayer> layers(StoredImage image) {
        return images.layers(image);
    }

    /// Adds the result of a step that lies outside the store. Its layer alone is taken from there.
    StoredImage take(Snapshot before, RemoteSteps.Found found, String key) {
        CacheDocument.Entry entry = found.entry();
        byte[] config = step(before, List.of(entry.diffId()), entry.created()).toJson();
        return images.shared().take(before.image(), found.cache(), entry.layer(), config, name(key));
    }

    /// Adds the result of a step.
    /// @param before what the step was carried out on
    StoredImage add(Snapshot before, NewLayer layer, String key, Instant created) {
        return images.make(
                before.image(),
                List.of(layer),
                added -> step(before, added, created).toJson(),
                name(key));
    }

    private ConfigDocument step(Snapshot before, List<Digest> added, Instant created) {
        var all = new ArrayList<>(
                before.image().map(image -> config(image).diffIds()).orElse(List.of()));
        added.forEach(digest -> all.add(digest.toString()));
        List<History> history = all.stream()
                .map(_ -> new History(created, "a step of a build", false))
                .toList();
        return new ConfigDocument(
                Settings.scratch(), history, all, created, before.document().platform());
    }

    /// Adds the image that a build ends with.
    StoredImage add(StoredImage files, byte[] config, ImageReference name, ImageNotes notes) {
        return images.make(Optional.of(files), List.of(), _ -> config.clone(), name, notes);
    }

    Digest id(StoredImage image) {
        return images.describe(image).id();
    }

    StoredImage tag(StoredImage image, ImageReference name) {
        return images.tag(image, name);
    }
}
