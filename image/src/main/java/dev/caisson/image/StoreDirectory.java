package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;

/// Trees of one kind in the store, each named by the digest of what it holds and complete from the moment it has that
/// name: filled as `<digest>.partial` under a lock, synchronized, renamed. What a crash leaves is a partial tree that
/// nobody has locked; the next start removes it.
final class StoreDirectory implements AutoCloseable {
    /// Fills an empty directory.
    @FunctionalInterface
    interface Filling {
        /// Fills it.
        /// @param work another empty directory of the same file system, which is removed afterwards
        void fill(Fd directory, Fd work);
    }

    private static final String PARTIAL = ".partial";
    private static final String WORK = ".work";
    private static final String REMOVED = ".removed";
    private static final String PROBE = "trusted.caisson.probe";
    private static final String HEX = "[0-9a-f]{64}";
    private static final String LOCKS = "locks";
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long WAIT_MILLIS = 20;

    private final Path path;
    private final Fd directory;
    private final boolean removable;

    private StoreDirectory(Path path, Fd directory, boolean removable) {
        this.path = path;
        this.directory = directory;
        this.removable = removable;
    }

    /// @param path of `parent`, free of links
    /// @param removable whether trees are removed when nobody has them open
    static StoreDirectory open(Path path, Fd parent, String name, boolean removable) {
        Fd directory = FileSystem.openOrMakeDirectory(parent, name, 0700);
        var store = new StoreDirectory(path.resolve(name), directory, removable);
        try {
            // Images hold setuid programs: nobody else on the host may reach them. Fails where others own the
            // directory, and where nothing may be written.
            FileSystem.changeMode(directory, 0700);
            store.removeLeftovers();
            return store;
        } catch (RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    /// The tree of `key`, filled first where it does not exist. Two processes that want the same one wait for
    /// another.
    Layer obtain(Digest key, Filling filling) {
        Optional<Layer> before = find(key);
        if (before.isPresent()) {
            return before.orElseThrow();
        }
        try (Fd _ = lock(key)) {
            Optional<Layer> made = find(key);
            if (made.isPresent()) {
                return made.orElseThrow();
            }
            fill(key, filling);
            return find(key)
                    .orElseThrow(() -> new ImageException(
                            Code.STORE_REFUSED, "somebody removed " + key + " from the store " + path + "; try again"));
        }
    }

    /// Beside the trees, as only root reaches it there.
    HostSnapshotFile hostSnapshot() {
        return new HostSnapshotFile(directory);
    }

    /// Fills a directory that never becomes a tree of the store, gives it to `use`, and removes it.
    <T> T beside(Filling filling, Function<Fd, T> use) {
        Digest key = Digest.finish(KernelRandom.bytes(32));
        String partial = key.hex() + PARTIAL;
        String work = key.hex() + WORK;
        try (Fd _ = lock(key)) {
            try {
                FileSystem.makeDirectory(directory, partial, 0755);
                FileSystem.makeDirectory(directory, work, 0755);
                try (Fd tree = FileSystem.openAt(directory, partial, READ, 0, FileSystem.RESOLVE_NO_SYMLINKS);
                        Fd beside = FileSystem.openAt(directory, work, READ, 0, FileSystem.RESOLVE_NO_SYMLINKS)) {
                    FileSystem.changeMode(tree, 0755);
                    filling.fill(tree, beside);
                    return use.apply(tree);
                }
            } finally {
                removeUnfinished(key.hex());
            }
        }
    }

    private void fill(Digest key, Filling filling) {
        String partial = key.hex() + PARTIAL;
        String work = key.hex() + WORK;
        removeUnfinished(key.hex());
        try {
            FileSystem.makeDirectory(directory, partial, 0755);
            FileSystem.makeDirectory(directory, work, 0755);
            try (Fd tree = FileSystem.openAt(directory, partial, READ, 0, FileSystem.RESOLVE_NO_SYMLINKS);
                    Fd beside = FileSystem.openAt(directory, work, READ, 0, FileSystem.RESOLVE_NO_SYMLINKS)) {
                FileSystem.changeMode(tree, 0755);
                filling.fill(tree, beside);
                FileContent.synchronizeFileSystem(tree);
            }
            FileSystem.removeTree(directory, work);
            FileSystem.rename(directory, partial, directory, key.hex(), false);
            FileSystem.synchronize(directory);
        } catch (RuntimeException e) {
            try {
                removeUnfinished(key.hex());
            } catch (ErrnoException left) {
                e.addSuppressed(left);
            }
            throw e;
        }
    }

    private void removeUnfinished(String hex) {
        FileSystem.removeTree(directory, hex + PARTIAL);
        FileSystem.removeTree(directory, hex + WORK);
        FileSystem.removeTree(directory, hex + REMOVED);
    }

    /// Returns true if this process may give files attributes that the kernel's overlay goes by.
    boolean takesTrusted() {
        try {
            if (ExtendedAttributes.get(directory, PROBE).isEmpty()) { // nor is it seen without the capability
                ExtendedAttributes.set(directory, PROBE, new byte[0]);
            }
            return true;
        } catch (ErrnoException e) {
            return false; // without the capability, or on a file system that has none
        }
    }

    /// Removes trees, but for those that somebody has open.
    /// @param needed says of a tree that nobody has open, and nobody can open now, that it stays all the same
    void remove(Set<Digest> keys, Predicate<Digest> needed) {
        for (Digest key : keys) {
            FileSystem.find(directory, key.hex(), READ, FileSystem.RESOLVE_NO_SYMLINKS)
                    .ifPresent(tree -> {
                        try (tree) {
                            if (FileLocks.tryLock(tree) && !needed.test(key)) {
                                FileSystem.removeTree(directory, key.hex() + REMOVED);
                                FileSystem.rename(directory, key.hex(), directory, key.hex() + REMOVED, false);
                                FileSystem.removeTree(directory, key.hex() + REMOVED);
                            }
                        }
                    });
        }
    }

    /// Returns the names of all trees.
    Set<Digest> keys() {
        var keys = new HashSet<Digest>();
        for (String name : DirectoryEntries.of(directory)) {
            if (name.matches(HEX)) {
                keys.add(new Digest(name));
            }
        }
        return keys;
    }

    /// Finds a complete tree.
    Optional<Layer> find(Digest key) {
        try (Fd tree = FileSystem.openAt(
                directory, key.hex(), FileSystem.O_PATH | FileSystem.O_DIRECTORY, 0, FileSystem.RESOLVE_NO_SYMLINKS)) {
            Layer found = Layer.of(path.resolve(key.hex()), tree);
            return Optional.of(removable ? found.ofStore() : found);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Returns the bytes of each complete tree, by its name.
    Map<String, Long> sizes() {
        var sizes = new TreeMap<String, Long>();
        for (Digest key : keys()) {
            Optional<Fd> found = FileSystem.find(directory, key.hex(), READ, FileSystem.RESOLVE_NO_SYMLINKS);
            found.ifPresent(tree -> {
                try (tree) {
                    sizes.put(key.hex(), TreeSize.of(tree));
                }
            });
        }
        return sizes;
    }

    private Fd lock(Digest key) {
        Fd locks = openLocks();
        try {
            while (!FileLocks.tryLockByte(locks, index(key.hex()))) {
                Thread.sleep(WAIT_MILLIS);
            }
            return locks;
        } catch (InterruptedException e) {
            locks.close();
            Thread.currentThread().interrupt();
            throw StoreFailures.interrupted("the layer " + key, e);
        } catch (RuntimeException e) {
            locks.close();
            throw e;
        }
    }

    /// Each holder needs an open file description of its own: a lock belongs to that, also within one process.
    private Fd openLocks() {
        return FileSystem.openAt(
                directory, LOCKS, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, FileSystem.RESOLVE_NO_SYMLINKS);
    }

    private static long index(String hex) {
        return Long.parseLong(hex, 0, 15, 16);
    }

    private void removeLeftovers() {
        for (String name : DirectoryEntries.of(directory)) {
            if (!name.matches(HEX + "\\.(?:partial|work|removed)")) {
                continue;
            }
            try (Fd locks = openLocks()) {
                if (FileLocks.tryLockByte(locks, index(name))) {
                    FileSystem.removeTree(directory, name);
                }
            }
        }
    }

    @Override
    public void close() {
        directory.close();
    }
}
