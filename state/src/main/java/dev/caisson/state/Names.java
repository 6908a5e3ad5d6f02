package dev.caisson.state;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.text.Quoted;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// Names of containers that run, each once in a state directory, whichever engine runs them.
///
/// ```
/// STATE/names/NAME   says which engine has the name
/// ```
///
/// Creating the file, under a lock, takes the name, so that two engines never both have it. A name of an engine that
/// was killed is taken over.
public final class Names {
    static final String DIRECTORY = "names";
    private static final String LOCK = "names.lock";
    private static final int TRIES = 100;
    private static final int MAX_CONTENT = 64;
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    /// A name that is taken, until it is closed.
    public final class Taken implements AutoCloseable {
        private final String name;
        private final boolean madeUp;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Taken(String name, boolean madeUp) {
            this.name = name;
            this.madeUp = madeUp;
        }

        public String name() {
            return name;
        }

        /// True if nobody asked for it.
        public boolean isMadeUp() {
            return madeUp;
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                removeIfThere(name);
            }
        }
    }

    private final Fd root;
    private final String engine;
    private final Predicate<String> isAlive;
    private final ConcurrentHashMap<String, Taken> byContainer = new ConcurrentHashMap<>();

    /// @param root of the state directory, open as long as this is used
    /// @param engine whose names these are
    /// @param isAlive whether the engine of a name still runs
    public Names(Fd root, String engine, Predicate<String> isAlive) {
        this.root = root;
        this.engine = engine;
        this.isAlive = isAlive;
        FileSystem.openOrMakeDirectory(root, DIRECTORY, 0700).close();
    }

    private static String path(String name) {
        return DIRECTORY + "/" + name;
    }

    /// Refuses what cannot be the name of a container.
    /// @throws StateException NAME_INVALID
    static void requireValid(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new StateException(
                    "NAME_INVALID",
                    Quoted.inApostrophes(name)
                            + " is not a name of a container: give 1 to 128 letters, digits, '_', '.' or '-', first a"
                            + " letter or digit");
        }
    }

    /// Takes the name that was asked for, or makes one up.
    /// @param isFree false for a name that a container has which is kept and does not run
    /// @throws StateException NAME_IN_USE, NAME_INVALID
    public Taken take(Optional<String> asked, Predicate<String> isFree) {
        if (asked.isPresent()) {
            requireValid(asked.get());
            if (!take(asked.get())) {
                throw new StateException(
                        "NAME_IN_USE",
                        "another container has the name " + asked.get()
                                + ": give another name, or remove that one with 'caisson rm -f " + asked.get() + "'");
            }
            return new Taken(asked.get(), false);
        }
        for (int i = 0; i < TRIES; i++) {
            String name = MadeUpName.random(i);
            if (isFree.test(name) && take(name)) {
                return new Taken(name, true);
            }
        }
        throw new StateException("NAME_IN_USE", TRIES + " made-up names are all in use: give a name");
    }

    /// Under the lock nobody writes a name: one that is empty is of an engine that was killed while it wrote it.
    private boolean take(String name) {
        try (Fd lock = FileSystem.openAt(root, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH)) {
            FileLocks.lock(lock);
            Optional<String> holder = holder(name);
            if (holder.isPresent()) {
                if (!holder.get().isEmpty() && isAlive.test(holder.get())) {
                    return false;
                }
                removeIfThere(name);
            }
            create(name);
            return true;
        }
    }

    private void create(String name) {
        StateRoot.write(root, path(name), FileSystem.O_EXCL, engine);
    }

    private Optional<String> holder(String name) {
        return holder(root, name);
    }

    /// Returns which engine has a name; empty if none has, or it can be none.
    static Optional<String> holder(Path state, String name) {
        if (!NAME.matcher(name).matches()) {
            return Optional.empty();
        }
        try (Fd root = FileSystem.open(state.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return holder(root, name);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw new StateException(
                    "STATE_UNUSABLE",
                    "the state directory " + state + " cannot be read (" + e.getMessage() + "): run as root",
                    e);
        }
    }

    private static Optional<String> holder(Fd root, String name) {
        Optional<Fd> found = FileSystem.find(root, path(name), FileSystem.O_RDONLY, BENEATH);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        try (Fd file = found.get()) {
            return Optional.of(new String(FileSystem.read(file, MAX_CONTENT), StandardCharsets.UTF_8));
        }
    }

    /// Gives back the names of an engine that was killed.
    void removeOf(String killed) {
        try (Fd all = FileSystem.openAt(root, DIRECTORY, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, BENEATH);
                Fd lock = FileSystem.openAt(root, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH)) {
            FileLocks.lock(lock);
            for (String name : DirectoryEntries.of(all)) {
                if (holder(name).filter(killed::equals).isPresent()) {
                    FileSystem.removeFile(root, path(name));
                }
            }
        }
    }

    /// Gives back a name of this engine.
    void remove(String name) {
        if (holder(name).filter(engine::equals).isPresent()) {
            removeIfThere(name);
        }
    }

    /// Whoever clears up after a monitor that has just ended may be quicker.
    private void removeIfThere(String name) {
        try {
            FileSystem.removeFile(root, path(name));
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    /// Has a name given back with its container.
    public void bind(String container, Taken name) {
        byContainer.put(container, name);
    }

    /// Gives back the name of a container that is removed.
    void release(String container) {
        Taken name = byContainer.remove(container);
        if (name != null) {
            name.close();
        }
    }
}
