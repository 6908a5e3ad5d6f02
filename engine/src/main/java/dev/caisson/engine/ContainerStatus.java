package dev.caisson.engine;

import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A container that runs, or that is kept after its end.
///
/// @param name empty for one that is kept since before names were made up
/// @param command the beginning of what it runs
/// @param running whether its engine is there
/// @param kept whether its log and end are kept
/// @param ended when it ended, where that is known
/// @param result how it ended, where that is known
/// @param state of one that outlives its command
public record ContainerStatus(
        ContainerId id,
        Optional<String> name,
        Map<String, String> labels,
        String image,
        List<String> command,
        Instant created,
        boolean running,
        boolean kept,
        Optional<Instant> ended,
        Optional<RunResult> result,
        Optional<ContainerState> state) {
    public ContainerStatus {
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
        command = List.copyOf(command);
    }

    /// All of a state directory, whichever process runs them, the newest first.
    public static List<ContainerStatus> all(EngineOptions options) {
        return all(options, Listing.of(options));
    }

    /// The same, once what killed engines have left is removed, as [Leftovers#clear] does: in one look if there is
    /// nothing.
    public static List<ContainerStatus> allButLeftovers(EngineOptions options) {
        return all(options, Leftovers.cleared(options).orElseGet(() -> Listing.of(options)));
    }

    private static List<ContainerStatus> all(EngineOptions options, Listing first) {
        Listing listing = first;
        Set<String> kept = listing.ids();
        List<ContainerRecord> records = State.runningIn(options.state(), listing.livingPlaces()).stream()
                .filter(record -> !kept.contains(record.id()))
                .toList();
        if (!records.isEmpty()) { // one of them may be kept, and have begun meanwhile
            listing = Listing.of(options);
            kept.addAll(listing.ids());
        }
        var all = new ArrayList<ContainerStatus>();
        listing.containers().forEach(one -> all.add(of(one)));
        records.stream().filter(record -> !kept.contains(record.id())).forEach(record -> all.add(of(record)));
        all.sort(Comparator.comparing(ContainerStatus::created).reversed());
        return all;
    }

    /// Finds one by its name, else by the beginning of its id.
    /// @throws EngineException CONTAINER_UNKNOWN, CONTAINER_AMBIGUOUS
    public static ContainerStatus find(String container, EngineOptions options) {
        return Lookup.find(container, options)
                .flatMap(id ->
                        all(options).stream().filter(one -> one.id().equals(id)).findFirst())
                .orElseThrow(() -> Failures.unknown(container));
    }

    /// Returns its state in Docker's words; dead is one whose engine or monitor was killed.
    public String word() {
        if (state.isPresent()) {
            return state.get().word();
        }
        return running ? "running" : result.isEmpty() ? "dead" : "exited";
    }

    /// Returns the status that a shell would have seen of its end, if it has ended and that is known.
    public java.util.OptionalInt exitStatus() {
        if (state.isPresent()) {
            return state.get()
                    .lastEnd()
                    .map(end -> java.util.OptionalInt.of(end.status()))
                    .orElseGet(java.util.OptionalInt::empty);
        }
        return result.map(known -> java.util.OptionalInt.of(known.exitStatus()))
                .orElseGet(java.util.OptionalInt::empty);
    }

    private static ContainerStatus of(Listing.One one) {
        boolean running = one.isRunning();
        return new ContainerStatus(
                one.id(),
                one.entry().name(),
                one.origin().labels(),
                one.origin().image(),
                one.origin().command(),
                one.origin().created(),
                running,
                true,
                running ? Optional.empty() : one.ended(),
                running ? Optional.empty() : one.result(),
                one.state());
    }

    private static ContainerStatus of(ContainerRecord record) {
        return new ContainerStatus(
                new ContainerId(record.id()),
                Optional.of(record.name()).filter(name -> !name.isEmpty()),
                record.labels(),
                record.image(),
                record.command(),
                Instant.ofEpochMilli(record.createdMillis()),
                true,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
