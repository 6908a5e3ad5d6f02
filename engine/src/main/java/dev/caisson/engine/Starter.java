package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.launch.ContainerId;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.HostException;
import dev.caisson.launch.IdRanges;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.Placement;
import dev.caisson.launch.PlanRecord;
import dev.caisson.launch.Verifier;
import dev.caisson.launch.Zygote;
import dev.caisson.linux.Fd;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Takes a prepared container through its start: ids, record, group, streams, init, the check of what the kernel
/// made, and its program.
final class Starter implements AutoCloseable {
    private static final int OWN_PID = (int) ProcessHandle.current().pid();

    private final Engine engine;
    private final Probe probe;
    private final Preparation preparation;
    private final State state;
    private final Groups groups;
    private final IdRanges ranges;
    private final DiskLayers diskLayers;
    private final Reactor reactor;
    private @Nullable CompletableFuture<Zygote> starting;
    private @Nullable Zygote zygote;
    private @Nullable Launcher launcher;
    private @Nullable Verifier verifier;
    private @Nullable Listeners listeners;

    Starter(
            Engine engine,
            Probe probe,
            Preparation preparation,
            State state,
            Groups groups,
            IdRanges ranges,
            DiskLayers diskLayers,
            Reactor reactor) {
        this.engine = engine;
        this.probe = probe;
        this.preparation = preparation;
        this.state = state;
        this.groups = groups;
        this.ranges = ranges;
        this.diskLayers = diskLayers;
        this.reactor = reactor;
    }

    /// Starts one program.
    /// @param standing is handed the container that stands and waits for it
    /// @throws RuntimeException where it does not run; then nothing is left of it
    Container start(Preparation.Prepared prepared, Streams wanted, Consumer<Container> standing) {
        ContainerSpec spec = prepared.spec();
        ContainerId id = ContainerId.random();
        IdRanges.Lease lease = ranges.take(zygote());
        LaunchPlan plan;
        try {
            probe.reached(Moment.RANGE_TAKEN);
            plan = prepared.plan(lease.range(), id);
            announce(id, spec, plan);
        } catch (RuntimeException e) {
            ranges.giveBack(lease);
            throw e;
        }
        // From here on there is something to remove.
        Container container;
        try {
            probe.reached(Moment.NAME_TAKEN);
            container = stand(prepared, id, lease, plan, wanted);
        } catch (RuntimeException e) {
            releaseIfGone(spec, id, lease, e);
            throw e;
        }
        boolean started = false;
        try {
            preparation.denials(spec, this::listeners).ifPresent(container::answeredBy);
            standing.accept(container);
            container.start();
            started = true;
        } finally {
            if (!started) {
                container.kill();
            } else {
                probe.reached(Moment.STARTED);
            }
            // Written while the program starts: to clear up after it the name is enough. It ends only when it is
            // written.
            container.record(() -> record(id, spec, plan));
        }
        probe.reached(Moment.START_RECORDED);
        container.beginAnswering();
        return container;
    }

    /// While a group is left there may be processes too: its record stays for the next engine, its ids stay taken.
    private void releaseIfGone(ContainerSpec spec, ContainerId id, IdRanges.Lease lease, RuntimeException failure) {
        try {
            if (preparation
                    .hierarchy()
                    .find(groups.parent(spec.placement()), id.value())
                    .isEmpty()) {
                engine.release(spec, id, lease);
            }
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /// A group stands where the state directory says and its name is enough to find it, unless a parent was named.
    private void announce(ContainerId id, ContainerSpec spec, LaunchPlan plan) {
        if (spec.placement() instanceof Placement.Parent) {
            engine.save(record(id, spec, plan));
        } else {
            state.announce(id.value());
        }
    }

    /// Everything but the program; on failure only the record and the id range are left.
    private Container stand(
            Preparation.Prepared prepared, ContainerId id, IdRanges.Lease lease, LaunchPlan plan, Streams wanted) {
        Cgroup group = groups.create(prepared.spec(), id.value());
        try {
            probe.reached(Moment.GROUP_MADE);
            return standIn(group, prepared, id, lease, plan, wanted);
        } catch (RuntimeException e) {
            try {
                group.kill();
                group.remove();
            } catch (RuntimeException stuck) {
                e.addSuppressed(stuck);
            }
            throw e;
        }
    }

    /// On failure the group is left too, perhaps with a process in it.
    private Container standIn(
            Cgroup group,
            Preparation.Prepared prepared,
            ContainerId id,
            IdRanges.Lease lease,
            LaunchPlan plan,
            Streams wanted) {
        ContainerSpec spec = prepared.spec();
        StandardStreams streams = null;
        try (Launcher.Birth birth = launcher().begin(plan, group)) {
            probe.reached(Moment.CHILD_ASKED);
            int owner = lease.range().base() + prepared.image().user().uid();
            streams = StandardStreams.open(reactor, spec, wanted, owner);
            probe.reached(Moment.STREAMS_OPEN);
            Launcher.Launched launched = launch(prepared, id, lease, plan, birth, streams);
            try {
                streams.console(launched.console());
                streams.closeTheirs();
                var container = new Container(engine, id, spec, plan, group, lease, launched, streams);
                container.watch(reactor);
                engine.keep(container);
                probe.reached(Moment.WATCHED);
                return container;
            } catch (RuntimeException e) {
                launched.abandon();
                throw e;
            }
        } catch (RuntimeException e) {
            if (streams != null) {
                streams.close();
            }
            throw e;
        }
    }

    private Launcher.Launched launch(
            Preparation.Prepared prepared,
            ContainerId id,
            IdRanges.Lease lease,
            LaunchPlan plan,
            Launcher.Birth birth,
            StandardStreams streams) {
        List<Fd> layers = prepared.rootfs().openLayers();
        try {
            Optional<Fd> upper = diskLayers.make(id, plan);
            probe.reached(Moment.LAYERS_OPEN);
            var resources = new Launcher.Resources(layers, lease.userNamespace(), streams.theirs(), upper);
            OptionalInt step = probe.pauseBefore();
            Launcher.Launched launched = step.isEmpty()
                    ? birth.complete(resources)
                    : birth.complete(resources, new Launcher.Pause(step.getAsInt(), engine::initPaused));
            try {
                probe.reached(Moment.INIT_READY);
                verify(plan, launched);
                probe.reached(Moment.VERIFIED);
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
                groups.parent(spec.placement()),
                System.currentTimeMillis(),
                OWN_PID,
                0,
                0,
                spec.limits().inWholePages().memory().count(),
                spec.limits().pids(),
                List.of(),
                List.of(),
                PlanRecord.of(plan));
    }

    /// Begins beside the caller what the first start waits for.
    synchronized void begin() {
        if (zygote == null && starting == null) {
            starting = Zygote.begin();
        }
    }

    /// Of a process that lives as long as the engine.
    int helperPid() {
        return zygote().pid();
    }

    private synchronized Zygote zygote() {
        Zygote running = zygote;
        if (running == null) {
            begin();
            CompletableFuture<Zygote> begun = Objects.requireNonNull(starting);
            starting = null;
            running = Zygote.await(begun);
            zygote = running;
            launcher = new Launcher(running);
        }
        return running;
    }

    private synchronized Listeners listeners() {
        Listeners running = listeners;
        if (running == null) {
            running = new Listeners(probe);
            listeners = running;
        }
        return running;
    }

    private synchronized Launcher launcher() {
        zygote();
        return Objects.requireNonNull(launcher);
    }

    private synchronized Verifier verifier(LaunchPlan plan) {
        Verifier known = verifier;
        verifier = known == null ? new Verifier(plan) : known.with(plan);
        return verifier;
    }

    /// Ends the process that makes the others, and what answers filters; no container is left then.
    @Override
    public synchronized void close() {
        if (listeners != null) {
            listeners.close();
        }
        if (starting != null) {
            zygote = starting.exceptionally(_ -> null).join();
        }
        if (zygote != null) {
            zygote.close();
        }
    }
}
