package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/// The snapshots of an image store: trees of what containers had changed, each above the layers of an image.
public final class StoredSnapshots {
    private final SnapshotStore store;
    private final LayerTrees trees;
    private final Supplier<Rootfs> host;
    private final Function<Path, Rootfs> directory;

    StoredSnapshots(SnapshotStore store, LayerTrees trees, Supplier<Rootfs> host, Function<Path, Rootfs> directory) {
        this.store = store;
        this.trees = trees;
        this.host = host;
        this.directory = directory;
    }

    /// A container whose files are taken.
    ///
    /// @param name of the container
    /// @param image as it was asked for
    /// @param rootfs what it was resolved to, whose layers the container holds open
    public record Source(String name, Image image, Rootfs rootfs) {}

    /// Returns all that can be read, by name.
    public List<Snapshot> list() {
        return StoreFailures.guarded("the snapshots", store::list);
    }

    /// Finds one.
    public Optional<Snapshot> find(SnapshotName name) {
        return StoreFailures.guarded("the snapshot " + name, () -> store.find(name));
    }

    /// Makes one, which has its name when all of it is on the disk.
    ///
    /// @param fill fills an empty directory with what the container has changed, in the overlay's form and
    ///     with ids as the container sees them, and returns how many bytes its files take
    /// @throws ImageException SNAPSHOT_EXISTS, TOO_MANY_SNAPSHOTS; and what `fill` throws
    @SuppressWarnings("exports") // for Caisson's own modules
    public Snapshot make(SnapshotName name, Source source, ToLongFunction<Fd> fill) {
        return StoreFailures.guarded("the snapshot " + name, () -> store.make(name, record(source), fill));
    }

    private SnapshotRecord record(Source source) {
        Rootfs rootfs = source.rootfs();
        var below = new ArrayList<String>();
        String image = source.image().toString();
        String digest = rootfs.digest().map(Digest::toString).orElse("");
        switch (source.image()) {
            case Image.Host _, Image.Directory _ -> {}
            case Image.Snapshot(SnapshotName name) -> {
                SnapshotRecord parent = store.get(name).record();
                below.add(SnapshotRecord.OF_SNAPSHOT + name);
                below.addAll(parent.trees());
                image = parent.image();
                digest = parent.digest();
            }
            case Image.Named _, Image.OciLayout _, Image.DockerArchive _ ->
                rootfs.layers().forEach(layer -> below.add(named(layer)));
        }
        return new SnapshotRecord(Instant.EPOCH, source.name(), image, digest, below, rootfs.config(), 0, "");
    }

    /// Returns a layer's path in the store.
    private static String named(Layer layer) {
        Path kind = layer.path().getName(layer.path().getNameCount() - 2);
        return kind + "/" + layer.path().getFileName();
    }

    /// Returns what a container of a snapshot is made of: the snapshot's tree above all that its container
    /// had.
    /// @throws ImageException SNAPSHOT_UNKNOWN, SNAPSHOT_DAMAGED
    Rootfs resolve(SnapshotName name) {
        SnapshotStore.Stored stored = store.get(name);
        var layers = new ArrayList<Layer>();
        layers.add(stored.tree());
        for (String tree : stored.record().trees()) {
            layers.add(below(name, tree));
        }
        Optional<Rootfs> base = base(stored.record());
        base.ifPresent(rootfs -> layers.addAll(rootfs.layers()));
        return new Rootfs(
                layers,
                stored.record().config(),
                Optional.of(stored.id()),
                base.map(Rootfs::binds).orElse(List.of()));
    }

    private Optional<Rootfs> base(SnapshotRecord record) {
        return switch (Image.parse(record.image())) {
            case Image.Host _ -> Optional.of(host.get());
            case Image.Directory(Path path) -> Optional.of(directory.apply(path));
            case Image.Named _, Image.OciLayout _, Image.DockerArchive _, Image.Snapshot _ -> Optional.empty();
        };
    }

    private Layer below(SnapshotName name, String tree) {
        String key = tree.substring(tree.indexOf('/') + 1);
        if (tree.startsWith(SnapshotRecord.OF_SNAPSHOT)) {
            return store.tree(new SnapshotName(key));
        }
        return trees.find(new Digest(key), tree.startsWith(SnapshotRecord.OF_MERGED))
                .orElseThrow(() -> new ImageException(
                        Code.SNAPSHOT_DAMAGED,
                        SnapshotStore.damaged(name, "the layer " + key + " is not in the store")));
    }

    /// Removes one.
    /// @throws ImageException SNAPSHOT_UNKNOWN; SNAPSHOT_IN_USE if a container or another snapshot is above
    ///     it
    public void remove(SnapshotName name) {
        StoreFailures.guarded("the snapshot " + name, () -> {
            store.remove(name);
            return name;
        });
    }

    /// Returns the names of those that are above an image.
    /// @param image the digest of its manifest
    public List<String> above(Digest image) {
        return StoreFailures.guarded("the snapshots", () -> store.above(image));
    }
}
