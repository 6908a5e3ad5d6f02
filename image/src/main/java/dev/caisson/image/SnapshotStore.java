package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.StampedFiles;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToLongFunction;

/// The snapshots of a store, each a directory that has its name when it is complete and synchronized:
///
/// ```
/// snapshots/NAME/tree             what a container had changed, in the form of the kernel's overlay
/// snapshots/NAME/snapshot.json    what is below it, and how its image wants to be run
/// ```
///
/// Leftovers of a crash have another name, and go when the store is opened.
final class SnapshotStore implements AutoCloseable {
    /// Snapshots above each other: the kernel's overlay and a launch take 64 directories, and an image has
    /// at most 32.
    static final int MOST_ABOVE = 24;
    static final int MOST = 4_000;
    private static final String TREE = "tree";
    private static final String RECORD = "snapshot.json";
    private static final String PARTIAL = ".partial-";
    private static final String REMOVED = ".removed-";
    private static final String LOCK = ".lock";
    private static final int LARGEST = 4 << 20;
    private static final int SALT = 16;
    /// A larger record is read each time, so that labels cannot fill the memory of a resident engine.
    private static final int MOST_KNOWN = 32 << 10;

    private static final StampedFiles<Read> KNOWN = new StampedFiles<>(64);
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW;
    private static final int NEW = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final Path path;
    private final Fd directory;

    private SnapshotStore(Path path, Fd directory) {
        this.path = path;
        this.directory = directory;
    }

    /// @param root of the store, free of links
    static SnapshotStore open(Path root, Fd store) {
        var opened =
                new SnapshotStore(root.resolve("snapshots"), FileSystem.openOrMakeDirectory(store, "snapshots", 0700));
        try {
            opened.removeLeftovers();
            return opened;
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    /// Returns all that can be read, by name.
    List<Snapshot> list() {
        var all = new ArrayList<Snapshot>();
        for (SnapshotName name : names()) {
            try {
                find(name).ifPresent(all::add);
            } catch (ImageException e) {
                // damaged: it hides no other, and can be removed by its name
            }
        }
        return List.copyOf(all);
    }

    private List<SnapshotName> names() {
        return DirectoryEntries.of(directory).stream()
                .filter(SnapshotName::isValid)
                .map(SnapshotName::new)
                .sorted()
                .toList();
    }

    Optional<Snapshot> find(SnapshotName name) {
        return read(name).map(read -> read.record().snapshot(name, read.id()));
    }

    /// A record that was read.
    private record Read(SnapshotRecord record, Digest id) {}

    /// Each fork reads the record, which does not change.
    private Optional<Read> read(SnapshotName name) {
        return FileSystem.find(directory, name + "/" + RECORD, FileSystem.O_RDONLY, BENEATH)
                .map(found -> {
                    try (Fd file = found) {
                        Instant seen = Instant.now();
                        FileStatus status = FileSystem.status(file);
                        return KNOWN.find(status).orElseGet(() -> read(file, status, seen));
                    }
                });
    }

    private static Read read(Fd file, FileStatus status, Instant seen) {
        byte[] json = FileSystem.read(file, LARGEST);
        var read = new Read(SnapshotRecord.parse(json), Digest.of(json));
        if (json.length <= MOST_KNOWN) {
            KNOWN.remember(status, seen, read);
        }
        return read;
    }

    /// The parts of which a container of a snapshot is made.
    ///
    /// @param tree the snapshot's own
    record Stored(SnapshotRecord record, Digest id, Layer tree) {}

    /// @throws ImageException SNAPSHOT_UNKNOWN, SNAPSHOT_DAMAGED
    Stored get(SnapshotName name) {
        try {
            Optional<Read> read = read(name);
            if (read.isPresent()) {
                return new Stored(read.get().record(), read.get().id(), tree(name));
            }
        } catch (ImageException e) {
            throw new ImageException(Code.SNAPSHOT_DAMAGED, damaged(name, "its record cannot be read"), e);
        }
        throw unknown(name);
    }

    /// Returns the tree of one.
    Layer tree(SnapshotName name) {
        Path own = path.resolve(name.value()).resolve(TREE);
        return FileSystem.find(directory, name + "/" + TREE, FileSystem.O_PATH | FileSystem.O_DIRECTORY, BENEATH)
                .map(found -> {
                    try (Fd opened = found) {
                        return Layer.of(own, opened).ofStore();
                    }
                })
                .orElseThrow(() -> unknown(name));
    }

    private static ImageException unknown(SnapshotName name) {
        return new ImageException(
                Code.SNAPSHOT_UNKNOWN, "no snapshot is called " + name + ": see 'caisson snapshot ls'");
    }

    static String damaged(SnapshotName name, String why) {
        return "the snapshot " + name + " cannot be used, " + why + ": remove it and take it again";
    }

    /// Makes one.
    ///
    /// @param record without the bytes
    /// @param fill fills its tree, and returns how many bytes its files take
    /// @throws ImageException SNAPSHOT_EXISTS, TOO_MANY_SNAPSHOTS; what `fill` throws, and then nothing is
    ///     left
    Snapshot make(SnapshotName name, SnapshotRecord record, ToLongFunction<Fd> fill) {
        if (record.trees().stream()
                        .filter(tree -> tree.startsWith(SnapshotRecord.OF_SNAPSHOT))
                        .count()
                >= MOST_ABOVE) {
            throw new ImageException(
                    Code.TOO_MANY_SNAPSHOTS,
                    "the container is made of " + MOST_ABOVE
                            + " snapshots above each other, which is the most: take the snapshot of one that is made of fewer");
        }
        String partial = PARTIAL + salt();
        try (Fd own = begin(name, partial)) {
            try {
                return fill(name, partial, own, record, fill);
            } catch (RuntimeException | Error e) {
                FileSystem.removeTree(directory, partial);
                throw e;
            }
        }
    }

    private Fd begin(SnapshotName name, String partial) {
        try (Fd _ = lock()) {
            requireFree(name);
            if (names().size() >= MOST) {
                throw new ImageException(
                        Code.TOO_MANY_SNAPSHOTS, "there are " + MOST + " snapshots, which is the most: remove some");
            }
            FileSystem.makeDirectory(directory, partial, 0700);
            Fd own = FileSystem.openAt(directory, partial, READ, 0, BENEATH);
            FileLocks.lock(own);
            return own;
        }
    }

    private void requireFree(SnapshotName name) {
        if (FileSystem.findStatus(directory, name.value()).isPresent()) {
            throw exists(name);
        }
    }

    private static ImageException exists(SnapshotName name) {
        return new ImageException(
                Code.SNAPSHOT_EXISTS, "a snapshot is called " + name + " already: give another name, or remove it");
    }

    private Snapshot fill(SnapshotName name, String partial, Fd own, SnapshotRecord record, ToLongFunction<Fd> fill) {
        FileSystem.makeDirectory(own, TREE, 0755);
        SnapshotRecord whole;
        try (Fd tree = FileSystem.openAt(own, TREE, READ, 0, BENEATH)) {
            FileSystem.changeMode(tree, 0755);
            long bytes = fill.applyAsLong(tree);
            whole = new SnapshotRecord(
                    Instant.now().truncatedTo(ChronoUnit.MILLIS),
                    record.container(),
                    record.image(),
                    record.digest(),
                    record.trees(),
                    record.config(),
                    bytes,
                    salt());
        }
        byte[] json = whole.json();
        try (Fd file = FileSystem.openAt(own, RECORD, NEW, 0600, BENEATH)) {
            FileSystem.write(file, json);
        }
        FileContent.synchronizeFileSystem(own);
        try (Fd _ = lock()) {
            FileSystem.rename(directory, partial, directory, name.value(), false);
            FileSystem.synchronize(directory);
        } catch (ErrnoException e) {
            throw e.is(Errno.EEXIST) ? exists(name) : e;
        }
        return whole.snapshot(name, Digest.of(json));
    }

    private static String salt() {
        return HexFormat.of().formatHex(KernelRandom.bytes(SALT));
    }

    /// Removes one.
    /// @throws ImageException SNAPSHOT_UNKNOWN; SNAPSHOT_IN_USE if a container runs on it, or another one
    ///     is above it
    void remove(SnapshotName name) {
        String removed = REMOVED + salt();
        Fd own;
        try (Fd _ = lock()) {
            own = FileSystem.find(directory, name.value(), READ, BENEATH).orElseThrow(() -> unknown(name));
            try (Fd _ = lockUnused(name, own)) { // until the name is gone: who opens it then finds none
                FileLocks.lock(own);
                FileSystem.rename(directory, name.value(), directory, removed, false);
                FileSystem.synchronize(directory);
            } catch (RuntimeException e) {
                own.close();
                throw e;
            }
        }
        try (own) {
            FileSystem.removeTree(directory, removed);
        }
    }

    /// Returns the tree, locked; the directory itself if it has none.
    private Fd lockUnused(SnapshotName name, Fd own) {
        List<String> above = list().stream()
                .filter(other -> other.parent().filter(name::equals).isPresent())
                .map(other -> other.name().value())
                .toList();
        if (!above.isEmpty()) {
            throw new ImageException(
                    Code.SNAPSHOT_IN_USE,
                    "the snapshot " + name + " is below " + String.join(", ", above) + ": remove that first");
        }
        Fd tree = FileSystem.find(own, TREE, READ, BENEATH).orElseGet(own::duplicate);
        if (!FileLocks.tryLock(tree)) {
            tree.close();
            throw new ImageException(
                    Code.SNAPSHOT_IN_USE,
                    "a container that was made of the snapshot " + name + " is there: remove it first");
        }
        return tree;
    }

    /// Returns true if a snapshot needs a tree of the store, or nobody can say.
    boolean needs(Digest tree) {
        Set<String> needed =
                new HashSet<>(List.of(SnapshotRecord.OF_LAYER + tree.hex(), SnapshotRecord.OF_MERGED + tree.hex()));
        for (SnapshotName name : names()) {
            try {
                if (read(name).stream()
                        .flatMap(read -> read.record().trees().stream())
                        .anyMatch(needed::contains)) {
                    return true;
                }
            } catch (ImageException e) {
                return true;
            }
        }
        return false;
    }

    /// Returns the digests of the images that snapshots are above, with the names of these.
    List<String> above(Digest image) {
        var above = new ArrayList<String>();
        for (SnapshotName name : names()) {
            try {
                if (read(name)
                        .filter(read -> read.record().digest().equals(image.toString()))
                        .isPresent()) {
                    above.add(name.value());
                }
            } catch (ImageException e) {
                // damaged: nothing can be started from it
            }
        }
        return above;
    }

    private Fd lock() {
        Fd lock = FileSystem.openAt(directory, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH);
        FileLocks.lock(lock);
        return lock;
    }

    private void removeLeftovers() {
        List<String> left = DirectoryEntries.of(directory).stream()
                .filter(name -> name.startsWith(PARTIAL) || name.startsWith(REMOVED))
                .toList();
        if (left.isEmpty()) {
            return;
        }
        try (Fd _ = lock()) {
            for (String name : left) {
                FileSystem.find(directory, name, READ, BENEATH).ifPresent(found -> {
                    try (Fd own = found) {
                        if (FileLocks.tryLock(own)) {
                            FileSystem.removeTree(directory, name);
                        }
                    }
                });
            }
        }
    }

    @Override
    public void close() {
        directory.close();
    }
}
