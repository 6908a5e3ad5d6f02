package dev.caisson.state;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/// The places of containers that outlive their command: each has one of its own in the state directory, as an engine
/// has, and its monitor holds the lock of it.
public final class Places {
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private Places() {}

    /// Opens the place of a container; empty if it was cleared.
    public static Optional<Fd> open(Path state, String name) {
        return State.inEngines(state, Optional.empty(), engines -> FileSystem.find(engines, name, DIRECTORY, BENEATH));
    }

    /// Opens the directory of all places; empty if nobody has ever taken one.
    public static Optional<Fd> openAll(Path state) {
        return State.inEngines(state, Optional.empty(), engines -> FileSystem.find(engines, ".", DIRECTORY, BENEATH));
    }

    /// Returns the record of a container in its place.
    public static Optional<ContainerRecord> record(Fd place, String id) {
        return State.read(place, id + State.SUFFIX);
    }

    /// Replaces the record of a container in its place.
    public static void replace(Fd place, ContainerRecord record) {
        State.save(place, record, () -> {});
    }

    /// Clears the place of a container whose monitor is gone, while nobody else comes, goes or recovers.
    ///
    /// @param clear is called with the id of each container of the place
    /// @return false if the monitor still holds it
    public static boolean clear(Path state, String place, Consumer<String> clear) {
        try (Fd root = FileSystem.open(state.toString(), DIRECTORY);
                Fd engines = FileSystem.openAt(root, State.ENGINES, DIRECTORY, 0, BENEATH)) {
            FileLocks.lock(engines);
            Optional<Fd> there = FileSystem.find(engines, place, DIRECTORY, BENEATH);
            there.ifPresent(Fd::close);
            var names = new Names(root, place, other -> State.isAlive(engines, other));
            return there.isEmpty() || State.recover(engines, names, place, clear);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return true;
            }
            throw e;
        }
    }

    /// Gives a container another name, which nobody else can take meanwhile.
    ///
    /// @param between gives it the name where else it stands
    /// @throws StateException NAME_IN_USE
    public static void rename(Path state, String place, String from, String to, Runnable between) {
        try (Fd root = FileSystem.open(state.toString(), DIRECTORY);
                Fd engines = FileSystem.openAt(root, State.ENGINES, DIRECTORY, 0, BENEATH)) {
            var names = new Names(root, place, other -> State.isAlive(engines, other));
            Names.Taken taken = names.take(Optional.of(to), _ -> true);
            try {
                between.run();
            } catch (RuntimeException e) {
                taken.close();
                throw e;
            }
            names.remove(from);
        }
    }
}
