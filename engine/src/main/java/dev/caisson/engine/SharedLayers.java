package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.CachePlace;
import dev.caisson.image.Digest;
import dev.caisson.image.ImageReference;
import dev.caisson.image.LayerCache;
import dev.caisson.image.LayerCaches;
import dev.caisson.image.StoredImage;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Shares layers of builds with other machines, by registries and directories. None with a stored value of a secret
/// is written or taken.
public final class SharedLayers {
    private final LayerCaches caches;
    private final Consumer<List<StoredImage>> clean;

    /// @param clean fails for images with a stored value
    SharedLayers(LayerCaches caches, Consumer<List<StoredImage>> clean) {
        this.caches = caches;
        this.clean = clean;
    }

    /// Reads what a place has. Its layers are fetched when they are taken.
    /// @throws EngineException with the code of what failed
    public LayerCache open(CachePlace place) {
        present(place, "place");
        return Failures.call(() -> caches.open(place));
    }

    /// Adds an image of one more layer, which is fetched and compared with both of its digests.
    ///
    /// @param base empty for an image of this layer alone
    /// @param config the whole configuration, JSON of the OCI image specification
    /// @param name with a tag; an image that had it stays without a name
    /// @throws EngineException SECRET_IN_IMAGE; with the code of what failed
    public StoredImage take(
            Optional<StoredImage> base, LayerCache from, Digest layer, byte[] config, ImageReference name) {
        present(base, "base");
        present(from, "from");
        present(layer, "layer");
        present(config, "config");
        present(name, "name");
        return Failures.call(() -> caches.take(base, from, layer, config, name, clean));
    }

    /// Writes the last layer of each of these images, and a manifest of them.
    ///
    /// @param configType media type of the configuration
    /// @throws EngineException SECRET_IN_IMAGE; with the code of what failed
    public void write(CachePlace place, String configType, byte[] config, List<StoredImage> images) {
        present(place, "place");
        present(configType, "configType");
        present(config, "config");
        present(images, "images");
        Failures.run(() -> {
            clean.accept(images);
            caches.write(place, configType, config, images);
        });
    }
}
