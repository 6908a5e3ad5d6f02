package dev.caisson.state;

import dev.caisson.spec.ContainerId;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which containers a text stands for, among all of a state directory: those that run and those that are kept. An id
/// comes first, then a name, then the beginning of an id, whoever has it: what is asked of a container that has ended
/// never reaches another one whose id begins like its name.
public final class ContainerLookup {
    private ContainerLookup() {}

    /// Returns their ids: none, or one, or several whose ids all begin so.
    ///
    /// @param given a name, with or without a `/` in front, as in Docker's `inspect`; an id, or its beginning
    /// @param data where containers are kept
    /// @param state of the engines whose containers they are
    public static List<ContainerId> matching(String given, Path data, Path state) {
        String text = given.startsWith("/") ? given.substring(1) : given;
        List<KeptDirectory.Entry> kept = new KeptDirectory(data, state).entries();
        if (ContainerId.isValid(text)) {
            var id = new ContainerId(text);
            if (kept.stream().anyMatch(entry -> entry.id().equals(id))
                    || State.running(id, state).isPresent()) {
                return List.of(id);
            }
        }
        List<ContainerId> named = kept.stream()
                .filter(entry -> entry.name().filter(text::equals).isPresent())
                .map(KeptDirectory.Entry::id)
                .toList();
        if (named.isEmpty()) {
            named = named(text, state);
        }
        if (!named.isEmpty() || text.isEmpty()) {
            return named;
        }
        Set<ContainerId> beginning = new LinkedHashSet<>(beginning(text, state));
        kept.stream()
                .map(KeptDirectory.Entry::id)
                .filter(id -> id.value().startsWith(text))
                .forEach(beginning::add);
        return List.copyOf(beginning);
    }

    /// Those that run under a name. Reads the records of one place alone: who runs has its name in [Names].
    private static List<ContainerId> named(String name, Path state) {
        Optional<String> holder = Names.holder(state, name);
        if (holder.isEmpty()) {
            return List.of();
        }
        List<ContainerRecord> records =
                State.inEngines(state, List.of(), engines -> State.running(engines, holder.get()::equals, _ -> true));
        return ids(records.stream().filter(record -> record.name().equals(name)).toList());
    }

    /// Those that run whose id begins so. Reads no other container's record: an id is the name of its file.
    private static List<ContainerId> beginning(String beginning, Path state) {
        return ids(State.inEngines(
                state, List.of(), engines -> State.running(engines, _ -> true, id -> id.startsWith(beginning))));
    }

    private static List<ContainerId> ids(List<ContainerRecord> records) {
        return records.stream().map(record -> new ContainerId(record.id())).toList();
    }
}
