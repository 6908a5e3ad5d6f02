package dev.caisson.state;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;

/// The containers that are kept after their end, of one state directory; those of them that run too.
///
/// ```
/// DATA/containers/PARENT/ID.NAME    one with a name; locked while it runs, by who writes in it. PARENT stands for the
///                                   state directory
/// DATA/containers/PARENT/ID.~NAME   one whose name was made up
///     container.json                what it is
///     ID-json.log, .1, .2           what it said, the newest first; in Docker's format
///     denials.json                  what its filter denied, as far as that is known
///     end.json                      how it ended; not there where its engine was killed
/// ```
///
/// The directory of retained containers. An entry whose name begins with a dot is being made or removed by the holder
/// of the lock, or by nobody.
public final class KeptDirectory {
    /// Containers without a given name to retain, at least; at most [#MOST_NAMELESS] are: the first that
    /// ended go.
    public static final int NAMELESS = 100;

    public static final int MOST_NAMELESS = 120;
    public static final int MOST = 1000;

    private static final String CONTAINERS = "containers";
    private static final long UNLOCKING_NANOS = 1_000_000_000;
    private static final String UNFINISHED = ".";
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;

    /// A container by the name of its directory.
    ///
    /// @param name empty for one of an earlier version
    public record Entry(ContainerId id, Optional<String> name, boolean madeUp) {
        private static final int ID_DIGITS = 64;
        private static final String MADE_UP = ".~";

        public String directory() {
            return id + name.map(text -> (madeUp ? MADE_UP : ".") + text).orElse("");
        }

        private static Optional<Entry> of(String directory) {
            String id = directory.substring(0, Math.min(ID_DIGITS, directory.length()));
            String rest = directory.substring(id.length());
            if (!ContainerId.isValid(id) || !(rest.isEmpty() || rest.startsWith("."))) {
                return Optional.empty();
            }
            if (rest.isEmpty()) {
                return Optional.of(new Entry(new ContainerId(id), Optional.empty(), true));
            }
            boolean madeUp = rest.startsWith(MADE_UP);
            String name = rest.substring(madeUp ? MADE_UP.length() : 1);
            return Optional.of(new Entry(new ContainerId(id), Optional.of(name), madeUp));
        }
    }

    private final Path data;
    private final String parent;

    /// @param data where it is kept
    /// @param state of the engines whose containers they are
    public KeptDirectory(Path data, Path state) {
        this.data = data;
        this.parent = State.lastingName(state);
    }

    public List<Entry> entries() {
        return look(List.of(), KeptDirectory::entries);
    }

    /// Looks into the directory; `none` if there is no such.
    public <T> T look(T none, Function<Fd, T> look) {
        Optional<Fd> found = find();
        if (found.isEmpty()) {
            return none;
        }
        try (Fd all = found.get()) {
            return look.apply(all);
        }
    }

    /// Finds the one of this id.
    public Optional<Entry> find(ContainerId id) {
        return entries().stream().filter(entry -> entry.id().equals(id)).findFirst();
    }

    /// Gives one another name.
    /// @throws StateException NAME_INVALID, NAME_IN_USE, CONTAINER_UNKNOWN
    public Entry rename(Entry entry, String name) {
        Names.requireValid(name);
        var renamed = new Entry(entry.id(), Optional.of(name), false);
        try (Fd all = open();
                Fd _ = whole(all)) {
            requireFree(name, entries(all));
            FileSystem.rename(all, entry.directory(), all, renamed.directory(), false);
            return renamed;
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                throw new StateException(
                        "CONTAINER_UNKNOWN", "the container " + entry.id().shortForm() + " has been removed", e);
            }
            throw e;
        }
    }

    /// Returns the entries of the open directory.
    public static List<Entry> entries(Fd all) {
        return DirectoryEntries.of(all).stream()
                .map(Entry::of)
                .flatMap(Optional::stream)
                .toList();
    }

    /// Refuses a name, before anything is changed, that tells a container which is kept.
    public void requireFree(String name) {
        requireFree(name, entries());
    }

    /// True if no container that is kept has a name, as far as can be read: who keeps another there is told.
    public boolean isFree(String name) {
        try {
            return entries().stream()
                    .noneMatch(entry -> entry.name().filter(name::equals).isPresent());
        } catch (StateException e) {
            return true;
        }
    }

    private static void requireFree(String name, List<Entry> entries) {
        for (Entry entry : entries) {
            if (entry.name().filter(name::equals).isPresent()) {
                String id = entry.id().shortForm();
                throw new StateException(
                        "NAME_IN_USE",
                        "the container " + id + " has the name " + name + " already: remove it with 'caisson rm " + name
                                + "', or give another name");
            }
        }
    }

    /// Makes the directory of a container and takes its lock.
    /// @throws StateException NAME_IN_USE, TOO_MANY_KEPT
    public Fd make(Entry entry, KeptFile.Origin origin) {
        return make(entry, origin, _ -> {});
    }

    /// Like [#make(Entry, KeptFile.Origin)], with more in it before anybody can find it: whoever is killed meanwhile
    /// leaves nothing that has the name.
    public Fd make(Entry entry, KeptFile.Origin origin, Consumer<Fd> more) {
        try (Fd all = open();
                Fd _ = whole(all)) {
            List<Entry> entries = tidy(all);
            entry.name().ifPresent(name -> requireFree(name, entries));
            if (entries.size() >= MOST) {
                throw new StateException(
                        "TOO_MANY_KEPT",
                        entries.size() + " containers are kept: remove some with 'caisson rm', or run with --rm");
            }
            String unfinished = UNFINISHED + entry.directory();
            FileSystem.makeDirectory(all, unfinished, 0700);
            Fd own = FileSystem.openAt(all, unfinished, DIRECTORY, 0, BENEATH);
            try {
                FileLocks.lock(own);
                KeptFile.write(own, origin);
                more.accept(own);
                FileSystem.rename(all, unfinished, all, entry.directory(), false);
                return own;
            } catch (RuntimeException e) {
                own.close();
                throw e;
            }
        }
    }

    /// Opens the directory of a container that nobody runs any more and takes its lock, for who will run it.
    /// Waits for one that ends.
    /// @throws StateException CONTAINER_RUNNING, CONTAINER_UNKNOWN
    public Fd take(Entry entry) {
        Fd own = open(entry)
                .orElseThrow(() -> new StateException(
                        "CONTAINER_UNKNOWN", "the container " + entry.id().shortForm() + " has been removed"));
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < UNLOCKING_NANOS) {
            if (FileLocks.tryLock(own)) {
                return own;
            }
            LockSupport.parkNanos(UNLOCKING_NANOS / 1000);
        }
        own.close();
        throw new StateException(
                "CONTAINER_RUNNING",
                "the container " + entry.id().shortForm() + " is held by a process that ends: try again");
    }

    /// Removes what nobody finished, and of those whose name was made up the first that ended where there are too many.
    /// @return what is left
    private static List<Entry> tidy(Fd all) {
        var entries = new ArrayList<Entry>();
        for (String name : DirectoryEntries.of(all)) {
            if (name.startsWith(UNFINISHED)) {
                FileSystem.removeTree(all, name);
            } else {
                Entry.of(name).ifPresent(entries::add);
            }
        }
        List<Entry> nameless = entries.stream().filter(Entry::madeUp).toList();
        if (nameless.size() >= MOST_NAMELESS) {
            nameless.stream()
                    .filter(entry -> !isRunning(all, entry))
                    .sorted(Comparator.comparing(
                            entry -> FileSystem.status(all, entry.directory()).modified()))
                    .limit(nameless.size() - NAMELESS)
                    .forEach(entry -> {
                        remove(all, entry);
                        entries.remove(entry);
                    });
        }
        return entries;
    }

    private static void remove(Fd all, Entry entry) {
        String unfinished = UNFINISHED + entry.directory();
        FileSystem.rename(all, entry.directory(), all, unfinished, true);
        FileSystem.removeTree(all, unfinished);
    }

    /// Removes what is kept of a container.
    /// @throws StateException CONTAINER_RUNNING
    public void remove(Entry entry) {
        find().ifPresent(found -> {
            try (Fd all = found;
                    Fd _ = whole(all)) {
                if (isRunning(all, entry)) {
                    throw new StateException(
                            "CONTAINER_RUNNING",
                            "cannot remove container \""
                                    + entry.name().orElse(entry.id().shortForm())
                                    + "\": container is running: stop the container before removing or force remove");
                }
                removeIfThere(all, entry);
            }
        });
    }

    /// Removes one whose lock the caller has.
    public void discard(Entry entry) {
        try (Fd all = open();
                Fd _ = whole(all)) {
            removeIfThere(all, entry);
        }
    }

    private static void removeIfThere(Fd all, Entry entry) {
        try {
            remove(all, entry);
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    /// One that is gone does not run.
    public boolean isRunning(Entry entry) {
        return find().map(found -> {
                    try (Fd all = found) {
                        return isRunning(all, entry);
                    }
                })
                .orElse(false);
    }

    private static boolean isRunning(Fd all, Entry entry) {
        Optional<Fd> found = open(all, entry);
        if (found.isEmpty()) {
            return false;
        }
        try (Fd own = found.get()) {
            return FileLocks.isLocked(own);
        }
    }

    /// True unless it was removed or given another name.
    public boolean isThere(Entry entry) {
        Optional<Fd> found = open(entry);
        found.ifPresent(Fd::close);
        return found.isPresent();
    }

    /// The open directory of one; empty where it is gone.
    public Optional<Fd> open(Entry entry) {
        return find().flatMap(found -> {
            try (Fd all = found) {
                return open(all, entry);
            }
        });
    }

    /// Like [#open(Entry)], in the open directory.
    public static Optional<Fd> open(Fd all, Entry entry) {
        return FileSystem.find(all, entry.directory(), DIRECTORY, BENEATH);
    }

    private Optional<Fd> find() {
        try (Fd top = FileSystem.open(data.toString(), DIRECTORY)) {
            Optional<Fd> all = FileSystem.find(top, CONTAINERS + "/" + parent, DIRECTORY, BENEATH);
            all.ifPresent(found -> requireTrusted(found, path()));
            return all;
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw new StateException(
                    "DATA_UNUSABLE",
                    "the directory " + path() + " cannot be read (" + e.getMessage() + "): run as root",
                    e);
        }
    }

    private Fd open() {
        try (Fd top = FileSystem.open(data.toString(), DIRECTORY);
                Fd containers = FileSystem.openOrMakeDirectory(top, CONTAINERS, 0700)) {
            Fd all = FileSystem.openOrMakeDirectory(containers, parent, 0700);
            requireTrusted(all, path());
            return all;
        }
    }

    public Path path() {
        return data.resolve(CONTAINERS).resolve(parent);
    }

    private static void requireTrusted(Fd directory, Path path) {
        FileStatus status = FileSystem.status(directory);
        if (status.uid() != 0 || (status.permissions() & 077) != 0) {
            directory.close();
            throw new StateException(
                    "DATA_UNSAFE",
                    path + " must belong to root and be closed to others: chown root " + path + "; chmod 700 " + path);
        }
    }

    /// Holds off others that make or remove one.
    private static Fd whole(Fd all) {
        Fd held = FileSystem.openAt(all, ".", DIRECTORY, 0, BENEATH);
        try {
            FileLocks.lock(held);
            return held;
        } catch (RuntimeException e) {
            held.close();
            throw e;
        }
    }
}
