package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.cgroup.SystemdScope;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.ProgressListener;
import dev.caisson.image.Snapshot;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.IdRanges;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.linux.Reactor;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Usage;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.DiskLayers;
import dev.caisson.state.Groups;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.Ledger;
import dev.caisson.state.OwnPaths;
import dev.caisson.state.Ranges;
import dev.caisson.state.State;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// Runs programs in containers. One engine serves a whole process and any number of threads, virtual ones
/// too.
///
/// ```java
/// try (var engine = Engine.open()) {
///     RunResult result = engine.run(ContainerSpec.of(Image.host(), "python3", "-c", code));
/// }
/// ```
///
/// Closing it ends and removes every container of it. What an engine that was killed has left is removed by
/// the next one that is opened on the same state directory.
public final class Engine implements ContainerRunner, SessionOpener, AutoCloseable {
    private static final Duration REMOVAL_PATIENCE = Duration.ofSeconds(30);

    private final Probe probe;
    private final State state;
    private final Preparation preparation;
    private final IdRanges ranges;
    private final Ledger ledger;
    private final Starter starter;
    final DetachedMaker maker;
    final GuestNetworks networks;
    private final Optional<SystemdScope> scope;
    private final Map<ContainerId, Container> containers = new ConcurrentHashMap<>();
    private final Readiness readiness = new Readiness();
    private final LaunchGate gate = new LaunchGate(readiness);
    private final Tally tally = new Tally();
    private final EngineThreads threads = new EngineThreads();
    private final StreamThreads streamThreads = new StreamThreads();
    private final RunQueue queue;
    private final Reactor reactor;
    private final EngineOptions options;
    private final Executions executions;
    private final Launches launches;
    private final Workspaces allWorkspaces;
    private final Volumes allVolumes;
    private final UsageRecording recording = new UsageRecording(containers::values);

    Engine(EngineOptions options, Probe probe) {
        HostAccess.requireRoot();
        OwnPaths.requireTrustedData(options.data());
        this.probe = probe;
        this.options = options;
        queue = new RunQueue(options.runs(), readiness::require);
        reactor = new Reactor("caisson-reactor", this::broke);
        var opened = new ArrayDeque<Runnable>(List.of(reactor::close));
        try {
            Preparation prepared = new Preparation(options);
            preparation = prepared;
            opened.push(prepared::close);
            if (options.driver() == CgroupDriver.SYSTEMD) {
                SystemdScope.require(prepared.hierarchy());
            }
            State own = Recovery.state(options);
            state = own;
            opened.push(() -> own.close(() -> {}));
            probe.reached(Moment.ENGINE_STANDS);
            IdRanges known = new IdRanges(own.root());
            ranges = known;
            opened.push(known::close);
            var groups = new Groups(prepared.hierarchy(), own);
            var leases = new Ranges(known);
            var diskLayers = new DiskLayers(options.data(), State.lastingName(options.state()));
            var writable = new WritableLayers(diskLayers);
            allWorkspaces = Workspaces.of(options);
            allVolumes = Volumes.of(options);
            var shared = new SharedParts(allWorkspaces.directory(), allVolumes);
            var heldLayers = new HeldLayers();
            networks = GuestNetworks.served(options);
            ledger = new Ledger(List.of(
                    groups,
                    networks,
                    shared.held(),
                    heldLayers,
                    writable,
                    diskLayers.holding(own).orLeft("the writable layer"),
                    own.then(() -> probe.reached(Moment.RECORD_REMOVED)),
                    leases.then(() -> probe.reached(Moment.RANGE_GIVEN_BACK))));
            var kept = new KeptDirectory(options.data(), options.state());
            var streams =
                    new StandardStreams.Shared(reactor, streamThreads, new CaptureBudget(options.capturedOutput()));
            Starter first = new Starter(
                    this, probe, prepared, own, groups, leases, heldLayers, writable, shared, streams, kept, networks);
            starter = first;
            opened.push(first::close);
            executions = first.executions(threads);
            launches = new Launches(queue, threads, tally, gate, readiness, prepared, first);
            scope = options.driver() == CgroupDriver.SYSTEMD
                    ? Optional.of(SystemdScope.enter(prepared.hierarchy(), own.cgroupParent(), first.helperPid()))
                    : Optional.empty();
            new Recovery(own, ledger, probe).run();
            maker = new DetachedMaker(options, prepared, first::zygote, kept, diskLayers, shared, threads::clearUp);
        } catch (RuntimeException | Error e) {
            Failures.closeAll(opened, e);
            throw e;
        }
        recording.begin();
    }

    /// Opens an engine on the standard directories.
    /// @throws EngineException where this process may not run one
    public static Engine open() {
        return open(EngineOptions.standard());
    }

    public static Engine open(EngineOptions options) {
        present(options, "options");
        HostAccess.requireNative();
        return Failures.call(() -> new Engine(options, Probe.NONE));
    }

    /// Has the JVM make beside the caller, which may read its options meanwhile, what it makes at first use and a
    /// launch needs: that takes longer than the launch. Nothing of the host is changed.
    public static void preload() {
        Thread.ofPlatform().daemon().name("caisson-preload").start(() -> {
            try {
                Preparation.rehearse();
            } catch (RuntimeException e) {
                // Whoever opens an engine meets it again, and is told.
            }
        });
    }

    /// Returns what [#run] would do, without doing it. Needs no privileges but to read the image.
    @SuppressWarnings("exports") // for Caisson's own modules
    public static LaunchPlan plan(ContainerSpec spec, EngineOptions options, ProgressListener progress) {
        present(spec, "spec");
        present(options, "options");
        present(progress, "progress");
        HostAccess.requireNative();
        return Failures.call(() -> Preparation.plan(spec, options, progress)).launch();
    }

    /// Returns what this host and this process can give to containers.
    @SuppressWarnings("exports") // for Caisson's own modules
    public HostFacts host() {
        return preparation.host();
    }

    /// The containers that run, in no order.
    public List<Container> containers() {
        return List.copyOf(containers.values());
    }

    ContainerUsage usage(Usage group, int pid, ContainerId id, ContainerSpec spec) {
        return ContainerUsage.of(group, pid, id, spec.network(), options);
    }

    /// How many callers wait in line for a place among [EngineOptions#runs].
    public int queued() {
        return queue.length();
    }

    /// Returns what it has done so far.
    public EngineStatistics statistics() {
        return Failures.call(
                () -> tally.statistics(containers.size(), queue.length(), OwnCpu.read(starter.helperPid())));
    }

    /// Runs a program to its end, its output kept. An interrupt ends and removes it.
    /// @throws dev.caisson.launch.LaunchException where it could not be started; nothing is left of it
    @Override
    public RunResult run(ContainerSpec spec) throws InterruptedException {
        return run(spec, Streams.capture());
    }

    /// Runs a program to its end. An interrupt ends and removes it: nothing is left when this throws.
    public RunResult run(ContainerSpec spec, Streams streams) throws InterruptedException {
        Container container = start(spec, streams);
        try {
            return container.await();
        } catch (InterruptedException e) {
            container.close();
            throw e;
        }
    }

    /// Makes a container that outlives this engine and this process, until it is removed; [DetachedContainer#start]
    /// starts its program. Its monitor answers what its filter asks, and [KeptContainer#denials] has what was
    /// denied.
    public DetachedContainer create(ContainerSpec spec, DetachedOptions wanted) throws InterruptedException {
        return create(spec, wanted, ProgressListener.none());
    }

    public DetachedContainer create(ContainerSpec spec, DetachedOptions wanted, ProgressListener progress)
            throws InterruptedException {
        present(spec, "spec");
        present(wanted, "wanted");
        present(progress, "progress");
        readiness.require();
        return maker.make(spec, wanted, progress);
    }

    /// Starts a program. Whether or not somebody waits, it is removed at its end; nothing of it stays but what
    /// [Streams#kept] asks for. An interrupt ends and removes it, as long as this has not returned.
    public Container start(ContainerSpec spec, Streams streams) throws InterruptedException {
        return start(spec, streams, ProgressListener.none());
    }

    public Container start(ContainerSpec spec, Streams streams, ProgressListener progress) throws InterruptedException {
        return start(spec, streams, progress, container -> {});
    }

    /// Starts a program, and before that hands out the container that stands and waits for it. That and the progress
    /// are told in a thread of the engine's.
    public Container start(ContainerSpec spec, Streams streams, ProgressListener progress, Consumer<Container> standing)
            throws InterruptedException {
        return launches.start(spec, streams, new Observers(progress, standing), false);
    }

    /// Runs one more program to its end in a container that runs, whichever process of the host runs that. An interrupt
    /// kills it with all that it started.
    /// @param container its name, or the beginning of its id
    /// @throws dev.caisson.launch.LaunchException if it could not be started; nothing is left of it
    /// @throws EngineException CONTAINER_UNKNOWN, CONTAINER_AMBIGUOUS, CONTAINER_NOT_RUNNING, CONTAINER_PAUSED
    public ExecResult exec(String container, Exec exec, Streams streams) throws InterruptedException {
        return startExec(container, exec, streams).awaitOrClose();
    }

    /// Starts one more program in a container that runs. It ends with this engine, at the latest.
    public RunningExec startExec(String container, Exec exec, Streams streams) {
        present(container, "container");
        present(exec, "exec");
        present(streams, "streams");
        return gate.explained(() -> {
            ExecTarget target = ExecTarget.find(container, options, preparation.hierarchy());
            return executions.start(target, exec, streams, Optional.of(ExecNotes.of(target, exec, options)));
        });
    }

    /// Starts one more program in a container of this engine, whose caller has no need of events.
    RunningExec startExec(Supplier<ExecTarget> target, Exec exec, Streams streams) {
        return gate.explained(() -> executions.start(target.get(), exec, streams, Optional.empty()));
    }

    /// Starts one more program that nobody waits for, in a container that outlives its command: it has no streams,
    /// goes on when this engine is gone, and ends with the container at the latest. [LifeEvents] has its end.
    /// @return its id in events
    /// @throws EngineException EXEC_DETACHED_REFUSED and those of [#exec]
    public String execAlone(String container, Exec exec) {
        present(container, "container");
        present(exec, "exec");
        return gate.explained(() -> LoneExec.start(
                container, exec, options, ExecTarget.find(container, options, preparation.hierarchy()), executions));
    }

    /// Opens a session: a container that waits for programs and files, until it is closed.
    /// @param spec without a program
    /// @throws EngineException SESSION_PROGRAM, SESSION_TERMINAL
    @Override
    public Session session(ContainerSpec spec) throws InterruptedException {
        return session(spec, Optional.empty());
    }

    /// Opens a session that ends by itself when nobody renews it in that time.
    public Session session(ContainerSpec spec, Duration lease) throws InterruptedException {
        return session(spec, Optional.of(RunningSession.requireLease(present(lease, "lease"))));
    }

    private Session session(ContainerSpec spec, Optional<Duration> lease) throws InterruptedException {
        var observers = new Observers(ProgressListener.none(), container -> {});
        Container container =
                launches.start(RunningSession.waiting(present(spec, "spec")), Streams.capture(), observers, true);
        return new RunningSession(container, reactor, lease, starter.snapshots());
    }

    /// Opens `count` sessions that begin with the files of a snapshot, each with ids and a host name of its
    /// own.
    public List<Session> fork(Snapshot snapshot, int count) throws InterruptedException {
        return fork(snapshot, count, UnaryOperator.identity());
    }

    /// Like the other, with a spec that is changed for each of them in turn.
    /// @return all of them; if one cannot be opened, none is left
    /// @throws EngineException FORK_PLACES if the engine may not run as many containers
    public List<Session> fork(Snapshot snapshot, int count, UnaryOperator<ContainerSpec> spec)
            throws InterruptedException {
        present(snapshot, "snapshot");
        present(spec, "spec");
        return new Fork(options.runs(), this::session).of(snapshot, count, spec);
    }

    /// Returns the snapshots of this engine's data directory.
    public Snapshots snapshots() {
        return readiness.given(Snapshots.of(options));
    }

    /// Opens the files of a container, whichever process of the host runs it: one that runs or is paused, and one that
    /// outlives its command also before its start and after its end.
    /// @param container its name, or the beginning of its id
    /// @throws EngineException CONTAINER_UNKNOWN, CONTAINER_AMBIGUOUS, CONTAINER_NOT_RUNNING, CONTAINER_DEAD
    public ContainerFiles files(String container) {
        present(container, "container");
        return gate.explained(() -> executions.files(container, options, preparation.hierarchy(), gate));
    }

    /// Returns the workspaces of this engine's state directory. They need no engine, and can be used after its end.
    public Workspaces workspaces() {
        return readiness.given(allWorkspaces);
    }

    /// Returns the volumes of this engine's state directory. They need no engine, and can be used after its end.
    public Volumes volumes() {
        return readiness.given(allVolumes);
    }

    /// Opens the files of a workspace, whether or not a container has it. New ones belong to the containers' root; it
    /// cannot be removed until they are closed.
    /// @throws dev.caisson.error.CaissonException WORKSPACE_UNKNOWN
    public ContainerFiles files(WorkspaceName workspace) {
        present(workspace, "workspace");
        return gate.explained(() -> {
            allWorkspaces.get(workspace.value());
            return executions.files(starter.files(workspace), gate);
        });
    }

    Readiness readiness() {
        return readiness;
    }

    /// Ends everything, in the thread that can watch it no more.
    void broke(Throwable why) {
        if (readiness.breakDown(why)) {
            queue.dissolve();
            executions.breakDown(readiness.refusal()); // their groups are parts of the containers'
            containers.values().forEach(container -> Reactor.guard(() -> container.breakDown(readiness.refusal())));
        }
    }

    /// Runs in another thread what nobody waits for, as the removal of what is left of a container.
    void beside(Runnable work) {
        threads.clearUp(work);
    }

    Reactor reactor() {
        return reactor;
    }

    RunResult told(RunResult result, ContainerSpec spec) {
        return DeniedDestinations.told(starter.noted(result), spec, options);
    }

    void counted(RunResult result) {
        tally.ended(result);
    }

    void reached(Moment moment) {
        probe.reached(moment);
    }

    void initPaused() {
        probe.reached(Moment.INIT_PAUSED);
    }

    void save(ContainerRecord record) {
        state.save(record, () -> probe.reached(Moment.RECORD_WRITTEN));
    }

    /// Gives back what a container holds whose processes are gone.
    void release(ContainerId id) {
        ledger.undo(id.value());
    }

    void keep(Container container) {
        containers.put(container.id(), container);
        if (readiness.isBroken()) {
            container.breakDown(readiness.refusal());
            readiness.require();
        }
    }

    void forget(Container container) {
        containers.remove(container.id());
        starter.forget(container.id());
    }

    /// Ends and removes every container. Returns, if a container cannot be removed or an observer of a launch does not
    /// return; then something is left for the next engine to clear.
    @Override
    public void close() {
        if (!readiness.close()) {
            return;
        }
        queue.dissolve();
        recording.end();
        var interrupted = new AtomicBoolean();
        gate.awaitAll(interrupted);
        containers.values().forEach(container -> Reactor.guard(container::kill));
        for (Container container : List.copyOf(containers.values())) {
            if (!container.outcome().isKnownWithin(REMOVAL_PATIENCE, interrupted)) {
                System.getLogger(Engine.class.getName())
                        .log(System.Logger.Level.WARNING, "the container " + container.id() + " could not be removed");
            }
        }
        executions.close();
        // The reactor hands ended containers to the other threads, so it goes first.
        reactor.close();
        threads.close();
        streamThreads.close();
        starter.close();
        maker.close();
        ranges.close();
        try {
            scope.ifPresent(SystemdScope::leave);
        } finally {
            probe.reached(Moment.CONTAINERS_REMOVED);
            state.close(() -> Leftovers.removeParent(preparation.hierarchy(), state, scope));
            preparation.close();
            if (interrupted.get()) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
