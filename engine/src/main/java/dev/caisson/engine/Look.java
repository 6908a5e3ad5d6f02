package dev.caisson.engine;

import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.launch.monitor.MonitorStatus;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptFile;
import dev.caisson.state.KnownFiles;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// One look into the directory of the containers that are kept.
///
/// @param all the open directory
/// @param places the directory of all places, if there is one
record Look(EngineOptions options, KeptDirectory among, Fd all, Optional<Fd> places, Files files) {
    /// One that is renamed meanwhile is looked for again, by its id.
    private static final int MOST_ROUNDS = 4;

    private static final int MOST_TRIES = 4;
    private static final int STATUS = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private static final KeptFile.Origin UNKNOWN = new KeptFile.Origin("", List.of(), Map.of(), Instant.EPOCH);

    /// The files that are known of one state directory.
    ///
    /// @param refreshed the last start of a container whose process its record has, by its id
    record Files(
            KnownFiles<KeptFile.Origin> origins,
            KnownFiles<DetachedFile> detached,
            KnownFiles<Ending> ends,
            KnownFiles<NetworkPlaces> networks,
            Map<String, Start> refreshed) {
        static Files make() {
            return new Files(
                    new KnownFiles<>(KeptFile.ORIGIN),
                    new KnownFiles<>(DetachedFile.NAME),
                    new KnownFiles<>(KeptFile.ENDING),
                    new KnownFiles<>(KeptSpec.NAME),
                    new ConcurrentHashMap<>());
        }

        void retain(Set<String> containers) {
            origins.retain(containers);
            detached.retain(containers);
            ends.retain(containers);
            networks.retain(containers);
            refreshed.keySet().retainAll(containers);
        }

        /// Returns what its spec asks for; empty if it has none.
        Optional<NetworkPlaces> network(Fd all, KeptDirectory.Entry entry) {
            return KeptDirectory.open(all, entry).flatMap(found -> {
                try (Fd own = found) {
                    return networks.read(
                            own,
                            entry.id().value(),
                            directory -> KeptSpec.read(directory).map(SharedNetwork::asked));
                }
            });
        }

        boolean isRefreshed(ContainerId id, MonitorState up) {
            return Start.of(up).equals(refreshed.get(id.value()));
        }

        void setRefreshed(ContainerId id, MonitorState up) {
            refreshed.put(id.value(), Start.of(up));
        }
    }

    /// A start of a container, by the monitor that made it.
    record Start(int monitor, int generation) {
        static Start of(MonitorState up) {
            return new Start(up.monitorPid(), up.generation());
        }
    }

    List<Listing.One> containers() {
        Map<String, KeptDirectory.Entry> left = byId();
        files.retain(left.keySet());
        var found = new ArrayList<Listing.One>();
        for (int round = 0; round < MOST_ROUNDS && !left.isEmpty(); round++) {
            var missed = new HashSet<String>();
            left.values()
                    .forEach(entry -> one(entry)
                            .ifPresentOrElse(
                                    found::add, () -> missed.add(entry.id().value())));
            left = missed.isEmpty() ? Map.of() : byId();
            left.keySet().retainAll(missed);
        }
        return found;
    }

    private Map<String, KeptDirectory.Entry> byId() {
        var byId = new LinkedHashMap<String, KeptDirectory.Entry>();
        KeptDirectory.entries(all).forEach(entry -> byId.put(entry.id().value(), entry));
        return byId;
    }

    /// Empty if it has been removed, or has another name by now.
    private Optional<Listing.One> one(KeptDirectory.Entry entry) {
        return KeptDirectory.open(all, entry).flatMap(found -> {
            try (Fd own = found) {
                String id = entry.id().value();
                Optional<KeptFile.Origin> origin = files.origins().read(own, id, KeptFile::origin);
                Optional<DetachedFile> file = files.detached().read(own, id, DetachedFile::read);
                Listing.One one = file.isEmpty()
                        ? attached(own, entry, origin.orElse(UNKNOWN))
                        : detached(entry, origin.orElse(UNKNOWN), file.get());
                boolean sure = origin.isPresent() && (file.isEmpty() || one.held());
                return sure || FileSystem.isDirectory(all, entry.directory()) ? Optional.of(one) : Optional.empty();
            }
        });
    }

    /// Its end is looked for last: it is written first.
    private Listing.One attached(Fd own, KeptDirectory.Entry entry, KeptFile.Origin origin) {
        boolean held = FileLocks.isLocked(own);
        Optional<Ending> ending = held
                ? Optional.empty()
                : files.ends().read(own, entry.id().value(), directory -> Ending.in(directory, entry.id()));
        return new Listing.One(entry, origin, Optional.empty(), Optional.empty(), Optional.empty(), held, ending);
    }

    private Listing.One detached(KeptDirectory.Entry entry, KeptFile.Origin origin, DetachedFile file) {
        var place = new DetachedPlace(options, among, entry);
        Optional<MonitorState> told = places.flatMap(open -> shown(open, file.place()))
                .or(() -> Failures.uninterrupted(place::told).flatMap(state -> state));
        return new Listing.One(
                entry,
                origin,
                Optional.of(file),
                Optional.of(told.map(ToldState::of).orElseGet(place::lastState)),
                told.or(place::recorded),
                told.isPresent(),
                Optional.empty());
    }

    /// Reads what a monitor shows to those who do not connect; empty if it has to be asked. A killed one holds
    /// no lock, one of an earlier version shows nothing, and what is no status is not believed.
    private static Optional<MonitorState> shown(Fd places, String place) {
        try (Fd file = openStatus(places, place)) {
            return read(file).filter(_ -> FileLocks.isLocked(file)); // in this order: it lived while it was read
        } catch (ErrnoException e) {
            return Optional.empty(); // not there, or no regular file
        }
    }

    /// Opens what a monitor shows; the caller's to close.
    ///
    /// @param places directory of all places
    static Fd openStatus(Fd places, String place) {
        return FileSystem.openAt(places, place + "/" + MonitorStatus.NAME, STATUS, 0, BENEATH);
    }

    /// Empty if it is of another version.
    static Optional<MonitorState> read(Fd file) {
        Optional<MonitorState> state = Optional.empty();
        for (int tries = 0; state.isEmpty() && tries < MOST_TRIES; tries++) { // it may be written just now
            state = MonitorStatus.decode(FileSystem.read(file, MonitorStatus.MOST_BYTES));
        }
        return state;
    }
}
