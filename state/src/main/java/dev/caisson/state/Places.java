package dev.caisson.state;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.util.Optional;

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

    /// Returns the record of a container in its place.
    public static Optional<ContainerRecord> record(Fd place, String id) {
        return State.read(place, id + State.SUFFIX);
    }

    /// Replaces the record of a container in its place.
    public static void replace(Fd place, ContainerRecord record) {
        State.save(place, record, () -> {});
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
