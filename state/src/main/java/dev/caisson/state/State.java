package dev.caisson.state;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.spec.ContainerId;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// The state directory: who runs what, so that another process can see it and the next engine can clear up
/// after one that was killed.
///
/// ```
/// STATE/ranges                     locks of id ranges
/// STATE/names                      names of running containers, see [Names]
/// STATE/engines/ENGINE/lock        held by a living engine
/// STATE/engines/ENGINE/ID.json     a container's record: empty from before the kernel is asked for anything
///                                  until the program is started
/// ```
public final class State implements Holding, AutoCloseable {
    /// The default state directory.
    public static final Path STANDARD = Path.of("/run/caisson");

    static final String ENGINES = "engines";
    private static final String LOCK = "lock";
    static final String SUFFIX = ".json";
    /// A plan is at most 4 MiB, in Base64 here.
    private static final int MAX_RECORD = 16 << 20;
    private static final int ID_BYTES = 8;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;

    private final String cgroupParent;
    private final Fd root;
    private final Fd engines;
    private final String engine;
    private final Fd own;
    private final Fd lock;
    private final Names names;

    /// Opens the directory and takes a place of its own in it.
    /// @throws StateException where it cannot be trusted or used
    public State(Path path) {
        this(path, UnaryOperator.identity());
    }

    /// @param group the control group of its containers, by the name that the directory has among groups
    public State(Path path, UnaryOperator<String> group) {
        this.root = StateRoot.open(path);
        this.cgroupParent = group.apply(cgroupParent(FileSystem.status(root)));
        this.engine = HexFormat.of().formatHex(KernelRandom.bytes(ID_BYTES));
        try {
            this.engines = FileSystem.openOrMakeDirectory(root, ENGINES, 0700);
        } catch (ErrnoException e) {
            root.close();
            throw StateRoot.unusable(path, e);
        }
        try (Fd _ = whole()) {
            FileSystem.makeDirectory(engines, engine, 0700);
            this.own = FileSystem.openAt(engines, engine, DIRECTORY, 0, BENEATH);
            this.lock = FileSystem.openAt(own, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH);
            FileLocks.lock(lock);
        } catch (ErrnoException e) {
            engines.close();
            root.close();
            throw StateRoot.unusable(path, e);
        }
        this.names = new Names(root, engine, other -> isAlive(engines, other));
    }

    /// True if an engine runs: it holds its lock.
    static boolean isAlive(Fd engines, String engine) {
        return FileSystem.find(engines, engine + "/" + LOCK, FileSystem.O_RDONLY, BENEATH)
                .map(found -> {
                    try (Fd lock = found) {
                        return FileLocks.isLocked(lock);
                    }
                })
                .orElse(false);
    }

    /// Names of the containers that run.
    public Names names() {
        return names;
    }

    /// Holds off the engines that come, go or recover: one that has a directory but no lock yet would pass for dead.
    private Fd whole() {
        Fd held = FileSystem.openAt(root, ENGINES, DIRECTORY, 0, BENEATH);
        try {
            FileLocks.lock(held);
            return held;
        } catch (RuntimeException e) {
            held.close();
            throw e;
        }
    }

    /// Returns the name of its own place.
    public String engine() {
        return engine;
    }

    /// Returns the directory of its own place.
    public Fd directory() {
        return own;
    }

    /// Returns the file whose lock says that the place is in use: whoever has a copy of this descriptor holds it too.
    public Fd lock() {
        return lock;
    }

    /// Leaves the place to whoever holds a copy of its lock.
    public void leave() {
        lock.close();
        own.close();
        engines.close();
        root.close();
    }

    public Fd root() {
        return root;
    }

    /// The control group that holds this state directory's containers.
    public String cgroupParent() {
        return cgroupParent;
    }

    /// Named for the directory itself and not for its path: an engine in another mount namespace of the host has the
    /// same path and the same control groups, and would clear containers away that it has no record of.
    public static String cgroupParent(Path path) {
        try (Fd root = FileSystem.open(path.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return cgroupParent(FileSystem.status(root));
        }
    }

    private static String cgroupParent(FileStatus root) {
        return "caisson-" + Long.toHexString(root.fileSystem()) + "-" + Long.toHexString(root.inode());
    }

    /// Returns the name of what stays on disk for this state directory after a restart of the host.
    public static String lastingName(Path path) {
        if (path.equals(STANDARD)) {
            return "caisson";
        }
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256").digest(path.toString().getBytes(StandardCharsets.UTF_8));
            return "caisson-" + HexFormat.of().formatHex(hash, 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /// Takes the name of a container that will be made, so that what is there of it is found whenever this process
    /// ends.
    public void announce(String id) {
        FileSystem.openAt(own, id + SUFFIX, FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL, 0600, BENEATH)
                .close();
    }

    /// Writes a record so that it is there whole or not at all, whenever this process ends. It is not synchronized with
    /// the disk: what it names ends with the kernel, so nobody needs it after a power failure.
    ///
    /// @param between run when it is written and not yet to be found
    public void save(ContainerRecord record, Runnable between) {
        save(own, record, between);
    }

    static void save(Fd own, ContainerRecord record, Runnable between) {
        String name = record.id() + SUFFIX;
        String partial = "." + name;
        StateRoot.write(own, partial, FileSystem.O_TRUNC, record.toJson());
        between.run();
        FileSystem.rename(own, partial, own, name, true);
    }

    /// Removes a record, and gives back its name.
    @Override
    public void undo(String id) {
        FileSystem.removeFile(own, id + SUFFIX);
        names.release(id);
    }

    /// Records of all engines at a state directory, also of those that were killed; none where there is no such
    /// directory.
    public static List<ContainerRecord> recordsIn(Path state) {
        return inEngines(state, List.of(), State::records);
    }

    /// Records of containers that run: their engine does, and their process 1 has not ended.
    public static List<ContainerRecord> runningIn(Path state) {
        return runningIn(state, Set.of());
    }

    /// Like [#runningIn(Path)], but those in some places.
    /// @param except names of the places that are passed over
    public static List<ContainerRecord> runningIn(Path state, Set<String> except) {
        return inEngines(state, List.of(), engines -> running(engines, name -> !except.contains(name), _ -> true));
    }

    /// @param places those in which to look
    /// @param ids those whose records to read: a record holds a whole plan
    static List<ContainerRecord> running(Fd engines, Predicate<String> places, Predicate<String> ids) {
        var running = new ArrayList<ContainerRecord>();
        for (String name : DirectoryEntries.of(engines)) {
            if (!name.startsWith(".") && places.test(name) && isAlive(engines, name)) {
                records(engines, name, ids).stream()
                        .filter(record -> ProcessTimes.isRunning(record.pid(), record.startTime()))
                        .forEach(running::add);
            }
        }
        return running;
    }

    /// The record of a container that runs.
    public static Optional<ContainerRecord> running(ContainerId id, Path state) {
        return inEngines(state, List.<ContainerRecord>of(), engines -> running(engines, _ -> true, id.value()::equals))
                .stream()
                .findFirst();
    }

    /// True if an engine was killed and what it left is still there.
    ///
    /// @param alive names of places whose holders are known to live
    public static boolean hasLeftovers(Path state, Set<String> alive) {
        return inEngines(
                state,
                false,
                engines -> DirectoryEntries.of(engines).stream()
                        .anyMatch(name -> !name.startsWith(".") && !alive.contains(name) && !isAlive(engines, name)));
    }

    /// True if no engine and no container has a place.
    public static boolean isEmpty(Path state) {
        return inEngines(state, true, engines -> DirectoryEntries.of(engines).isEmpty());
    }

    /// True if a container is still there: its engine runs and has not removed it.
    public static boolean isRecorded(Path state, ContainerRecord record) {
        return inEngines(
                state,
                false,
                engines -> DirectoryEntries.of(engines).stream()
                        .filter(name -> !name.startsWith(".") && isAlive(engines, name))
                        .anyMatch(name -> isRecorded(engines, name, record.id())));
    }

    /// True if a container of any engine has a record now, its engine alive or not.
    public static boolean isRecordedIn(Path state, String id) {
        return inEngines(
                state, false, all -> DirectoryEntries.of(all).stream().anyMatch(name -> isRecorded(all, name, id)));
    }

    private static boolean isRecorded(Fd engines, String engine, String id) {
        Optional<Fd> record = FileSystem.find(engines, engine + "/" + id + SUFFIX, FileSystem.O_PATH, BENEATH);
        record.ifPresent(Fd::close);
        return record.isPresent();
    }

    static <T> T inEngines(Path state, T none, Function<Fd, T> read) {
        try (Fd engines =
                FileSystem.open(state.resolve(ENGINES).toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return read.apply(engines);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return none;
            }
            throw new StateException(
                    "STATE_UNUSABLE",
                    "the state directory " + state + " cannot be read (" + e.getMessage() + "): run as root",
                    e);
        }
    }

    /// Ids of the containers of all engines, this one's too.
    Set<String> ids() {
        var ids = new HashSet<String>();
        forEachRecord(engines, (_, file) -> ids.add(id(file)));
        return ids;
    }

    /// True if a container of any engine has a record now. A look-up by name, unlike a listing, misses no file that is
    /// being replaced meanwhile: on tmpfs a renamed file can be in neither half of a listing.
    public boolean isRecorded(String id) {
        return DirectoryEntries.of(engines).stream().anyMatch(name -> isRecorded(engines, name, id));
    }

    private static String id(String file) {
        return file.substring(0, file.length() - SUFFIX.length());
    }

    /// Records of all engines, this one's too.
    List<ContainerRecord> records() {
        return records(engines);
    }

    private static List<ContainerRecord> records(Fd engines) {
        var records = new ArrayList<ContainerRecord>();
        for (String name : DirectoryEntries.of(engines)) {
            if (!name.startsWith(".")) {
                records.addAll(records(engines, name, _ -> true));
            }
        }
        return records;
    }

    private static List<ContainerRecord> records(Fd engines, String engine, Predicate<String> ids) {
        var records = new ArrayList<ContainerRecord>();
        forEachRecord(engines, engine, (directory, file) -> {
            try {
                if (ids.test(id(file))) {
                    read(directory, file).ifPresent(records::add);
                }
            } catch (StateException e) {
                // One that cannot be read must not hide the others.
                System.getLogger(State.class.getName())
                        .log(System.Logger.Level.WARNING, "the record " + file + " is passed over: " + e.getMessage());
            }
        });
        return records;
    }

    private static void forEachRecord(Fd engines, BiConsumer<Fd, String> act) {
        for (String name : DirectoryEntries.of(engines)) {
            if (!name.startsWith(".")) {
                forEachRecord(engines, name, act);
            }
        }
    }

    private static void forEachRecord(Fd engines, String engine, BiConsumer<Fd, String> act) {
        try (Fd directory = FileSystem.openAt(engines, engine, DIRECTORY, 0, BENEATH)) {
            for (String file : DirectoryEntries.of(directory)) {
                if (!file.startsWith(".") && file.endsWith(SUFFIX)) {
                    act.accept(directory, file);
                }
            }
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    static Optional<ContainerRecord> read(Fd directory, String file) {
        try (Fd open = FileSystem.openAt(directory, file, FileSystem.O_RDONLY, 0, BENEATH)) {
            byte[] json = FileSystem.read(open, MAX_RECORD);
            // Empty: it does not run yet, or a power failure came before the disk had the record and it is gone.
            return json.length == 0
                    ? Optional.empty()
                    : Optional.of(ContainerRecord.parse(new String(json, StandardCharsets.UTF_8)));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Finds engines that ended without clearing up: calls `clear` with the id of each of their containers, then
    /// forgets them.
    ///
    /// @param last run at the end, while no engine comes or goes
    public void recover(Consumer<String> clear, Runnable last) {
        try (Fd _ = whole()) {
            for (String name : DirectoryEntries.of(engines)) {
                if (!name.equals(engine)) {
                    recover(name, clear);
                }
            }
            last.run();
        }
    }

    private void recover(String name, Consumer<String> clear) {
        boolean _ = recover(engines, names, name, clear);
    }

    /// Clears and forgets one place.
    /// @return false if somebody holds it
    static boolean recover(Fd engines, Names names, String name, Consumer<String> clear) {
        try (Fd directory = FileSystem.openAt(engines, name, DIRECTORY, 0, BENEATH);
                Fd held = FileSystem.openAt(directory, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH)) {
            if (!FileLocks.tryLock(held)) {
                return false;
            }
            for (String file : DirectoryEntries.of(directory)) {
                // The name tells enough: what a power failure made of the content does not matter.
                if (!file.startsWith(".") && file.endsWith(SUFFIX)) {
                    clear.accept(id(file));
                }
            }
            FileSystem.removeTree(engines, name);
            names.removeOf(name);
            return true;
        }
    }

    @Override
    public void close() {
        close(() -> {});
    }

    /// Gives up its place in the directory.
    /// @param last run where no other engine is there, while none can come
    public void close(Runnable last) {
        try (Fd _ = whole()) {
            FileSystem.removeTree(engines, engine);
            if (DirectoryEntries.of(engines).isEmpty()) {
                last.run();
            }
        }
        leave();
    }
}
