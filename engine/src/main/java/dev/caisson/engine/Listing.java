package dev.caisson.engine;

import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptFile;
import dev.caisson.state.Places;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/// The containers that are kept in a state directory, at one moment. A monitor that shows its state by a file is
/// not asked, and a process that lists again does not read files that have not changed.
final class Listing {
    private static final int MOST_DIRECTORIES = 8;
    private static final Map<Path, Look.Files> FILES = new ConcurrentHashMap<>();

    private final EngineOptions options;
    private final KeptDirectory among;
    private final Look.Files files;
    private final List<One> containers;

    /// One container.
    ///
    /// @param file of one that outlives its command
    /// @param state of such a one
    /// @param known what its monitor says, or has left
    /// @param held whether its monitor lives, or the process that runs it
    /// @param ending of one that ended with its command
    record One(
            KeptDirectory.Entry entry,
            KeptFile.Origin origin,
            Optional<DetachedFile> file,
            Optional<ContainerState> state,
            Optional<MonitorState> known,
            boolean held,
            Optional<Ending> ending) {
        ContainerId id() {
            return entry.id();
        }

        /// True if it runs, or will be started again by its policy.
        boolean isRunning() {
            return state.map(now -> now.isUp() || now instanceof ContainerState.Restarting)
                    .orElse(held);
        }

        /// Returns when it ended, if that is known.
        Optional<Instant> ended() {
            return state.isPresent() ? state.get().lastEnd().map(ContainerState.End::time) : ending.map(Ending::time);
        }

        /// Returns how its last run ended, its output left out; empty if it runs, never ran, or nobody knows.
        Optional<RunResult> result() {
            return state.isPresent()
                    ? known.filter(last -> !EndWatch.isGoingOn(last))
                            .flatMap(last -> RunResults.of(id(), last, List.of(), SetIdPrograms.NONE))
                    : ending.map(Ending::result);
        }

        /// True if it was to be removed at its end, and that has come, or its lease is over: nobody can renew that
        /// of one that has no monitor.
        boolean isUnwanted() {
            boolean abandoned =
                    !held && file.flatMap(kept -> kept.options().lease()).isPresent();
            if (abandoned
                    && state.filter(ContainerState.Created.class::isInstance).isPresent()) {
                return true;
            }
            boolean ended = state.filter(
                            now -> now instanceof ContainerState.Exited || now instanceof ContainerState.Lost)
                    .isPresent();
            boolean removed = file.filter(kept -> kept.options().removedAtEnd()).isPresent();
            return ended
                    && (removed
                            || abandoned
                            || known.filter(MonitorState::isLeaseOver).isPresent());
        }
    }

    private Listing(EngineOptions options, KeptDirectory among, Look.Files files) {
        this.options = options;
        this.among = among;
        this.files = files;
        this.containers = among.look(List.of(), all -> {
            Optional<Fd> places = Places.openAll(options.state());
            try {
                return new Look(options, among, all, places, files).containers();
            } finally {
                places.ifPresent(Fd::close);
            }
        });
    }

    static Listing of(EngineOptions options) {
        var among = new KeptDirectory(options.data(), options.state());
        return new Listing(options, among, files(among));
    }

    private static Look.Files files(KeptDirectory among) {
        if (FILES.size() > MOST_DIRECTORIES) {
            FILES.clear();
        }
        return FILES.computeIfAbsent(among.path(), _ -> Look.Files.make());
    }

    /// Returns what stands for the places of those of the containers that outlive their commands, as their specs ask
    /// for it.
    static Map<ContainerId, NetworkPlaces> networks(Set<ContainerId> containers, EngineOptions options) {
        if (containers.isEmpty()) {
            return Map.of();
        }
        var among = new KeptDirectory(options.data(), options.state());
        Look.Files files = files(among);
        return among.look(Map.of(), all -> {
            var found = new HashMap<ContainerId, NetworkPlaces>();
            for (KeptDirectory.Entry entry : KeptDirectory.entries(all)) {
                if (containers.contains(entry.id())) {
                    files.network(all, entry).ifPresent(network -> found.put(entry.id(), network));
                }
            }
            return found;
        });
    }

    /// Returns them, in no order.
    List<One> containers() {
        return containers;
    }

    DetachedPlace place(One one) {
        return new DetachedPlace(options, among, one.entry());
    }

    /// Writes down the process of one that its policy has started, once for each start.
    void refresh(One one) throws InterruptedException {
        Optional<MonitorState> up = one.known().filter(state -> one.held() && state.isUp() && state.restarts() > 0);
        if (up.isPresent() && !files.isRefreshed(one.id(), up.get())) {
            place(one).refresh();
            files.setRefreshed(one.id(), up.get());
        }
    }

    /// Returns the ids of all of them.
    Set<String> ids() {
        return containers.stream().map(one -> one.id().value()).collect(Collectors.toCollection(HashSet::new));
    }

    /// Returns the places whose monitors live.
    Set<String> livingPlaces() {
        return containers.stream()
                .filter(One::held)
                .flatMap(one -> one.file().stream())
                .map(DetachedFile::place)
                .collect(Collectors.toSet());
    }
}
