package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.linux.ErrnoException;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Mount;
import dev.caisson.state.LogReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// A container that outlives the command and the process that created it, until it is removed. A small process of its
/// own, its monitor, keeps it; any process of the host finds it by its name.
///
/// ```java
/// DetachedContainer web = engine.create(spec.name("web"), DetachedOptions.STANDARD);
/// web.start();
/// DetachedContainer.find("web", options).orElseThrow().stop(OptionalInt.empty(), Optional.empty());
/// ```
public final class DetachedContainer {
    private static final int SIGKILL = 9;

    private final DetachedPlace place;

    DetachedContainer(DetachedPlace place) {
        this.place = place;
    }

    /// Finds one by its name or the beginning of its id; empty if there is none, or it does not outlive its command.
    /// @throws EngineException CONTAINER_AMBIGUOUS
    public static Optional<DetachedContainer> find(String container, EngineOptions options) {
        return DetachedPlace.find(container, options).map(DetachedContainer::new);
    }

    public ContainerId id() {
        return place.id();
    }

    public String name() {
        return place.name();
    }

    /// Returns its state now.
    public ContainerState state() throws InterruptedException {
        return place.told().map(ToldState::of).orElseGet(place::lastState);
    }

    ContainerState stateNow() {
        return Failures.uninterrupted(this::state).orElseGet(place::lastState);
    }

    /// Why its log is incomplete, if it is.
    Optional<String> logFailure() {
        return Failures.uninterrupted(place::known)
                .flatMap(known -> known)
                .filter(known -> known.logLost() > 0)
                .map(known -> dev.caisson.linux.Errno.name(known.logError()));
    }

    /// Starts it; nothing if it runs. The kernel is asked what it made before the program runs. One whose monitor
    /// is gone gets another one first, made of what is on disk: [#losses] says what does not come back.
    /// An interrupt may come when the program runs already: [#state] says so, and who does not want it stops it.
    /// @throws dev.caisson.launch.LaunchException if the program cannot be run
    /// @throws EngineException CONTAINER_PAUSED, IMAGE_CHANGED, SPEC_UNKNOWN
    /// @throws dev.caisson.secret.SecretException SECRET_SOURCE if a secret is bound to a source that cannot be
    ///     read
    public void start() throws InterruptedException {
        if (!state().isUp()) {
            SecretSources.refresh(place);
        }
        startAgain();
    }

    private void startAgain() throws InterruptedException {
        place.askAlone(held -> {
            try (Monitor monitor = Revival.monitor(place, held)) {
                NetworkChange.takeBackLeft(place, held);
                DetachedStart.ifDown(place, held, monitor);
            }
        });
    }

    /// Returns what the next start will not find again because its monitor is gone: `/` if what it wrote into its
    /// root was in memory. Empty for one that has its monitor or never ran.
    public List<String> losses() {
        return Revival.losses(place);
    }

    /// Returns whether a start of the host starts it, as Docker decides: a container with the policy `always` that
    /// was ever started, and one with `unless-stopped` that was not stopped by hand. One that has been removed
    /// is not.
    public boolean isWantedUp() {
        Optional<Boolean> wanted = place.isWanted();
        Optional<RestartPolicy.Kind> kind =
                place.findFile().map(file -> file.options().restart().kind());
        return kind.isPresent()
                && switch (kind.get()) {
                    case ALWAYS -> wanted.isPresent();
                    case UNLESS_STOPPED -> wanted.orElse(false);
                    case NO, ON_FAILURE -> false;
                };
    }

    /// Returns whether a process keeps it: else it neither runs nor is started again by its policy.
    public boolean hasMonitor() {
        return place.hasMonitor();
    }

    /// Returns all of a state directory, in no order.
    public static List<DetachedContainer> all(EngineOptions options) {
        return DetachedPlace.all(options).stream().map(DetachedContainer::new).toList();
    }

    /// Asks it to end, kills it if it has not ended in time, and waits for its end. It is not started again by its
    /// policy. Nothing if it does not run.
    ///
    /// @param signal in place of its own stop signal
    /// @param timeout in place of its own; zero kills it at once
    public void stop(OptionalInt signal, Optional<Duration> timeout) throws InterruptedException {
        present(signal, "signal");
        present(timeout, "timeout");
        DetachedFile file = place.file();
        Optional<Monitor> found;
        try (DetachedHold held = place.hold()) {
            if (DetachedFile.isWanted(held.kept()).isPresent()) {
                DetachedFile.wants(held.kept(), false);
            }
            found = place.connect();
        }
        if (found.isPresent()) {
            end(found::get, file, signal, timeout);
            if (!removeIfWanted()) {
                EndedPorts.refuse(place);
            }
        }
    }

    private void end(Supplier<Monitor> monitors, DetachedFile file, OptionalInt signal, Optional<Duration> timeout)
            throws InterruptedException {
        Duration patience = timeout.orElse(file.stopTimeout());
        int number = patience.isZero() ? SIGKILL : signal.orElse(file.stopSignal());
        place.ask(() -> {
            try (Monitor monitor = monitors.get()) {
                place.note("kill", Map.of("signal", Integer.toString(number)));
                monitor.stop(number, patience);
            }
        });
        place.note("stop", Map.of());
    }

    /// Sends a signal to its process 1, which passes it on to the program. SIGKILL ends every process of it, for
    /// good.
    /// @throws EngineException CONTAINER_NOT_RUNNING
    public void signal(int number) throws InterruptedException {
        ContainerState state = state();
        if (number == SIGKILL && state instanceof ContainerState.Restarting) {
            stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
            return;
        }
        state.require(ContainerState.Operation.SIGNAL, name());
        if (number == SIGKILL) {
            place.askAlone(held -> DetachedFile.wants(held.kept(), false));
        }
        Instant time = Instant.now(); // before the end that it may cause
        place.ask(() -> {
            try (Monitor monitor = place.monitor()) {
                if (!monitor.signal(SignalNumber.require(number), number == SIGKILL)) {
                    state().require(ContainerState.Operation.SIGNAL, name());
                }
            }
        });
        place.note(time, "kill", Map.of("signal", Integer.toString(number)));
    }

    /// Stops it and starts it again; starts one that does not run.
    /// @throws dev.caisson.secret.SecretException as [#start], and then it runs on
    public void restart(OptionalInt signal, Optional<Duration> timeout) throws InterruptedException {
        SecretSources.refresh(place);
        restartWithItsSecrets(present(signal, "signal"), present(timeout, "timeout"));
    }

    /// Restarts it without reading sources: a source that has another value each time would restart it for ever.
    void restartWithItsSecrets(OptionalInt signal, Optional<Duration> timeout) throws InterruptedException {
        if (state().isUp() || state() instanceof ContainerState.Restarting) {
            end(place::monitor, place.file(), signal, timeout);
        }
        startAgain();
        place.note("restart", Map.of());
    }

    /// Freezes every process of it, until [#resume]. Its deadline and its lease go on.
    /// @throws EngineException CONTAINER_NOT_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING
    public void pause() throws InterruptedException {
        new PauseSwitch(place, ContainerState.Operation.PAUSE, monitor -> monitor.pause(false)).turn();
        place.note("pause", Map.of());
    }

    /// Lets it run on.
    /// @throws EngineException CONTAINER_NOT_PAUSED
    public void resume() throws InterruptedException {
        new PauseSwitch(place, ContainerState.Operation.RESUME, Monitor::resume).turn();
        place.note("unpause", Map.of());
    }

    /// Waits until it does not run and will not be started again by its policy.
    /// @return its last end; empty if it never ran, or nobody knows how it ended
    public Optional<ContainerState.End> await() throws InterruptedException {
        return await(Patience.FOREVER).lastEnd();
    }

    /// Like [#await()], for no longer than `patience`.
    /// @return its state then
    public ContainerState await(Duration patience) throws InterruptedException {
        return new EndWatch(place).last(patience);
    }

    /// Waits until the run that goes on has ended, even if its policy starts it again. One between two runs is waited
    /// for until the end of the next, as with Docker.
    /// @return its last end; empty if it never ran, or nobody knows how it ended
    public Optional<ContainerState.End> awaitEndOfRun() throws InterruptedException {
        return new EndWatch(place).next();
    }

    /// Opens its log.
    ///
    /// @param last how many entries of what is there are read; all where that is empty
    @SuppressWarnings("exports") // for Caisson's own modules
    public LogReader log(OptionalLong last) throws InterruptedException {
        return place.log(present(last, "last"));
    }

    /// Opens a connection to its standard streams.
    /// @throws EngineException CONTAINER_NOT_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING
    public Attachment attach() throws InterruptedException {
        return new Attachment(place, place.monitor(ContainerState.Operation.ATTACH));
    }

    /// Connects to its streams before it is started, so that no word of it is missed.
    public Attachment attachBeforeStart() throws InterruptedException {
        try (DetachedHold held = place.hold()) {
            return new Attachment(place, Revival.monitor(place, held));
        }
    }

    /// Gives it another name.
    /// @throws EngineException NAME_INVALID, NAME_IN_USE
    public void rename(String name) {
        place.rename(present(name, "name"));
    }

    /// Changes its limits and its restart policy, whether it runs or not: its control group stays as long as it.
    /// Limits are compared with the kernel's afterwards.
    ///
    /// @param limits makes the new limits of those that it has; limits that stay as they are change nothing
    /// @throws dev.caisson.cgroup.CgroupException with the former limits in force: the kernel takes none below
    ///     what is used, or FIXED_LIMIT for one that cannot be changed
    /// @throws EngineException LIMITS_UNKNOWN
    public void update(UnaryOperator<Limits> limits, Optional<RestartPolicy> restart) throws InterruptedException {
        present(restart, "restart");
        place.askAlone(held -> {
            new LimitChange(place, held).to(present(limits, "limits"));
            if (restart.isPresent()) {
                DetachedFile file = place.file();
                DetachedFile changed = file.with(file.options().restart(restart.get()));
                held.write(changed);
                Optional<Monitor> found = place.connect();
                if (found.isPresent()) {
                    try (Monitor monitor = found.get()) {
                        monitor.set(DetachedMaker.policy(changed));
                    }
                }
            }
            place.note("update", Map.of());
        });
    }

    /// Changes what it may send to outside of its networks, at once and for later starts. Connections that it has
    /// begun and that are not allowed any more end.
    /// @throws EngineException EGRESS_REFUSED if it is on no network, or its spec is not known
    public void egress(Egress egress) throws InterruptedException {
        place.askAlone(held -> new EgressChange(place, held).to(present(egress, "egress")));
    }

    /// Returns what changes the networks that it is on.
    public DetachedNetworks networks() {
        return new DetachedNetworks(place);
    }

    /// Renews its lease from now.
    /// @throws EngineException NO_LEASE; LEASE_OVER while it ends because nobody has renewed it
    public void renew(Duration lease) throws InterruptedException {
        DetachedOptions.requireLease(present(lease, "lease"));
        place.ask(() -> {
            try (Monitor monitor = place.monitor()) {
                if (!monitor.renew(lease)) {
                    throw Failures.notRenewed(name(), options().lease());
                }
            }
        });
    }

    /// Returns whether its standard streams are a terminal.
    public boolean hasTerminal() {
        return place.file().terminal();
    }

    public boolean hasInput() {
        return place.file().input();
    }

    public ContainerDetails details() {
        return place.details();
    }

    /// Returns how long it has to end when it is asked to.
    public Duration stopTimeout() {
        return place.file().stopTimeout();
    }

    /// Returns the signal that asks it to end.
    public int stopSignal() {
        return place.file().stopSignal();
    }

    /// Returns when its program was started last; empty if it never was, or its monitor is gone without a record.
    public Optional<Instant> started() throws InterruptedException {
        return place.known().flatMap(MonitorState::started);
    }

    /// Returns how it lives: its restart policy, its lease, and whether it is removed at its end.
    public DetachedOptions options() {
        return place.file().options();
    }

    public Optional<Path> logPath() {
        return place.logPath();
    }

    /// Returns what its health checks have shown.
    public HealthReport health() throws InterruptedException {
        return place.health();
    }

    /// Returns how often it was started again by its policy.
    public int restarts() throws InterruptedException {
        return place.told().map(MonitorState::restarts).orElse(0);
    }

    /// Returns why its policy could not start it last, with a code in front, if that is known.
    public Optional<String> refusal() throws InterruptedException {
        return place.told().filter(MonitorState::lostItsNetwork).map(_ -> SharedNetwork.lost(name()));
    }

    /// Returns what it has changed of its image's files, in the order of paths. What each start makes, as
    /// `/etc/hosts`, and what is on volumes is left out.
    /// @throws EngineException CHANGES_UNKNOWN, CONTAINER_DEAD, FILE_TREE_TOO_LARGE
    public List<FileChange> changes() throws InterruptedException {
        try (DetachedChanges changes = DetachedChanges.open(place)) {
            return changes.list();
        }
    }

    /// Writes what it has changed of its image's files as the tar archive of an image layer, uncompressed: the same
    /// changes make the same bytes. Whoever wants all of one moment pauses it first.
    /// @param latest modification times after this one become this one
    /// @throws EngineException LAYER_NAME, LAYER_DEVICE, LAYER_REDIRECT, FILE_CHANGED, those of [#changes]
    public void writeLayer(OutputStream tar, Optional<Instant> latest) throws IOException, InterruptedException {
        try (DetachedChanges changes = DetachedChanges.open(place)) {
            changes.write(present(tar, "tar"), present(latest, "latest"));
        } catch (ErrnoException e) {
            throw Failures.coded(e);
        }
    }

    /// Returns what it was asked to be, with the limits that it was given since; empty if a later version wrote it.
    public Optional<ContainerSpec> spec() {
        return place.spec();
    }

    /// Returns its mounts, volumes by their names.
    public List<Mount> mounts() {
        return spec().map(ContainerSpec::mounts).orElse(List.of());
    }

    /// Writes its root file system as a tar archive: its image's files with its changes. What is mounted in it is
    /// left out (volumes, tmpfs, secrets, files that each start makes), and so are sockets and devices. Whoever
    /// wants all of one moment pauses it first.
    /// @throws EngineException LAYER_REDIRECT, FILE_CHANGED, those of [#changes]
    public void writeRoot(OutputStream tar) throws IOException, InterruptedException {
        try (DetachedChanges changes = DetachedChanges.open(place)) {
            changes.writeRoot(present(tar, "tar"));
        } catch (ErrnoException e) {
            throw Failures.coded(e);
        }
    }

    /// Removes everything of it.
    ///
    /// @param force kills it first if it runs
    /// @throws EngineException CONTAINER_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING
    public void remove(boolean force) throws InterruptedException {
        new DetachedRemoval(place, force, false).run();
    }

    /// The same, and the volumes whose names were made up for it, unless another container has them.
    public void removeWithVolumes(boolean force) throws InterruptedException {
        new DetachedRemoval(place, force, true).run();
    }

    /// Removes one that was to be removed at its end, if that has come, or whose lease is over, whether or not it was
    /// ever started.
    /// @return whether it is gone
    boolean removeIfWanted() throws InterruptedException {
        return DetachedRemoval.ifUnwanted(place);
    }

    /// Returns how its last run ended, without its output; empty if it runs, never ran, or nobody knows.
    public Optional<RunResult> result() {
        return Failures.uninterrupted(place::known)
                .flatMap(known -> known)
                .filter(known -> !EndWatch.isGoingOn(known))
                .flatMap(known -> RunResults.of(place, known));
    }
}
