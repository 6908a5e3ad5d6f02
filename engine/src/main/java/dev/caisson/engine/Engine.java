package dev.caisson.engine;

import dev.caisson.cgroup.CgroupException;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.ProgressListener;
import dev.caisson.launch.Capability;
import dev.caisson.launch.ContainerId;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.IdRange;
import dev.caisson.launch.IdRanges;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Placement;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

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
public final class Engine implements AutoCloseable {
    private final Probe probe;
    private final State state;
    private final Preparation preparation;
    private final IdRanges ranges;
    private final DiskLayers diskLayers;
    private final Groups groups;
    private final Reactor reactor = new Reactor("caisson-reactor");
    private final Starter starter;
    private final Optional<SystemdScope> scope;
    private final Map<ContainerId, Container> containers = new ConcurrentHashMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ReadWriteLock gate = new ReentrantReadWriteLock();
    private final ExecutorService launching;
    private final Runnable recordUsage = this::recordUsage;

    Engine(EngineOptions options, Probe probe) {
        requireRoot();
        this.probe = probe;
        var opened = new ArrayDeque<Runnable>(List.of(reactor::close));
        try {
            Preparation prepared = new Preparation(options);
            preparation = prepared;
            opened.push(prepared::close);
            if (options.driver() == CgroupDriver.SYSTEMD) {
                SystemdScope.require(prepared.hierarchy());
            }
            State own = new State(options.state(), options.driver());
            state = own;
            opened.push(() -> own.close(() -> {}));
            probe.reached(Moment.ENGINE_STANDS);
            IdRanges known = new IdRanges(own.root());
            ranges = known;
            opened.push(known::close);
            groups = new Groups(prepared.hierarchy(), own);
            diskLayers = new DiskLayers(options.data(), State.lastingName(options.state()));
            var kept = new KeptDirectory(options);
            Starter first = new Starter(this, probe, prepared, own, groups, known, diskLayers, reactor, kept);
            starter = first;
            opened.push(first::close);
            scope = options.driver() == CgroupDriver.SYSTEMD
                    ? Optional.of(SystemdScope.enter(prepared.hierarchy(), own.cgroupParent(), first.helperPid()))
                    : Optional.empty();
            recover(options);
        } catch (RuntimeException e) {
            closeAll(opened, e);
            throw e;
        }
        if (FlightRecorder.isInitialized()) {
            FlightRecorder.addPeriodicEvent(UsageEvent.class, recordUsage);
        }
        // A launch waits for other processes in native code, which would hold a virtual thread's carrier.
        int threads = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());
        launching = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("caisson-launch-", 0).factory());
    }

    private static void closeAll(Iterable<Runnable> opened, RuntimeException failure) {
        for (Runnable close : opened) {
            try {
                close.run();
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }

    /// Opens an engine on the standard directories.
    /// @throws EngineException where this process may not run one
    public static Engine open() {
        return open(EngineOptions.standard());
    }

    public static Engine open(EngineOptions options) {
        return new Engine(options, Probe.NONE);
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

    private static void requireRoot() {
        HostFacts host = HostFacts.read(List.of(), List.of(), false);
        if (host.effectiveUid() != 0 || !host.capabilities().contains(Capability.SYS_ADMIN)) {
            throw new EngineException(
                    "ROOT_NEEDED", "the engine needs root with CAP_SYS_ADMIN over the host: use sudo");
        }
    }

    /// Removes what engines have left that ended without closing.
    private void recover(EngineOptions options) {
        // Read when the first of them is found, while nobody else removes or adds one of a dead engine.
        var parents = new AtomicReference<@Nullable Map<String, String>>();
        state.recover(
                id -> {
                    Map<String, String> known = parents.get();
                    if (known == null) {
                        known = Groups.parents(options);
                        parents.set(known);
                    }
                    groups.clear(id, known);
                    diskLayers.tryClear(id);
                    probe.reached(Moment.LEFTOVER_REMOVED);
                },
                () -> {
                    groups.removeUnrecorded();
                    diskLayers.removeUnrecorded(state);
                });
    }

    /// What [#run] would do, without doing it. Needs no privileges but to read the image.
    public static LaunchPlan plan(ContainerSpec spec, EngineOptions options, ProgressListener progress) {
        try (var preparation = new Preparation(options)) {
            return preparation
                    .prepare(spec, progress)
                    .plan(new IdRange(IdRange.FIRST, IdRange.WIDTH), ContainerId.random());
        }
    }

    /// What this host and this process can give to containers.
    public HostFacts host() {
        return preparation.host();
    }

    /// The containers that run, in no order.
    public List<Container> containers() {
        return List.copyOf(containers.values());
    }

    /// Runs a program to its end, its output kept.
    /// @throws dev.caisson.launch.LaunchException where it could not be started; nothing is left of it
    public RunResult run(ContainerSpec spec) throws InterruptedException {
        return start(spec, Streams.capture()).await();
    }

    /// Starts a program. Whether or not somebody waits, it is removed at its end; nothing of it stays but what
    /// [Streams#kept] asks for.
    public Container start(ContainerSpec spec, Streams streams) throws InterruptedException {
        return start(spec, streams, ProgressListener.none());
    }

    public Container start(ContainerSpec spec, Streams streams, ProgressListener progress) throws InterruptedException {
        return start(spec, streams, progress, container -> {});
    }

    /// Starts a program, and before that hands out the container that stands and waits for it.
    public Container start(ContainerSpec spec, Streams streams, ProgressListener progress, Consumer<Container> standing)
            throws InterruptedException {
        if (!Thread.currentThread().isVirtual()) {
            return launch(spec, streams, progress, standing);
        }
        return onLaunchingThread(() -> launch(spec, streams, progress, standing));
    }

    private <T> T onLaunchingThread(Callable<T> work) throws InterruptedException {
        try {
            return launching.submit(work).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /// The class of an event is loaded and woven where somebody may be recording only: that takes longer than a
    /// launch.
    private Container launch(
            ContainerSpec spec, Streams wanted, ProgressListener progress, Consumer<Container> standing) {
        if (!FlightRecorder.isInitialized()) {
            return launchNow(spec, wanted, progress, standing);
        }
        var event = new LaunchEvent();
        event.begin();
        event.image = spec.image().toString();
        try {
            Container container = launchNow(spec, wanted, progress, standing);
            event.id = container.id().value();
            return container;
        } finally {
            event.commit();
        }
    }

    private Container launchNow(
            ContainerSpec spec, Streams wanted, ProgressListener progress, Consumer<Container> standing) {
        whileOpen(() -> {
            starter.begin();
            return true;
        });
        Preparation.Prepared prepared = preparation.prepare(spec, progress);
        return whileOpen(() -> starter.start(prepared, wanted, standing));
    }

    /// Closing waits for what has begun, and what comes later finds the engine closed.
    private <T> T whileOpen(Supplier<T> work) {
        gate.readLock().lock();
        try {
            if (closed.get()) {
                throw new EngineException("ENGINE_CLOSED", "the engine is closed: open another");
            }
            return work.get();
        } finally {
            gate.readLock().unlock();
        }
    }

    /// Called in the reactor's thread when a container has ended.
    void ended(Container container) {
        if (!closed.get()) {
            launching.execute(container::finish);
        }
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

    void release(Placement placement, ContainerId id, IdRanges.Lease lease) {
        try {
            diskLayers.discard(id.value());
        } catch (RuntimeException e) { // the next engine finds it without a record
            System.getLogger(Engine.class.getName())
                    .log(System.Logger.Level.WARNING, "the writable layer of " + id + " stays: " + e.getMessage());
        }
        groups.removed(placement);
        state.remove(id.value());
        probe.reached(Moment.RECORD_REMOVED);
        ranges.giveBack(lease);
        probe.reached(Moment.RANGE_GIVEN_BACK);
    }

    void keep(Container container) {
        containers.put(container.id(), container);
    }

    void forget(Container container) {
        containers.remove(container.id());
    }

    private void recordUsage() {
        containers.values().forEach(container -> {
            try {
                UsageEvent.commit(container.id().value(), container.usage());
            } catch (CgroupException e) {
                if (e.reason() != CgroupException.Code.NO_SUCH_GROUP) { // it has ended meanwhile
                    throw e;
                }
            }
        });
    }

    /// The group that held all containers of this state directory; one that is still there is the next
    /// engine's to clear. A scope's is left to systemd, which reads there that it is empty once it is told
    /// of a change: where the group is gone by then, the scope stays active without one.
    private void removeGroup() {
        if (scope.isEmpty()
                && preparation.hierarchy().leftovers(state.cgroupParent()).isEmpty()) {
            preparation.hierarchy().removeParent(state.cgroupParent());
        }
    }

    /// @return whether an interrupt came, which does not keep anything from being removed
    private static boolean awaitRemoved(Container container) {
        boolean interrupted = false;
        while (true) {
            try {
                container.await();
                return interrupted;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (RuntimeException e) {
                System.getLogger(Engine.class.getName())
                        .log(System.Logger.Level.WARNING, "a container could not be removed", e);
                return interrupted;
            }
        }
    }

    /// Ends and removes every container.
    @Override
    public void close() {
        gate.writeLock().lock();
        try {
            if (!closed.compareAndSet(false, true)) {
                return;
            }
        } finally {
            gate.writeLock().unlock();
        }
        if (FlightRecorder.isInitialized()) {
            FlightRecorder.removePeriodicEvent(recordUsage);
        }
        containers.values().forEach(Container::kill);
        boolean interrupted = false;
        for (Container container : List.copyOf(containers.values())) {
            interrupted |= awaitRemoved(container);
        }
        // The reactor hands ended containers to the launching threads, so it goes first.
        reactor.close();
        launching.shutdown();
        starter.close();
        ranges.close();
        try {
            scope.ifPresent(SystemdScope::leave);
        } finally {
            probe.reached(Moment.CONTAINERS_REMOVED);
            state.close(this::removeGroup);
            preparation.close();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
