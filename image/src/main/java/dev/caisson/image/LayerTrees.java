package dev.caisson.image;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// One tree per layer, shared by all images that have the same layers up to there: what the layer adds to those
/// below, in the form of the kernel's overlay. The kernel makes it: a layer is unpacked into an overlay whose
/// lower directories are the trees below and whose upper one is the new tree, so that links, whiteouts and names
/// mean what they mean in the whole image.
///
/// The lowest layers of an image with very many are one tree.
final class LayerTrees implements AutoCloseable {
    /// Trees of one image at most: each is a mount at a launch, and one more directory for the kernel to look
    /// into.
    static final int MOST_TREES = 32;
    /// Where the lowest layers end that are one tree, so that images of different length share it.
    private static final int STEP = 16;

    private static final int MOST_TRIES = 5;
    static final String USED = "trusted.caisson.used";
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;

    private final StoreDirectory trees;
    private final StoreDirectory merged;
    private final boolean isPossible;

    /// @param trees gets those of single layers
    /// @param merged has those of several layers in one
    LayerTrees(StoreDirectory trees, StoreDirectory merged) {
        this.trees = trees;
        this.merged = merged;
        this.isPossible = trees.takesTrusted();
    }

    /// Unpacks what is missing.
    /// @return topmost first
    List<Layer> obtain(PackedImage image, ProgressListener listener) {
        if (isPossible) {
            Optional<List<Layer>> layers = eachItsOwn(image, listener);
            if (layers.isPresent()) {
                return layers.orElseThrow();
            }
        }
        return List.of(merged(image, image.layers().size(), listener));
    }

    /// Returns how many of the lowest layers are one tree.
    static int lowest(int layers) {
        return layers <= MOST_TREES ? 1 : Math.ceilDiv(layers + 1 - MOST_TREES, STEP) * STEP;
    }

    /// Empty if the kernel makes no overlay here.
    private Optional<List<Layer>> eachItsOwn(PackedImage image, ProgressListener listener) {
        var held = new ArrayList<Fd>();
        try {
            var layers = new ArrayList<Layer>();
            for (int count = lowest(image.layers().size());
                    count <= image.layers().size();
                    count++) {
                layers.add(hold(image, count, held, listener));
            }
            return Optional.of(layers.reversed());
        } catch (OverlayRefusedException e) {
            return Optional.empty();
        } finally {
            held.forEach(Fd::close);
        }
    }

    /// Finds or makes the tree of one layer, and opens it before somebody removes it.
    /// @param held those of the layers below, lowest first; gets this one
    private Layer hold(PackedImage image, int number, List<Fd> held, ProgressListener listener) {
        for (int tries = 1; ; tries++) {
            Layer layer = held.isEmpty() && number > 1
                    ? merged(image, number, listener)
                    : trees.obtain(
                            image.chainId(number),
                            (tree, work) -> unpack(image, number, tree, work, held.reversed(), listener));
            try {
                held.add(layer.open());
                return layer;
            } catch (ImageException e) {
                if (tries == MOST_TRIES) {
                    throw e;
                }
            }
        }
    }

    private Layer merged(PackedImage image, int layers, ProgressListener listener) {
        return merged.obtain(image.chainId(layers), (tree, _) -> fill(image, layers, tree, listener));
    }

    private void fill(PackedImage image, int layers, Fd tree, ProgressListener listener) {
        UnpackBudget budget = UnpackBudget.of(image);
        try (var unpacker = new LayerUnpacker(tree, budget, LayerUnpacker.Ownership.ARCHIVE)) {
            for (int number = 1; number <= layers; number++) {
                apply(image, number, unpacker, budget, listener);
            }
            unpacker.finish();
        }
        if (isPossible) {
            ExtendedAttributes.set(tree, USED, budget.used());
        }
    }

    /// @param below the trees of the layers below, topmost first
    private static void unpack(
            PackedImage image, int number, Fd tree, Fd work, List<Fd> below, ProgressListener listener) {
        UnpackBudget budget = UnpackBudget.of(image);
        if (below.isEmpty()) {
            apply(image, number, tree, budget, listener);
        } else {
            ExtendedAttributes.get(below.getFirst(), USED).ifPresent(budget::resume);
            try (Fd overlay = overlay(below, tree, work);
                    Fd root = FileSystem.openAt(overlay, ".", READ, 0, FileSystem.RESOLVE_BENEATH)) {
                apply(image, number, root, budget, listener);
            }
        }
        ExtendedAttributes.set(tree, USED, budget.used());
    }

    private static Fd overlay(List<Fd> below, Fd tree, Fd work) {
        try {
            return Mounts.overlay(
                    below,
                    tree,
                    work,
                    EnumSet.of(Mounts.Attribute.NO_SETUID, Mounts.Attribute.NO_DEVICES, Mounts.Attribute.NO_EXECUTION));
        } catch (ErrnoException e) {
            boolean isRefused = e.is(Errno.EPERM) || e.is(Errno.EINVAL) || e.is(Errno.ENODEV) || e.is(Errno.EOPNOTSUPP);
            throw isRefused ? new OverlayRefusedException(e) : e;
        }
    }

    private static void apply(PackedImage image, int number, Fd root, UnpackBudget budget, ProgressListener listener) {
        try (var unpacker = new LayerUnpacker(root, budget, LayerUnpacker.Ownership.ARCHIVE)) {
            apply(image, number, unpacker, budget, listener);
            unpacker.finish();
        }
    }

    private static void apply(
            PackedImage image, int number, LayerUnpacker unpacker, UnpackBudget budget, ProgressListener listener) {
        PackedImage.PackedLayer layer = image.layers().get(number - 1);
        String activity = "unpacking layer " + number + " of " + image.layers().size();
        try (FileSlice slice = layer.opening().open();
                var stream = new LayerStream(slice, budget)) {
            listener.progress(activity, 0, slice.size());
            unpacker.apply(new TarReader(stream, UnpackLimits.DEFAULT));
            stream.verify(layer);
            listener.progress(activity, slice.size(), slice.size());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Compares the trees that an image has here with what its layers unpack to. A tree above one that is missing
    /// or differs cannot be compared.
    ///
    /// @param faults gets what differs
    /// @return how many of its layers are in trees that were compared and found the same
    Compared compare(PackedImage image, List<ImageCheck.Fault> faults) {
        int layers = image.layers().size();
        var held = new ArrayList<Fd>();
        int same = 0;
        int compared = 0;
        try {
            for (int number = isPossible ? lowest(layers) : layers; number <= layers; number++) {
                Optional<Fd> tree = opened(image, number, held.isEmpty());
                if (tree.isEmpty()) {
                    break;
                }
                held.add(tree.orElseThrow());
                compared++;
                Optional<String> difference = difference(image, number, held);
                if (difference.isPresent()) {
                    faults.add(new ImageCheck.Fault(
                            "TREE_DIFFERS",
                            "the unpacked layer " + image.chainId(number) + ": " + difference.orElseThrow()));
                    break;
                }
                same = number;
            }
        } finally {
            held.forEach(Fd::close);
        }
        return new Compared(compared, layers - same);
    }

    /// @param trees how many
    /// @param notCompared layers that are in none that is as it should be
    record Compared(int trees, int notCompared) {}

    private Optional<Fd> opened(PackedImage image, int number, boolean isLowest) {
        StoreDirectory store = isLowest && number > 1 ? merged : trees;
        try {
            return store.find(image.chainId(number)).map(Layer::open);
        } catch (ImageException e) {
            return Optional.empty(); // removed meanwhile
        }
    }

    /// @param held the trees up to this one, lowest first
    private Optional<String> difference(PackedImage image, int number, List<Fd> held) {
        List<Fd> below = held.subList(0, held.size() - 1).reversed();
        boolean isMerged = below.isEmpty() && number > 1;
        StoreDirectory.Filling filling = isMerged
                ? (tree, _) -> fill(image, number, tree, ProgressListener.none())
                : (tree, work) -> unpack(image, number, tree, work, below, ProgressListener.none());
        StoreDirectory store = isMerged ? merged : trees;
        return store.beside(filling, fresh -> TreeDifference.first(held.getLast(), fresh));
    }

    /// Removes trees, but for those that somebody has open or that are `needed`.
    void remove(Set<Digest> keys, Predicate<Digest> needed) {
        trees.remove(keys, needed);
        merged.remove(keys, needed);
    }

    /// Finds the tree of one layer, or one of several in one.
    Optional<Layer> find(Digest key, boolean ofSeveral) {
        return (ofSeveral ? merged : trees).find(key);
    }

    Set<Digest> keys() {
        Set<Digest> keys = trees.keys();
        keys.addAll(merged.keys());
        return keys;
    }

    /// Returns the bytes of each.
    Map<String, Long> sizes() {
        Map<String, Long> sizes = trees.sizes();
        merged.sizes().forEach((key, bytes) -> sizes.merge(key, bytes, Long::sum));
        return sizes;
    }

    @Override
    public void close() {
        trees.close();
        merged.close();
    }

    /// The kernel makes no overlay, as in a process without the capabilities, or before Linux 6.8.
    private static final class OverlayRefusedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        OverlayRefusedException(ErrnoException cause) {
            super(cause);
        }
    }
}
