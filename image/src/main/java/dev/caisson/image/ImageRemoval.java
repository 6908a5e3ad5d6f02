package dev.caisson.image;

import dev.caisson.linux.ErrnoException;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/// Takes images, and what only they have, away from a store.
record ImageRemoval(ContentStore content, LayerTrees trees, SnapshotStore snapshots) {
    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    /// Takes images off the list, with the blobs and unpacked layers that no other image has.
    void remove(Set<StoredImage> images) throws IOException {
        Set<Digest> layers = chains(images);
        takeOff(images, layers);
        layers.removeAll(chains(content.images()));
        trees.remove(layers, snapshots::needs);
    }

    /// A full disk may have no room for a shorter list: what is nobody's goes first then, and what is the images' own.
    private void takeOff(Set<StoredImage> images, Set<Digest> layers) throws IOException {
        List<StoredImage> left = content.images().stream()
                .filter(image -> !images.contains(image))
                .toList();
        Iterator<Step> room = List.<Step>of(
                        content::removeLeft,
                        () -> {
                            layers.removeAll(chains(left));
                            trees.remove(layers, snapshots::needs); // these can be unpacked again
                        },
                        () -> content.removeLayers(images))
                .iterator();
        while (true) {
            try {
                content.remove(images);
                return;
            } catch (ErrnoException e) {
                if (!StoreFailures.isFull(e) || !room.hasNext()) {
                    throw e;
                }
                room.next().run();
            }
        }
    }

    /// Removes blobs and unpacked layers that no image has and nobody has open.
    void removeUnused() throws IOException {
        content.removeLeft();
        Set<Digest> layers = trees.keys();
        layers.removeAll(chains(content.images()));
        trees.remove(layers, snapshots::needs);
    }

    /// Returns what the layers of images are unpacked under. A damaged image names none: its layers are
    /// unpacked again once it is repaired.
    private Set<Digest> chains(Collection<StoredImage> images) throws IOException {
        var chains = new HashSet<Digest>();
        for (StoredImage image : images) {
            try {
                chains.addAll(PackedImage.chainIds(content.packedConfig(image).diffIds()));
            } catch (ImageException _) {
                // it is damaged
            }
        }
        return chains;
    }
}
