package dev.caisson.build;

import dev.caisson.build.LayerBuilder.Entry;
import dev.caisson.build.LayerBuilder.Owner;
import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Source;
import dev.caisson.build.Operation.Unpacking;
import dev.caisson.containerfile.Place;
import dev.caisson.image.Account;
import dev.caisson.image.TarArchive;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A `COPY` or `ADD` whose sources have been looked at.
final class CopyStep {
    private static final int ACCOUNT_FILE_LIMIT = 1 << 20;
    private static final int FILE_MODE = 0644;
    private static final int FETCHED_MODE = 0600;

    private final Copy copy;
    private final Place place;
    private final FileTree from;
    private final Selection selection;
    private final List<Download.Fetched> fetched;
    private final Archives archives;

    /// Unpacks archives.
    interface Archives {
        /// Returns the files in an archive; empty if the file is none.
        /// @param below the files that it goes over
        Optional<FileTree> unpacked(Fd file, String shown, TarArchive.Below below);
    }

    /// @param from the tree that sources are paths of
    /// @param fetched what the addresses gave, in their order
    CopyStep(Copy copy, Place place, FileTree from, List<Download.Fetched> fetched, Archives archives) {
        this.copy = copy;
        this.place = place;
        this.from = from;
        this.selection = Selection.of(from, copy);
        this.fetched = fetched;
        this.archives = archives;
    }

    private boolean keepsOwners() {
        return copy.owner().isEmpty() && !(copy.origin() instanceof Operation.Origin.Context);
    }

    /// Adds to a hash all that the layer depends on, the files below it left out.
    void hash(ContentHash hash) {
        hash.add("copy")
                .add(copy.target())
                .add(copy.owner())
                .add(copy.mode().map(ModeChange::text).orElse(""))
                .add(copy.parents() ? "parents" : "")
                .add(copy.unpack().name());
        selection.hash(hash, keepsOwners());
        for (Source source : copy.sources()) {
            if (source instanceof Source.Inline inline) {
                hash.add(inline.name()).add(inline.content());
            }
        }
        for (Download.Fetched file : fetched) {
            hash.add(file.name()).add(file.digest()).add(file.modified().getEpochSecond());
        }
    }

    /// Collects the layer.
    /// @param image the files below it
    LayerBuilder layer(FileTree image, Instant now) {
        var layer = new LayerBuilder(image, place);
        Optional<Owner> owner = keepsOwners() ? Optional.empty() : Optional.of(owner(image, copy.owner()));
        var target = new CopyTarget(layer, copy, owner, place, now);
        var files = new ArrayList<Selection.Top>();
        for (Selection.Top top : selection.tops()) {
            if (!unpack(top, layer, now)) {
                files.add(top);
            }
        }
        target.place(from, new Selection(files));
        for (Source source : copy.sources()) {
            if (source instanceof Source.Inline inline) {
                target.file(inline.name(), attributes -> new Entry.Text(inline.content(), attributes), FILE_MODE, now);
            }
        }
        for (Download.Fetched file : fetched) {
            if (unpack(file, layer, now)) {
                continue;
            }
            target.file(
                    file.name(),
                    attributes -> new Entry.Own(file.file(), file.size(), attributes),
                    FETCHED_MODE,
                    file.modified());
        }
        return layer;
    }

    private boolean unpack(Selection.Top top, LayerBuilder layer, Instant now) {
        Selection.Item item = top.items().getFirst();
        FileTree.Node node = item.node();
        if (copy.unpack() == Unpacking.NONE || !node.status().isRegularFile()) {
            return false;
        }
        try (Fd file = from.open(node)) {
            boolean unpacked = unpack(file, "/" + node.path() + " of " + from.name(), layer, now);
            if (unpacked && !Selection.digest(file).equals(Optional.of(item.digest()))) {
                throw from.changed(node, null); // the layer is known by what it held
            }
            return unpacked;
        }
    }

    private boolean unpack(Download.Fetched fetched, LayerBuilder layer, Instant now) {
        if (copy.unpack() != Unpacking.ALL) {
            return false;
        }
        try (Fd file = FileSystem.open(fetched.file().toString(), FileSystem.O_RDONLY)) {
            return unpack(file, fetched.name() + " that was fetched", layer, now);
        }
    }

    /// Copies the files of an archive into the destination, which is a directory. They keep their owners and modes
    /// unless the instruction gives others.
    private boolean unpack(Fd file, String shown, LayerBuilder layer, Instant now) {
        Optional<FileTree> unpacked = archives.unpacked(file, shown, path -> below(layer, path));
        unpacked.ifPresent(tree -> {
            Copy all = copy.all(place);
            Optional<Owner> owner =
                    copy.owner().isEmpty() ? Optional.empty() : Optional.of(owner(layer.image(), copy.owner()));
            new CopyTarget(layer, all, owner, place, now).place(tree, Selection.of(tree, all));
        });
        return unpacked.isPresent();
    }

    /// Opens a file of the image where the archive goes.
    private Optional<Fd> below(LayerBuilder layer, String path) {
        String whole = FileTree.join(layer.follow(copy.target()), path);
        return layer.image()
                .status(whole)
                .filter(FileStatus::isRegularFile)
                .map(status -> layer.image().open(new FileTree.Node(whole, status)));
    }

    /// Finds `user[:group]` in an image's own files. A user without a group has the group of that name or number.
    static Owner owner(FileTree image, String text) {
        if (text.isEmpty()) {
            return Owner.ROOT;
        }
        String spec = text.matches("\\d+") ? text + ":" + text : text;
        Account account = Account.of(spec, file(image, "/etc/passwd"), file(image, "/etc/group"));
        return new Owner(account.uid(), account.gid());
    }

    private static byte[] file(FileTree image, String path) {
        Optional<FileTree.Node> found = image.resolve(path).node();
        if (found.isEmpty() || !found.get().status().isRegularFile()) {
            return new byte[0];
        }
        try (Fd file = image.open(found.get())) {
            return FileSystem.read(file, ACCOUNT_FILE_LIMIT);
        }
    }
}
