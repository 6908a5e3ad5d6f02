package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.image.ProgressListener;
import dev.caisson.launch.Capability;
import dev.caisson.launch.ContainerId;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.HostException;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.IdRange;
import dev.caisson.launch.IdRanges;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.PlanRecord;
import dev.caisson.launch.Verifier;
import dev.caisson.launch.Zygote;
import dev.caisson.linux.Fd;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// Runs programs in containers. One engine serves a whole process and any number of threads, virtual ones too.
///
/// ```java
/// try (var engine = Engine.open()) {
///     RunResult result = engine.run(ContainerSpec.of(Image.host(), "python3", "-c", code));
/// }
/// ```
///
/// Closing it ends and removes every container of it. What an engine that was killed has left is removed by the next
/// one
/// that is opened on the same state directory.
public final class Engine implements AutoCloseable {
    private final State state;
    private final Preparation preparation;
    private final IdRanges ranges;
    private final Reactor reactor = new Reactor();
    private final Map<ContainerId, Container> containers = new ConcurrentHashMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ExecutorService launching;
    private @Nullable Zygote zygote;
    private @Nullable Launcher launcher;
    private @Nullable Verifier verifier;

    private Engine(EngineOptions options) {
        requireRoot();
        preparation = new Preparation(options);
        state = new State(options.state());
        ranges = new IdRanges(state.root());
        recover();
        // A launch waits for other processes in native code, which would hold a virtual thread's carrier.
        int threads = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());
        launching = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("caisson-launch-", 0).factory());
    }

    /// Opens an engine on the standard directories.
    /// @throws EngineException where this process may not run one
    public static Engine open() {
        return open(EngineOptions.standard());
    }

    public static Engine open(EngineOptions options) {
        return new Engine(options);
    }

    private static void requireRoot() {
        HostFacts host = HostFacts.read(List.of(), List.of(), false);
        if (host.effectiveUid() != 0 || !host.capabilities().contains(Capability.SYS_ADMIN)) {
            throw new EngineException(
                    "ROOT_NEEDED", "the engine needs root with CAP_SYS_ADMIN over the host: use sudo");
        }
    }

    /// Removes what engines have left that ended without closing.
    private void recover() {
        state.recover(id -> preparation.hierarchy().removeStale(state.cgroupParent(), id::equals));
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

    /// Runs a program to its end, its output kept.
    /// @throws dev.caisson.launch.LaunchException where it could not be started; nothing is left of it
    public RunResult run(ContainerSpec spec) throws InterruptedException {
        return start(spec, Streams.capture()).await();
    }

    /// Starts a program. Whether or not somebody waits, it is removed at its end.
    public Container start(ContainerSpec spec, Streams streams) throws InterruptedException {
        return start(spec, streams, ProgressListener.none());
    }

    public Container start(ContainerSpec spec, Streams streams, ProgressListener progress) throws InterruptedException {
        if (!Thread.currentThread().isVirtual()) {
            return launch(spec, streams, progress);
        }
        return onLaunchingThread(() -> launch(spec, streams, progress));
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

    private Container launch(ContainerSpec spec, Streams wanted, ProgressListener progress) {
        if (closed.get()) {
            throw new EngineException("ENGINE_CLOSED", "the engine is closed: open another");
        }
        Preparation.Prepared prepared = preparation.prepare(spec, progress);
        ContainerId id = ContainerId.random();
        IdRanges.Lease lease = ranges.take(zygote());
        LaunchPlan plan;
        ContainerRecord record;
        try {
            plan = prepared.plan(lease.range(), id);
            record = record(id, spec, plan);
            state.save(record);
        } catch (RuntimeException e) {
            ranges.giveBack(lease);
            throw e;
        }
        // From here on there is something to remove.
        Container container;
        try {
            container = stand(prepared, id, lease, plan, wanted);
        } catch (RuntimeException e) {
            release(id, lease);
            throw e;
        }
        container.start();
        // Written while the program starts: what has to be known to clear up after it is in the record already.
        container.record(() -> state.save(record.started(container.pid(), container.startTime())));
        return container;
    }

    /// Everything but the program; on failure only the record and the id range are left.
    private Container stand(
            Preparation.Prepared prepared, ContainerId id, IdRanges.Lease lease, LaunchPlan plan, Streams wanted) {
        ContainerSpec spec = prepared.spec();
        Cgroup group = preparation.hierarchy().create(state.cgroupParent(), id.value(), spec.limits());
        StandardStreams streams = null;
        try {
            int owner = lease.range().base() + prepared.image().user().uid();
            streams = StandardStreams.open(reactor, spec, wanted, owner);
            Launcher.Launched launched = launch(prepared, lease, plan, group, streams);
            try {
                streams.console(launched.console());
                streams.closeTheirs();
                var container = new Container(this, id, spec, plan, group, lease, launched, streams);
                container.watch(reactor);
                containers.put(id, container);
                return container;
            } catch (RuntimeException e) {
                launched.abandon();
                throw e;
            }
        } catch (RuntimeException e) {
            if (streams != null) {
                streams.close();
            }
            group.kill();
            group.remove();
            throw e;
        }
    }

    private Launcher.Launched launch(
            Preparation.Prepared prepared,
            IdRanges.Lease lease,
            LaunchPlan plan,
            Cgroup group,
            StandardStreams streams) {
        List<Fd> layers = prepared.rootfs().openLayers();
        try {
            Launcher.Launched launched = launcher()
                    .launch(plan, new Launcher.Resources(group, layers, lease.userNamespace(), streams.theirs()));
            try {
                verify(plan, launched);
                return launched;
            } catch (RuntimeException e) {
                launched.abandon();
                throw e;
            }
        } finally {
            layers.forEach(Fd::close);
        }
    }

    /// The kernel is asked what it made before the program runs in it.
    private void verify(LaunchPlan plan, Launcher.Launched launched) {
        for (Verifier.Check check : verifier(plan).beforeStart(launched.pid())) {
            if (!check.asPlanned()) {
                throw new HostException(
                        "NOT_AS_PLANNED",
                        "the kernel made something else than planned: " + check.subject() + " is " + check.found()
                                + " instead of " + check.planned());
            }
        }
    }

    private ContainerRecord record(ContainerId id, ContainerSpec spec, LaunchPlan plan) {
        return new ContainerRecord(
                id.value(),
                spec.name().orElse(""),
                spec.image().toString(),
                spec.command(),
                state.cgroupParent(),
                System.currentTimeMillis(),
                (int) ProcessHandle.current().pid(),
                0,
                0,
                spec.limits().inWholePages().memory().count(),
                spec.limits().pids(),
                PlanRecord.of(plan));
    }

    private synchronized Zygote zygote() {
        Zygote running = zygote;
        if (running == null) {
            running = Zygote.start();
            zygote = running;
            launcher = new Launcher(running);
        }
        return running;
    }

    private synchronized Launcher launcher() {
        zygote();
        return java.util.Objects.requireNonNull(launcher);
    }

    private synchronized Verifier verifier(LaunchPlan plan) {
        Verifier known = verifier;
        verifier = known == null ? new Verifier(plan) : known.with(plan);
        return verifier;
    }

    /// Called in the reactor's thread when a container has ended.
    void ended(Container container) {
        if (!closed.get()) {
            launching.execute(container::finish);
        }
    }

    void release(ContainerId id, IdRanges.Lease lease) {
        state.remove(id.value());
        ranges.giveBack(lease);
    }

    void forget(Container container) {
        containers.remove(container.id());
    }

    /// The group that held all containers of this state directory; one that is still there is the next engine's to
    /// clear.
    private void removeGroup() {
        if (preparation.hierarchy().leftovers(state.cgroupParent()).isEmpty()) {
            preparation.hierarchy().removeParent(state.cgroupParent());
        }
    }

    /// Ends and removes every container.
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        containers.values().forEach(Container::kill);
        boolean interrupted = false;
        for (Container container : List.copyOf(containers.values())) {
            try {
                container.await();
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (RuntimeException e) {
                System.getLogger(Engine.class.getName())
                        .log(System.Logger.Level.WARNING, "a container could not be removed", e);
            }
        }
        // The reactor hands ended containers to the launching threads, so it goes first.
        reactor.close();
        launching.shutdown();
        synchronized (this) {
            if (zygote != null) {
                zygote.close();
            }
        }
        ranges.close();
        state.close(this::removeGroup);
        preparation.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
