package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.RootTree.Directory;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Unpacks layers, lowest first, over each other into one directory, as the OCI image specification's "Applying
/// changesets" says: what comes later replaces what was there, whiteouts hide what lower layers brought.
///
/// A member never acts through the name it replaces: the old thing is removed first, and what is created did not exist
/// (O_EXCL). Devices are not made, since a container gets its own; setuid bits are kept, since they give no more than
/// the container's own ids.
final class LayerUnpacker implements AutoCloseable {
    /// The owner of unpacked files.
    enum Ownership {
        /// The ids in the archive.
        ARCHIVE,
        /// The user who unpacks.
        CALLER
    }

    private record DirectoryTime(List<String> path, long seconds, int nanos) {}

    private static final String WHITEOUT = ".wh.";
    private static final String OPAQUE = ".wh..wh..opq";
    /// Bookkeeping of aufs, which wrote the first layers.
    private static final String AUFS = ".wh..wh.";

    private static final int S_IFIFO = 0010000;
    private static final int LONGEST_LINK = 4095;
    private static final int BUFFER = 128 << 10;
    private static final int NEW = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL | FileSystem.O_NOFOLLOW;
    private static final long HERE = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final RootTree tree;
    private final UnpackBudget budget;
    private final UnpackLimits limits;
    private final Ownership ownership;
    private final boolean hasWhiteouts;
    private final TarArchive.Below below;
    private final Map<Long, DirectoryTime> directoryTimes = new HashMap<>();

    /// @param root an empty directory; stays the caller's
    LayerUnpacker(Fd root, UnpackBudget budget, Ownership ownership) {
        this(root, budget, ownership, true, _ -> Optional.empty());
    }

    private LayerUnpacker(
            Fd root, UnpackBudget budget, Ownership ownership, boolean hasWhiteouts, TarArchive.Below below) {
        this.hasWhiteouts = hasWhiteouts;
        this.below = below;
        this.tree = new RootTree(root, budget);
        this.budget = budget;
        this.limits = budget.limits();
        this.ownership = ownership;
    }

    /// Unpacks an archive that is no layer: names that would be whiteouts in one are names of files.
    static LayerUnpacker ofArchive(Fd root, UnpackBudget budget, TarArchive.Below below) {
        return new LayerUnpacker(root, budget, Ownership.ARCHIVE, false, below);
    }

    void apply(TarReader layer) throws IOException {
        tree.beginLayer();
        for (Optional<TarEntry> entry = layer.next(); entry.isPresent(); entry = layer.next()) {
            budget.entry();
            apply(entry.orElseThrow(), layer);
        }
    }

    /// Gives directories their times, which later layers changed by adding to them.
    void finish() {
        directoryTimes.forEach((inode, time) -> tree.find(time.path()).ifPresent(directory -> {
            try (directory) {
                if (directory.inode() == inode) {
                    FileSystem.changeTime(directory.fd(), ".", time.seconds(), time.nanos());
                }
            }
        }));
    }

    private void apply(TarEntry entry, TarReader layer) throws IOException {
        EntryName name = EntryName.parse(entry.name(), limits);
        if (hasWhiteouts && name.parents().stream().anyMatch(parent -> parent.startsWith(AUFS))) {
            return;
        }
        if (hasWhiteouts && name.last().startsWith(WHITEOUT)) {
            whiteout(name);
            return;
        }
        refuseOwner(entry, name);
        switch (entry.kind()) {
            case DIRECTORY -> directory(entry, name);
            case FILE -> file(entry, name, layer);
            case SYMBOLIC_LINK -> symbolicLink(entry, name);
            case HARD_LINK -> hardLink(entry, name);
            case FIFO -> fifo(entry, name);
            case CHARACTER_DEVICE, BLOCK_DEVICE -> device(entry, name);
        }
    }

    private void whiteout(EntryName name) {
        if (name.last().equals(OPAQUE)) {
            inParent(name, tree::makeOpaque);
            return;
        }
        if (name.last().startsWith(AUFS)) {
            return;
        }
        String hidden = name.last().substring(WHITEOUT.length());
        if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
            throw new ImageException(
                    Code.UNSAFE_ENTRY,
                    "the archive has the whiteout " + name + ", which hides no name; build the image again");
        }
        inParent(name, directory -> tree.whiteout(directory, hidden));
    }

    private void inParent(EntryName name, java.util.function.Consumer<Directory> action) {
        tree.find(name.parents()).ifPresent(directory -> {
            try (directory) {
                keepTime(name.parents(), directory);
                action.accept(directory);
            }
        });
    }

    /// What is put into a directory changes its time: that of one which the archive does not list stays.
    private void keepTime(List<String> path, Directory directory) {
        if (!directoryTimes.containsKey(directory.inode())) {
            budget.remember(path);
            Instant time = directory.modified();
            directoryTimes.put(directory.inode(), new DirectoryTime(path, time.getEpochSecond(), time.getNano()));
        }
    }

    private Directory parent(EntryName name) {
        Directory parent = tree.make(name.parents());
        keepTime(name.parents(), parent);
        return parent;
    }

    private void directory(TarEntry entry, EntryName name) {
        Directory parent = parent(name);
        if (name.isRoot()) {
            finishDirectory(entry, List.of(), parent);
            return;
        }
        Optional<Directory> existing = tree.findHere(parent, name.last());
        if (existing.isEmpty()) {
            tree.remove(parent, name.last());
        }
        try (Directory directory = existing.orElseGet(() -> tree.makeDirectory(parent, name.last()))) {
            tree.bring(parent, name.last());
            var path = new java.util.ArrayList<>(name.parents());
            path.add(name.last());
            finishDirectory(entry, path, directory);
        }
    }

    private void finishDirectory(TarEntry entry, List<String> path, Directory directory) {
        finishOpen(entry, directory.fd());
        budget.remember(path);
        directoryTimes.put(directory.inode(), new DirectoryTime(path, entry.modifiedSeconds(), entry.modifiedNanos()));
    }

    private void file(TarEntry entry, EntryName name, TarReader layer) throws IOException {
        if (entry.size() > limits.size()) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    "the archive has a file of " + entry.size() + " bytes, " + name + "; it is not unpacked");
        }
        Directory parent = replace(name);
        try (Fd file = FileSystem.openAt(parent.fd(), name.last(), NEW, 0600, HERE)) {
            layer.content((content, length, position) -> {
                budget.spend(length);
                FileContent.writeAt(file, content, 0, length, position);
            });
            if (entry.endsInHole()) {
                FileContent.resize(file, entry.size());
            }
            finishOpen(entry, file);
        }
        FileSystem.changeTime(parent.fd(), name.last(), entry.modifiedSeconds(), entry.modifiedNanos());
    }

    private void symbolicLink(TarEntry entry, EntryName name) {
        String target = entry.linkTarget();
        if (target.isEmpty() || target.getBytes(StandardCharsets.UTF_8).length > LONGEST_LINK) {
            throw new ImageException(
                    Code.TOO_LARGE, "the archive has the link " + name + " with an empty or overlong target");
        }
        Directory parent = replace(name);
        FileSystem.makeSymbolicLink(parent.fd(), name.last(), target);
        finishNamed(entry, name, parent);
    }

    /// A hard link shares its file's owner, mode and time: what its own header says of them does not count.
    private void hardLink(TarEntry entry, EntryName name) {
        EntryName target = EntryName.parse(entry.linkTarget().isEmpty() ? "/" : entry.linkTarget(), limits);
        if (!isThere(target) && isCopied(target, name)) {
            return;
        }
        try (Directory from = tree.find(target.parents()).orElseThrow(() -> noTarget(name, target))) {
            if (!isLinkable(from, target)) {
                throw noTarget(name, target);
            }
            if (!tree.isBrought(from, target.last())) { // an overlay copies the file of a layer below
                budget.spend(FileSystem.status(from.fd(), target.last()).size());
            }
            Directory parent = parent(name);
            if (name.isRoot() || (parent.inode() == from.inode() && name.last().equals(target.last()))) {
                throw noTarget(name, target);
            }
            tree.remove(parent, name.last());
            tree.bring(parent, name.last());
            FileSystem.link(from.fd(), target.last(), parent.fd(), name.last());
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                throw noTarget(name, target);
            }
            throw e;
        }
    }

    private boolean isThere(EntryName target) {
        Optional<Directory> found = tree.find(target.parents());
        if (found.isEmpty()) {
            return false;
        }
        try (Directory from = found.get()) {
            return target.isRoot()
                    || FileSystem.findStatus(from.fd(), target.last()).isPresent();
        }
    }

    /// Copies a file that the archive's go over, with all that a link of it would have. False if there is none.
    private boolean isCopied(EntryName target, EntryName name) {
        var path = new ArrayList<>(target.parents());
        path.add(target.last());
        Optional<Fd> found = name.isRoot() ? Optional.empty() : below.open(String.join("/", path));
        if (found.isEmpty()) {
            return false;
        }
        try (Fd from = found.get()) {
            FileStatus status = FileSystem.status(from);
            Directory parent = replace(name);
            try (Fd to = FileSystem.openAt(parent.fd(), name.last(), NEW, 0600, HERE)) {
                copy(from, to, status.size());
                FileSystem.changeOwner(to, status.uid(), status.gid());
                FileSystem.changeMode(to, status.permissions());
                for (String attribute : ExtendedAttributes.names(from)) {
                    if (attribute.startsWith("user.") || attribute.equals(ExtendedAttributes.CAPABILITIES)) {
                        ExtendedAttributes.get(from, attribute)
                                .ifPresent(value -> ExtendedAttributes.set(to, attribute, value));
                    }
                }
            }
            Instant time = status.modified();
            FileSystem.changeTime(parent.fd(), name.last(), time.getEpochSecond(), time.getNano());
            return true;
        }
    }

    private void copy(Fd from, Fd to, long size) {
        var buffer = new byte[BUFFER];
        int count;
        for (long done = 0; done < size; done += count) {
            count = FileContent.readAt(from, buffer, done);
            if (count <= 0) {
                return;
            }
            budget.spend(count);
            FileContent.writeAt(to, buffer, 0, count, done);
        }
    }

    /// linkat(2) follows nothing here, so a link to a symbolic link names that link itself.
    private static boolean isLinkable(Directory directory, EntryName target) {
        if (target.isRoot()) {
            return false;
        }
        FileStatus status = FileSystem.status(directory.fd(), target.last());
        return status.isRegularFile() || status.isSymbolicLink();
    }

    private static ImageException noTarget(EntryName name, EntryName target) {
        return new ImageException(
                Code.UNSAFE_ENTRY,
                "the archive has the hard link " + name + " to " + target + ", which is no other file of the image");
    }

    private void fifo(TarEntry entry, EntryName name) {
        Directory parent = replace(name);
        FileSystem.makeNode(parent.fd(), name.last(), S_IFIFO | 0600, 0);
        int flags = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK | FileSystem.O_NOFOLLOW;
        try (Fd made = FileSystem.openAt(parent.fd(), name.last(), flags, 0, HERE)) {
            finishOpen(entry, made);
        }
        FileSystem.changeTime(parent.fd(), name.last(), entry.modifiedSeconds(), entry.modifiedNanos());
    }

    /// A device of number 0:0 is overlayfs' whiteout. Others would be of no use to a container: it has a user
    /// namespace, where no device node on an image's file system can be opened. Those of `/dev` are passed over,
    /// because an engine mounts a `/dev` of its own there; anywhere else one is refused.
    private void device(TarEntry entry, EntryName name) {
        boolean isZero = entry.deviceMajor() == 0 && entry.deviceMinor() == 0;
        if (hasWhiteouts && entry.kind() == TarEntry.Kind.CHARACTER_DEVICE && isZero) {
            if (name.isRoot()) {
                throw TarFields.bad("a whiteout of its root");
            }
            inParent(name, directory -> tree.whiteout(directory, name.last()));
            return;
        }
        if (name.parents().isEmpty() || !name.parents().getFirst().equals("dev")) {
            throw new ImageException(
                    Code.UNSAFE_ENTRY,
                    "the archive has the device " + name
                            + "; a container gets its devices from the engine, so build the" + " image without it");
        }
    }

    /// The directory that `name` goes to, with nothing at that name.
    private Directory replace(EntryName name) {
        if (name.isRoot()) {
            throw new ImageException(Code.UNSAFE_ENTRY, "the archive has something else than a directory as its root");
        }
        Directory parent = parent(name);
        tree.remove(parent, name.last());
        tree.bring(parent, name.last());
        return parent;
    }

    /// The order counts: chown(2) clears setuid bits and file capabilities.
    private void finishOpen(TarEntry entry, Fd file) {
        if (ownership == Ownership.ARCHIVE) {
            FileSystem.changeOwner(file, (int) entry.uid(), (int) entry.gid());
        }
        FileSystem.changeMode(file, entry.mode());
        if (entry.kind() == TarEntry.Kind.FILE || entry.kind() == TarEntry.Kind.DIRECTORY) {
            LayerAttributes.set(entry, file, ownership);
        }
    }

    private void finishNamed(TarEntry entry, EntryName name, Directory parent) {
        if (ownership == Ownership.ARCHIVE) {
            FileSystem.changeOwner(parent.fd(), name.last(), (int) entry.uid(), (int) entry.gid());
        }
        FileSystem.changeTime(parent.fd(), name.last(), entry.modifiedSeconds(), entry.modifiedNanos());
    }

    private static void refuseOwner(TarEntry entry, EntryName name) {
        if (entry.uid() > Account.LAST_ID || entry.gid() > Account.LAST_ID) {
            throw new ImageException(
                    Code.ID_OUT_OF_RANGE,
                    "the archive has " + name + " owned by " + entry.uid() + ":" + entry.gid()
                            + "; a container has ids up to " + Account.LAST_ID
                            + ", so build the image with such owners");
        }
    }

    @Override
    public void close() {
        tree.close();
    }
}
