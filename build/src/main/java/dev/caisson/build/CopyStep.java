package dev.caisson.build;

import dev.caisson.build.LayerBuilder.Entry;
import dev.caisson.build.LayerBuilder.Owner;
import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Source;
import dev.caisson.containerfile.Place;
import dev.caisson.image.Account;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A `COPY` or `ADD` whose sources have been looked at.
final class CopyStep {
    private static final int ACCOUNT_FILE_LIMIT = 1 << 20;
    private static final int HEAD = 512;
    private static final int USTAR = 257;
    /// The first bytes of gzip, bzip2, xz and zstd.
    private static final List<String> ARCHIVES = List.of("\u001f\u008b", "BZh", "\u00fd7zXZ", "(\u00b5/\u00fd");
    private static final int FILE_MODE = 0644;
    private static final int FETCHED_MODE = 0600;

    private final Copy copy;
    private final Place place;
    private final FileTree from;
    private final Selection selection;
    private final List<Download.Fetched> fetched;

    /// @param from the tree that sources are paths of
    /// @param fetched what the addresses gave, in their order
    CopyStep(Copy copy, Place place, FileTree from, List<Download.Fetched> fetched) {
        this.copy = copy;
        this.place = place;
        this.from = from;
        this.selection = Selection.of(from, copy);
        this.fetched = fetched;
        if (copy.unpack()) {
            selection.tops().forEach(this::refuseArchive);
        }
    }

    /// Docker unpacks an archive of the context that `ADD` names. One that would only be copied here is refused.
    private void refuseArchive(Selection.Top top) {
        FileTree.Node node = top.items().getFirst().node();
        if (!node.status().isRegularFile()) {
            return;
        }
        try (Fd file = from.open(node)) {
            if (isArchive(FileSystem.read(file, HEAD))) {
                throw new BuildException(
                        "BUILD_ADD_ARCHIVE",
                        place,
                        "/" + node.path()
                                + " is an archive, which ADD does not unpack here: COPY it and unpack it in a RUN,"
                                + " or write ADD --unpack=false");
            }
        }
    }

    private static boolean isArchive(byte[] head) {
        String text = new String(head, StandardCharsets.ISO_8859_1);
        boolean compressed = ARCHIVES.stream().anyMatch(text::startsWith);
        return compressed || text.startsWith("ustar", USTAR);
    }

    private boolean keepsOwners() {
        return copy.owner().isEmpty() && !(copy.origin() instanceof Operation.Origin.Context);
    }

    /// Adds to a hash all that the layer depends on, the files below it left out.
    void hash(ContentHash hash) {
        hash.add("copy")
                .add(copy.target())
                .add(copy.owner())
                .add(copy.mode().map(mode -> Integer.toOctalString(mode.bits())).orElse(""))
                .add(copy.parents() ? "parents" : "")
                .add(copy.unpack() ? "unpack" : "");
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
        target.place(from, selection);
        for (Source source : copy.sources()) {
            if (source instanceof Source.Inline inline) {
                target.file(inline.name(), attributes -> new Entry.Text(inline.content(), attributes), FILE_MODE, now);
            }
        }
        for (Download.Fetched file : fetched) {
            target.file(
                    file.name(),
                    attributes -> new Entry.Own(file.file(), file.size(), attributes),
                    FETCHED_MODE,
                    file.modified());
        }
        return layer;
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
