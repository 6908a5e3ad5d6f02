package dev.caisson.engine;

import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.HealthLog;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.launch.monitor.MonitorRecord;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptFile;
import dev.caisson.state.KeptRun;
import dev.caisson.state.LogReader;
import dev.caisson.state.Places;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/// Where the parts of a container that outlives its command stand: its directory among those that are kept, and the
/// place in the state directory that its monitor holds.
final class DetachedPlace {
    private static final String LOCK = "lock";
    private static final String DEAD = "CONTAINER_DEAD";
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final EngineOptions options;
    private final KeptDirectory among;
    private KeptDirectory.Entry entry;

    /// The lock of one container, which everybody takes who changes what it is or does.
    record Held(Fd kept, Fd lock) implements AutoCloseable {
        @Override
        public void close() {
            lock.close();
            kept.close();
        }
    }

    DetachedPlace(EngineOptions options, KeptDirectory among, KeptDirectory.Entry entry) {
        this.options = options;
        this.among = among;
        this.entry = entry;
    }

    /// @throws EngineException CONTAINER_AMBIGUOUS
    static Optional<DetachedPlace> find(String container, EngineOptions options) {
        var among = new KeptDirectory(options.data(), options.state());
        return among.find(container)
                .map(entry -> new DetachedPlace(options, among, entry))
                .filter(place -> place.findFile().isPresent());
    }

    /// All of a state directory, in no order.
    static List<DetachedPlace> all(EngineOptions options) {
        var among = new KeptDirectory(options.data(), options.state());
        return among.entries().stream()
                .map(entry -> new DetachedPlace(options, among, entry))
                .filter(place -> place.findFile().isPresent())
                .toList();
    }

    ContainerId id() {
        return entry.id();
    }

    String name() {
        return entry.name().orElse(id().shortForm());
    }

    Optional<DetachedFile> findFile() {
        return read(DetachedFile::read);
    }

    /// Reads in its directory; empty if that is gone.
    private <T> Optional<T> read(Function<Fd, Optional<T>> read) {
        return directory().flatMap(found -> {
            try (Fd own = found) {
                return read.apply(own);
            }
        });
    }

    /// Opens its directory, by the name that it has by now; empty if it was removed.
    private Optional<Fd> directory() {
        Optional<Fd> found = among.open(entry);
        while (found.isEmpty()) {
            Optional<KeptDirectory.Entry> renamed = among.find(id().value());
            if (renamed.isEmpty()) {
                return Optional.empty();
            }
            entry = renamed.get();
            found = among.open(entry);
        }
        return found;
    }

    /// @throws EngineException CONTAINER_UNKNOWN if it was removed
    DetachedFile file() {
        return findFile().orElseThrow(this::unknown);
    }

    private EngineException unknown() {
        return Failures.removed(name());
    }

    /// Takes the lock of one that is being made, which nobody else has yet; the caller's to close.
    static Fd holdNew(Fd kept) {
        Fd lock = lockFile(kept);
        FileLocks.lock(lock);
        return lock;
    }

    private static Fd lockFile(Fd kept) {
        return FileSystem.openAt(kept, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH);
    }

    Held hold() {
        return held(true).orElseThrow(this::unknown);
    }

    /// Returns its lock, unless somebody else has it.
    Optional<Held> tryHold() {
        return held(false);
    }

    private Optional<Held> held(boolean waits) {
        while (true) {
            Fd kept = directory().orElseThrow(this::unknown);
            Fd lock = null;
            try {
                lock = lockFile(kept);
                boolean taken = FileLocks.tryLock(lock);
                if (!taken && waits) {
                    FileLocks.lock(lock);
                    taken = true;
                }
                if (taken && among.isThere(entry)) {
                    DetachedFile _ = DetachedFile.read(kept).orElseThrow(this::unknown);
                    return Optional.of(new Held(kept, lock));
                }
                lock.close();
                kept.close();
                if (!taken) {
                    return Optional.empty();
                }
            } catch (RuntimeException e) {
                if (lock != null) {
                    lock.close();
                }
                kept.close();
                throw e;
            }
        }
    }

    /// Connects to its monitor; empty if that is gone.
    Optional<Monitor> connect() {
        Optional<Fd> place = open();
        if (place.isEmpty()) {
            return Optional.empty();
        }
        try (Fd directory = place.get()) {
            return Monitor.connect(directory);
        } catch (HostException e) {
            if (!MonitorFailures.isGone(e)) { // it ends while it is greeted
                throw e;
            }
            return Optional.empty();
        }
    }

    boolean hasMonitor() {
        Optional<Monitor> found = connect();
        found.ifPresent(Monitor::close);
        return found.isPresent();
    }

    EngineOptions options() {
        return options;
    }

    /// Returns what a container is made again of whose monitor is gone.
    DetachedHome.Former home() {
        return new DetachedHome.Former(among, entry, file());
    }

    /// @throws EngineException CONTAINER_DEAD if its monitor is gone
    Monitor monitor() {
        file();
        return connect().orElseThrow(this::dead);
    }

    EngineException dead() {
        return Failures.dead(DEAD, name());
    }

    /// What is asked of a container, by its monitor.
    interface Act {
        void run() throws InterruptedException;
    }

    interface LockedAct {
        void run(Held held) throws InterruptedException;
    }

    /// Asks without the container's lock, and again if the container was just being made.
    /// @throws EngineException CONTAINER_UNKNOWN if it was removed, CONTAINER_DEAD if its monitor has died
    void ask(Act act) throws InterruptedException {
        try {
            act.run();
        } catch (HostException | EngineException e) {
            if (e instanceof HostException told
                    ? !MonitorFailures.isGone(told)
                    : !e.code().equals(DEAD)) {
                throw e;
            }
            boolean wasMade;
            try (Held _ = hold()) { // who makes or removes it has this lock until all of it is there or gone
                wasMade = e instanceof EngineException && hasMonitor();
            }
            if (!wasMade) {
                throw dead();
            }
            act.run();
        }
    }

    /// Asks under the container's lock, under which nobody else can remove it.
    /// @throws EngineException CONTAINER_UNKNOWN if it was removed, CONTAINER_DEAD if its monitor dies
    void askAlone(LockedAct act) throws InterruptedException {
        try (Held held = hold()) {
            act.run(held);
        } catch (HostException e) {
            throw MonitorFailures.isGone(e) ? dead() : e;
        }
    }

    /// Connects, and refuses an operation that is not legal now.
    Monitor monitor(ContainerState.Operation operation) throws InterruptedException {
        Optional<Monitor> found = connect();
        if (found.isEmpty()) {
            file();
            lastState().require(operation, name());
        }
        Monitor monitor = found.orElseGet(this::monitor);
        try {
            ToldState.of(monitor.state()).require(operation, name());
            return monitor;
        } catch (RuntimeException | InterruptedException e) {
            monitor.close();
            throw e;
        }
    }

    /// Returns the state of one whose monitor is gone, or not there yet.
    ContainerState lastState() {
        return recorded()
                .flatMap(ToldState::end)
                .<ContainerState>map(ContainerState.Exited::new)
                .orElseGet(() -> isWanted().isPresent() ? lost() : new ContainerState.Created());
    }

    private ContainerState lost() {
        return new ContainerState.Lost(
                findFile().filter(file -> !file.isOfThisBoot()).isPresent()
                        ? ContainerState.Lost.Cause.HOST_RESTARTED
                        : ContainerState.Lost.Cause.MONITOR_KILLED);
    }

    /// Returns whether it is meant to run; empty if nobody ever started it.
    Optional<Boolean> isWanted() {
        return read(DetachedFile::isWanted);
    }

    /// Returns what its health checks have shown.
    HealthReport health() throws InterruptedException {
        return HealthReport.of(known(), healthLog(), DetachedDenials.ofHealthChecks(this));
    }

    Optional<HealthLog> healthLog() {
        return left(HealthLog.NAME, HealthLog.MOST_BYTES + 1).flatMap(HealthLog::decode);
    }

    /// Returns when a file of its directory was replaced last.
    Optional<Instant> modified() {
        return read(own -> Optional.of(FileSystem.status(own).modified()));
    }

    /// Returns what its monitor has left of its last end.
    Optional<MonitorState> recorded() {
        return left(MonitorRecord.NAME, MonitorRecord.MOST_BYTES).flatMap(MonitorRecord::decode);
    }

    /// Reads a file that its monitor leaves in its directory.
    Optional<byte[]> left(String name, int most) {
        return directory().flatMap(found -> {
            try (Fd own = found) {
                return FileSystem.find(own, name, FileSystem.O_RDONLY, BENEATH).map(file -> read(file, most));
            }
        });
    }

    private static byte[] read(Fd open, int most) {
        try (Fd file = open) {
            return FileSystem.read(file, most);
        }
    }

    /// Returns what its monitor says; empty if that is gone.
    Optional<MonitorState> told() throws InterruptedException {
        Optional<Monitor> found = connect();
        if (found.isEmpty()) {
            return Optional.empty();
        }
        try (Monitor monitor = found.get()) {
            return Optional.of(monitor.state());
        } catch (HostException e) {
            if (!MonitorFailures.isGone(e)) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /// Returns what its monitor says, or has left.
    Optional<MonitorState> known() throws InterruptedException {
        return told().or(this::recorded);
    }

    ContainerRecord record() {
        return findRecord().orElseThrow(this::unknown);
    }

    /// Returns what stands in its place; empty once that is cleared.
    Optional<ContainerRecord> findRecord() {
        return open().flatMap(found -> {
            try (Fd place = found) {
                return Places.record(place, id().value());
            }
        });
    }

    /// True while somebody, as its monitor, has its place or the lock of its directory.
    boolean isHeld() {
        Optional<Fd> place = open();
        place.ifPresent(Fd::close);
        return place.isPresent() || among.isRunning(entry);
    }

    private Optional<Fd> open() {
        return findFile().flatMap(file -> Places.open(options.state(), file.place()));
    }

    void save(ContainerRecord record) {
        try (Fd place = Places.open(options.state(), file().place()).orElseThrow(this::unknown)) {
            Places.replace(place, record);
        }
    }

    /// Writes down the process that its policy has started meanwhile, for those who look into the record alone.
    void refresh() throws InterruptedException {
        Optional<MonitorState> known = known();
        if (known.isEmpty() || !known.get().isUp() || known.get().pid() == 0) {
            return;
        }
        int pid = known.get().pid();
        try (Held _ = hold()) {
            ContainerRecord record = record();
            OptionalLong startTime = ProcessTimes.findStartTime(pid);
            if (record.pid() != pid && startTime.isPresent()) {
                save(record.restarted(pid, startTime.getAsLong()));
            }
        }
    }

    Optional<KeptFile.Origin> origin() {
        return read(KeptFile::origin);
    }

    /// Notes what was done with it, for those who follow events.
    void note(String action, Map<String, String> more) {
        note(Instant.now(), action, more);
    }

    void note(Instant time, String action, Map<String, String> more) {
        LifeEvents.note(options, this, time, action, more);
    }

    /// Notes its last end, before the record of it goes.
    void noteEnd() {
        LifeEvents.noteEnd(options, this);
    }

    ContainerDetails details() {
        return read(ContainerDetails::read).orElseThrow(this::unknown);
    }

    /// Returns the newest file of its log; empty if that is in memory.
    Optional<java.nio.file.Path> logPath() {
        return file().options().log().place() == LogFiles.Place.MEMORY
                ? Optional.empty()
                : Optional.of(among.path().resolve(entry.directory()).resolve(KeptRun.logName(id())));
    }

    LogReader log(OptionalLong last) throws InterruptedException {
        return LogDirectory.open(this, directory().orElseThrow(this::unknown), last);
    }

    void rename(String name) {
        try (Held _ = hold()) {
            String former = name();
            noteEnd(); // under the name that it ended with
            if (hasMonitor()) {
                Places.rename(options.state(), file().place(), former, name, () -> {
                    ContainerRecord record = record();
                    entry = among.rename(entry, name);
                    save(record.renamed(name)); // while it has both names: one that runs is found by its own
                });
            } else {
                entry = among.rename(entry, name);
            }
            GuestNetworks.rename(options, id(), former, name);
            note("rename", Map.of("oldName", "/" + former));
        }
    }

    /// Removes what is left of it once its monitor is gone.
    void remove() {
        noteEnd();
        Map<String, String> attributes = LifeEvents.attributes(this, Map.of());
        MonitorLeftovers.clear(this);
        GuestNetworks.release(options, id());
        among.remove(entry);
        LifeEvents.note(options, id(), "destroy", attributes);
    }
}
