package dev.caisson.build;

import dev.caisson.build.LayerBuilder.Entry;
import dev.caisson.build.LayerBuilder.Kind;
import dev.caisson.build.LayerBuilder.Owner;
import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Selection.Item;
import dev.caisson.build.Selection.Top;
import dev.caisson.containerfile.Place;
import dev.caisson.image.TarWriter.Attributes;
import dev.caisson.linux.FileStatus;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;

/// Places what a `COPY` takes at its destination, as Docker does: a directory gives its content, a file goes into a
/// directory or becomes the destination.
final class CopyTarget {
    private final LayerBuilder layer;
    private final Copy copy;
    private final Optional<Owner> owner;
    private final Place place;
    private final Instant now;

    /// @param owner of everything copied; empty to keep the source's
    /// @param now time of directories that are made on the way
    CopyTarget(LayerBuilder layer, Copy copy, Optional<Owner> owner, Place place, Instant now) {
        this.layer = layer;
        this.copy = copy;
        this.owner = owner;
        this.place = place;
        this.now = now;
    }

    private Owner made() {
        return owner.orElse(Owner.ROOT);
    }

    private boolean isDirectory() {
        return copy.target().endsWith("/");
    }

    void place(FileTree tree, Selection selection) {
        boolean several =
                selection.tops().stream().filter(top -> !top.directory()).count() > 1;
        if (several && !isDirectory() && layer.kind(layer.follow(copy.target())) != Kind.DIRECTORY) {
            throw new BuildException(
                    "BUILD_COPY_ARGUMENTS",
                    place,
                    "several files go into a directory: end the destination " + copy.target() + " with /");
        }
        for (Top top : selection.tops()) {
            top(tree, top);
        }
    }

    private void top(FileTree tree, Top top) {
        String destination = layer.follow(copy.target());
        if (copy.parents()) {
            for (String parent : top.parents()) {
                destination = FileTree.join(destination, parent);
            }
            destination = FileTree.join(destination, top.name());
        } else if (!top.directory() && (isDirectory() || layer.kind(destination) == Kind.DIRECTORY)) {
            destination = FileTree.join(destination, top.name());
        }
        for (Item item : top.items()) {
            item(tree, item, item.path().isEmpty() ? destination : FileTree.join(destination, item.path()));
        }
    }

    private void item(FileTree tree, Item item, String path) {
        FileStatus status = item.node().status();
        Owner own = owner.orElseGet(() -> new Owner(status.uid(), status.gid()));
        int mode = mode(status.permissions(), status.isDirectory());
        var attributes = new Attributes(mode, own.uid(), own.gid(), status.modified(), item.extended());
        if (status.isDirectory()) {
            if (path.isEmpty() || (item.path().isEmpty() && !copy.parents())) {
                layer.directories(path, made(), now); // a directory gives its content, not its owner and mode
            } else {
                layer.put(path, new Entry.Directory(attributes), made(), now);
            }
        } else if (status.isSymbolicLink()) {
            layer.put(path, new Entry.Link(item.link(), attributes), made(), now);
        } else {
            layer.put(path, new Entry.Copied(tree, item.node(), item.digest(), attributes), made(), now);
        }
    }

    private int mode(int before, boolean directory) {
        return copy.mode().map(change -> change.apply(before, directory)).orElse(before);
    }

    /// Places a file that is no file of a tree.
    void file(String name, Function<Attributes, Entry> entry, int standardMode, Instant time) {
        String destination = layer.follow(copy.target());
        if (isDirectory() || layer.kind(destination) == Kind.DIRECTORY) {
            destination = FileTree.join(destination, name);
        }
        Owner own = made();
        int mode = mode(standardMode, false);
        layer.put(destination, entry.apply(new Attributes(mode, own.uid(), own.gid(), time)), own, now);
    }
}
