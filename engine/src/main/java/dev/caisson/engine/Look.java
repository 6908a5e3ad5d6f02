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
import dev.caisson.state.KnownDirectories;
import dev.caisson.state.KnownDirectories.Seen;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

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

    /// A container, as its directory describes it.
    ///
    /// @param origin empty where it cannot be read
    /// @param file of one that outlives its command
    record Kept(Optional<KeptFile.Origin> origin, Optional<DetachedFile> file) {
        static Kept read(Fd own) {
            return new Kept(KeptFile.origin(own), DetachedFile.read(own));
        }
    }

    /// Facts that are known of one state directory.
    ///
    /// @param refreshed the last start of a container whose process its record has, by its id
    record Files(
            KnownDirectories<Kept> kept,
            KnownDirectories<Ending> ends,
            KnownDirectories<NetworkPlaces> networks,
            Map<String, Start> refreshed) {
        static Files make() {
            return new Files(
                    new KnownDirectories<>(),
                    new KnownDirectories<>(),
                    new KnownDirectories<>(),
                    new ConcurrentHashMap<>());
        }

        void retain(Set<String> containers) {
            kept.retain(containers);
            ends.retain(containers);
            networks.retain(containers);
            refreshed.keySet().retainAll(containers);
        }

        /// Returns what its spec asks for; empty if it has none.
        Optional<NetworkPlaces> network(Fd all, KeptDirectory.Entry entry) {
            String id = entry.id().value();
            return Seen.of(all, entry.directory())
                    .flatMap(seen -> networks.find(id, seen)
                            .or(() -> KeptDirectory.open(all, entry).flatMap(found -> {
                                try (Fd own = found) {
                                    Optional<NetworkPlaces> asked =
                                            KeptSpec.read(own).map(SharedNetwork::asked);
                                    asked.ifPresent(places -> networks.keep(id, seen, places, own));
                                    return asked;
                                }
                            })));
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
        return Seen.of(all, entry.directory()).flatMap(seen -> {
            Optional<Kept> known = files.kept().find(entry.id().value(), seen);
            return known.filter(kept -> kept.file().isPresent()).isPresent()
                    ? one(entry, known.get(), () -> detached(entry, known.get()))
                    : opened(entry, seen, known);
        });
    }

    private Optional<Listing.One> opened(KeptDirectory.Entry entry, Seen seen, Optional<Kept> known) {
        return KeptDirectory.open(all, entry).flatMap(found -> {
            try (Fd own = found) {
                Kept kept = known.orElseGet(() -> read(own, entry.id().value(), seen));
                return one(
                        entry,
                        kept,
                        () -> kept.file().isPresent() ? detached(entry, kept) : attached(own, entry, seen, kept));
            }
        });
    }

    private Kept read(Fd own, String id, Seen seen) {
        Kept kept = Kept.read(own);
        if (kept.origin().isPresent()) {
            files.kept().keep(id, seen, kept, own, KeptFile.ORIGIN, DetachedFile.NAME);
        }
        return kept;
    }

    private Optional<Listing.One> one(KeptDirectory.Entry entry, Kept kept, Supplier<Listing.One> look) {
        Listing.One one = look.get();
        boolean sure = kept.origin().isPresent() && (kept.file().isEmpty() || one.held());
        return sure || FileSystem.isDirectory(all, entry.directory()) ? Optional.of(one) : Optional.empty();
    }

    /// Its end is looked for last: it is written first.
    private Listing.One attached(Fd own, KeptDirectory.Entry entry, Seen seen, Kept kept) {
        boolean held = FileLocks.isLocked(own);
        Optional<Ending> ending = held ? Optional.empty() : ending(own, entry.id(), seen);
        return new Listing.One(
                entry,
                kept.origin().orElse(UNKNOWN),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                held,
                ending);
    }

    private Optional<Ending> ending(Fd own, ContainerId id, Seen seen) {
        Optional<Ending> known = files.ends().find(id.value(), seen);
        if (known.isPresent()) {
            return known;
        }
        Optional<Ending> read = Ending.in(own, id);
        read.ifPresent(ending -> files.ends().keep(id.value(), seen, ending, own, KeptFile.ENDING));
        return read;
    }

    private Listing.One detached(KeptDirectory.Entry entry, Kept kept) {
        DetachedFile file = kept.file().orElseThrow();
        var place = new DetachedPlace(options, among, entry);
        Optional<MonitorState> told = places.flatMap(open -> shown(open, file.place()))
                .or(() -> Failures.uninterrupted(place::told).flatMap(state -> state));
        return new Listing.One(
                entry,
                kept.origin().orElse(UNKNOWN),
                kept.file(),
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
