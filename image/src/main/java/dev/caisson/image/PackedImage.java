package dev.caisson.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An image as a list of packed layers, wherever they lie.
///
/// @param id of its manifest, or of its configuration where it has no manifest
/// @param layers lowest first
record PackedImage(Digest id, ImageConfig config, List<String> healthCheck, List<PackedLayer> layers) {
    PackedImage {
        layers = List.copyOf(layers);
    }

    /// One layer: a tar archive, maybe compressed.
    ///
    /// @param diffId of the archive when uncompressed
    /// @param packed of the bytes as they lie there, where the image tells
    /// @param place of these bytes in the image, by which a layer that is listed twice is known
    /// @param size in bytes, as they lie there
    record PackedLayer(Digest diffId, Optional<Digest> packed, String place, long size, Opening opening) {}

    /// Opens a layer's bytes.
    @FunctionalInterface
    interface Opening {
        FileSlice open() throws IOException;
    }

    /// Opens each layer, bounded as when it is unpacked, and compares it with its digest.
    void readLayers(LayerUse use) {
        var budget = UnpackBudget.of(this);
        for (int index = 0; index < layers.size(); index++) {
            PackedLayer layer = layers.get(index);
            try (var archive = new LayerStream(layer.opening().open(), budget)) {
                use.layer(index, archive);
                archive.verify(layer);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /// Names what the layers unpack to and nothing else: the OCI image specification's ChainID.
    Digest chainId() {
        return chainId(layers.size());
    }

    /// Names what the lowest of the layers unpack to.
    /// @param count how many
    Digest chainId(int count) {
        return chainIds(layers.subList(0, count).stream()
                        .map(PackedLayer::diffId)
                        .toList())
                .getLast();
    }

    /// Returns the names for one layer, the lowest, for two, and so on.
    static List<Digest> chainIds(List<Digest> diffIds) {
        var chain = new ArrayList<Digest>();
        for (Digest diffId : diffIds) {
            chain.add(
                    chain.isEmpty()
                            ? diffId
                            : Digest.of((chain.getLast() + " " + diffId).getBytes(StandardCharsets.UTF_8)));
        }
        return chain;
    }
}
