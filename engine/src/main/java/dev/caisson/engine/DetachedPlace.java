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
import dev.caisson.spec.ContainerSpec;
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
import org.jspecify.annotations.Nullable;

/// Where the parts of a container that outlives its command stand: its directory among those that are kept, and the
/// place in the state directory that its monitor holds.
final class DetachedPlace {
    private static final String DEAD = "CONTAINER_DEAD";
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final EngineOptions options;
    private final DetachedDirectory directory;
    /// The name of the place that its monitor had last. Another monitor has another place, and the place is cleared
    /// before the container is removed.
    private volatile @Nullable String lastPlace;
    /// Its image, command and labels, once they were read: nobody changes them.
    private volatile KeptFile.@Nullable Origin origin;

    DetachedPlace(EngineOptions options, KeptDirectory among, KeptDirectory.Entry entry) {
        this.options = options;
        this.directory = new DetachedDirectory(among, entry);
    }

    /// @param place the name of the place that its monitor has
    DetachedPlace(EngineOptions options, KeptDirectory among, KeptDirectory.Entry entry, String place) {
        this(options, among, entry);
        this.lastPlace = place;
    }

    /// @throws EngineException CONTAINER_AMBIGUOUS
    static Optional<DetachedPlace> find(String container, EngineOptions options) {
        var among = new KeptDirectory(options.data(), options.state());
        return Lookup.find(container, options)
                .flatMap(among::find)
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
        return directory.id();
    }

    String name() {
        return directory.name();
    }

    Optional<DetachedFile> findFile() {
        Optional<DetachedFile> found = directory.findFile();
        found.ifPresent(file -> lastPlace = file.place());
        return found;
    }

    /// @throws EngineException CONTAINER_UNKNOWN if it was removed
    DetachedFile file() {
        return findFile().orElseThrow(this::unknown);
    }

    private EngineException unknown() {
        return Failures.removed(name());
    }

    DetachedHold hold() {
        return directory.hold(true, this::unknown).orElseThrow(this::unknown);
    }

    /// Returns its lock, unless somebody else has it.
    Optional<DetachedHold> tryHold() {
        return directory.hold(false, this::unknown);
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
        return new DetachedHome.Former(directory.among(), directory.entry(), file());
    }

    /// @throws EngineException CONTAINER_UNKNOWN if it was removed, CONTAINER_DEAD if its monitor is gone
    Monitor monitor() {
        Optional<Monitor> found = connect();
        if (found.isEmpty()) {
            file();
        }
        return found.orElseThrow(this::dead);
    }

    EngineException dead() {
        return Failures.dead(DEAD, name());
    }

    /// What is asked of a container, by its monitor.
    interface Act {
        void run() throws InterruptedException;
    }

    interface LockedAct {
        void run(DetachedHold held) throws InterruptedException;
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
            try (DetachedHold _ = hold()) { // who makes or removes it has this lock until all of it is there or gone
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
        try (DetachedHold held = hold()) {
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
        return directory.read(DetachedFile::isWanted);
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
        return directory.read(own -> Optional.of(FileSystem.status(own).modified()));
    }

    /// Returns what its monitor has left of its last end.
    Optional<MonitorState> recorded() {
        return left(MonitorRecord.NAME, MonitorRecord.MOST_BYTES).flatMap(MonitorRecord::decode);
    }

    /// Reads a file that its monitor leaves in its directory.
    Optional<byte[]> left(String name, int most) {
        return directory.read(
                own -> FileSystem.find(own, name, FileSystem.O_RDONLY, BENEATH).map(file -> read(file, most)));
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
        return place.isPresent()
                || directory.read(own -> Optional.of(FileLocks.isLocked(own))).orElse(false);
    }

    private Optional<Fd> open() {
        String last = directory.isHeldByUs() ? null : lastPlace;
        Optional<Fd> found = last == null ? Optional.empty() : Places.open(options.state(), last);
        return found.isPresent() ? found : findFile().flatMap(file -> Places.open(options.state(), file.place()));
    }

    void save(ContainerRecord record) {
        try (Fd place = open().orElseThrow(this::unknown)) {
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
        try (DetachedHold _ = hold()) {
            ContainerRecord record = record();
            OptionalLong startTime = ProcessTimes.findStartTime(pid);
            if (record.pid() != pid && startTime.isPresent()) {
                save(record.restarted(pid, startTime.getAsLong()));
            }
        }
    }

    Optional<KeptFile.Origin> origin() {
        KeptFile.@Nullable Origin known = origin;
        if (known != null) {
            return Optional.of(known);
        }
        Optional<KeptFile.Origin> found = directory.read(KeptFile::origin);
        found.ifPresent(made -> origin = made);
        return found;
    }

    /// Returns what it was asked to be; empty as with [KeptSpec#read], or if it was removed.
    Optional<ContainerSpec> spec() {
        return directory.read(KeptSpec::read);
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
        return directory.read(ContainerDetails::read).orElseThrow(this::unknown);
    }

    /// Returns the newest file of its log; empty if that is in memory.
    Optional<java.nio.file.Path> logPath() {
        return file().options().log().place() == LogFiles.Place.MEMORY
                ? Optional.empty()
                : Optional.of(directory.path().resolve(KeptRun.logName(id())));
    }

    LogReader log(OptionalLong last) throws InterruptedException {
        return LogDirectory.open(this, directory.open().orElseThrow(this::unknown), last);
    }

    void rename(String name) {
        try (DetachedHold _ = hold()) {
            String former = name();
            noteEnd(); // under the name that it ended with
            LifeEvents.noteLeft(options, this);
            if (hasMonitor()) {
                Places.rename(options.state(), file().place(), former, name, () -> {
                    ContainerRecord record = record();
                    directory.rename(name);
                    save(record.renamed(name)); // while it has both names: one that runs is found by its own
                });
            } else {
                directory.rename(name);
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
        directory.among().remove(directory.entry());
        LifeEvents.note(options, id(), "destroy", attributes);
    }
}
