package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.IdRanges;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.Namespace;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Network;
import dev.caisson.spec.Placement;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.Groups;
import dev.caisson.state.Names;
import dev.caisson.state.Ranges;
import dev.caisson.state.State;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Makes what every container begins with: an id, a range of ids, a name in the state directory, a group, and a first
/// process in namespaces of its own that waits for a plan.
///
/// The kernel needs longer for the namespaces than for anything else of a launch, and they depend on nothing that a
/// wish says but on which of them are shared. So an engine that has launched before has one beginning made ahead, while
/// the program before it runs.
final class Beginnings implements AutoCloseable {
    /// @param group the container's, or what there is of it where the beginning was made ahead: see [#whole]
    record Beginning(
            ContainerId id,
            Names.Taken name,
            IdRanges.Lease lease,
            LaunchPlan plan,
            Cgroup group,
            boolean madeAhead,
            Launcher.Birth birth) {}

    /// @param group its part in the unified tree
    private record Spare(ContainerId id, IdRanges.Lease lease, Cgroup group, Launcher.Birth birth) {}

    /// Holds what one helper process makes ahead. Containers on networks come from another helper process than those
    /// without, so each kind has a spare of its own.
    private static final class Ahead {
        private final AtomicReference<@Nullable Spare> spare = new AtomicReference<>();
        private final AtomicBoolean making = new AtomicBoolean();
        private final AtomicBoolean launched = new AtomicBoolean();
    }

    private static final System.Logger LOG = System.getLogger(Beginnings.class.getName());

    private final Engine engine;
    private final Probe probe;
    private final State state;
    private final Groups groups;
    private final Ranges ranges;
    private final Function<ContainerSpec, RunningZygote> zygotes;
    private final GuestNetworks networks;
    private final Map<RunningZygote, Ahead> ahead = new ConcurrentHashMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();

    Beginnings(
            Engine engine,
            Probe probe,
            State state,
            Groups groups,
            Ranges ranges,
            Function<ContainerSpec, RunningZygote> zygotes,
            GuestNetworks networks) {
        this.engine = engine;
        this.probe = probe;
        this.state = state;
        this.groups = groups;
        this.ranges = ranges;
        this.zygotes = zygotes;
        this.networks = networks;
    }

    /// @throws RuntimeException where there is none; then nothing is left of it
    /// @param name the container's
    Beginning of(Preparation.Prepared prepared, Names.Taken name) {
        Spare waiting = isUsual(prepared.spec()) ? waiting(ahead(prepared.spec())) : null;
        return waiting == null ? make(prepared, name) : of(prepared, name, waiting);
    }

    /// With what another may have begun: a group beside all others, and every namespace of its own. It gets its places
    /// on networks later.
    private static boolean isUsual(ContainerSpec spec) {
        return spec.placement() instanceof Placement.Standard
                && (spec.network() instanceof Network.None || spec.network() instanceof Network.Joined)
                && spec.sharedNamespaces().isEmpty();
    }

    private Ahead ahead(ContainerSpec spec) {
        return ahead.computeIfAbsent(zygotes.apply(spec), _ -> new Ahead());
    }

    private @Nullable Spare waiting(Ahead among) {
        Spare found = among.spare.getAndSet(null);
        if (found != null && !found.birth().waits()) {
            discard(found);
            return null;
        }
        return found;
    }

    private Beginning of(Preparation.Prepared prepared, Names.Taken name, Spare found) {
        try {
            LaunchPlan plan = prepared.plan(
                    found.lease().range(), found.id(), prepared.joined(networks, found.id(), name.name()));
            return new Beginning(found.id(), name, found.lease(), plan, found.group(), true, found.birth());
        } catch (RuntimeException | Error e) {
            discard(found);
            throw e;
        }
    }

    /// The container's group in every tree, with its limits in force.
    Cgroup whole(Beginning begun, Limits limits) {
        if (!begun.madeAhead()) {
            return begun.group();
        }
        Cgroup group = groups.complete(begun.group(), limits);
        probe.reached(Moment.GROUP_MADE);
        return group;
    }

    private Beginning make(Preparation.Prepared prepared, Names.Taken name) {
        ContainerSpec spec = prepared.spec();
        ContainerId id = ContainerId.random();
        RunningZygote zygote = zygotes.apply(spec);
        IdRanges.Lease lease = ranges.make(id.value(), zygote.get());
        try {
            probe.reached(Moment.RANGE_TAKEN);
            state.announce(id.value());
        } catch (RuntimeException | Error e) {
            ranges.undo(id.value());
            throw e;
        }
        // A failure after this removes what was made.
        try {
            probe.reached(Moment.NAME_TAKEN);
            GuestNetwork network = prepared.joined(networks, id, name.name());
            LaunchPlan plan = prepared.plan(lease.range(), id, network);
            recordParent(id, name, prepared, plan);
            Cgroup group = groups.create(spec, id.value());
            probe.reached(Moment.GROUP_MADE);
            Optional<Fd> shared = networks.shared(network);
            try {
                Launcher launcher = zygote.launcher();
                Launcher.Birth birth = plan.usesHostNetwork()
                        ? launcher.beginInHostNetwork(lease.range(), plan.madeNamespaces(), group)
                        : launcher.begin(lease.range(), plan.madeNamespaces(), group, shared);
                return new Beginning(id, name, lease, plan, group, false, birth);
            } finally {
                shared.ifPresent(Fd::close);
            }
        } catch (RuntimeException | Error e) {
            removeAfter(e, id);
            throw e;
        }
    }

    /// A group stands where the state directory says and its name is enough to find it, unless a parent was named.
    private void recordParent(ContainerId id, Names.Taken name, Preparation.Prepared prepared, LaunchPlan plan) {
        if (prepared.spec().placement() instanceof Placement.Parent parent) {
            engine.save(ContainerRecord.announced(
                    id, name.name(), prepared.spec(), prepared.stopSignal(), parent.path(), plan));
        }
    }

    /// Makes the next one's beginning behind a launch, if there is none. It goes on in the kernel when this
    /// returns. Not behind the first launch, which may be the only one, as the command's.
    void makeAhead(Preparation.Prepared before) {
        if (!isUsual(before.spec())) {
            return;
        }
        Ahead next = ahead(before.spec());
        if (!next.launched.getAndSet(true) || next.spare.get() != null || !next.making.compareAndSet(false, true)) {
            return;
        }
        try {
            if (next.spare.get() == null) {
                next.spare.set(makeSpare(before.namespaces(), zygotes.apply(before.spec())));
                probe.reached(Moment.NEXT_ASKED);
            }
            if (closed.get()) {
                close();
            }
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.DEBUG, "nothing is made ahead; the next launch will tell", e);
        } finally {
            next.making.set(false);
        }
    }

    private Spare makeSpare(Set<Namespace> namespaces, RunningZygote zygote) {
        ContainerId id = ContainerId.random();
        IdRanges.Lease lease = ranges.make(id.value(), zygote.get());
        try {
            state.announce(id.value());
        } catch (RuntimeException | Error e) {
            ranges.undo(id.value());
            throw e;
        }
        try {
            Cgroup group = groups.begin(id.value());
            return new Spare(id, lease, group, zygote.launcher().begin(lease.range(), namespaces, group));
        } catch (RuntimeException | Error e) {
            removeAfter(e, id);
            throw e;
        }
    }

    private void discard(Spare unwanted) {
        try {
            unwanted.birth().close();
            remove(unwanted.id());
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "what was made ahead stays: " + e.getMessage());
        }
    }

    /// Removes what is left of one whose birth is closed, after a failure.
    void removeAfter(Throwable failure, ContainerId id) {
        try {
            remove(id);
        } catch (RuntimeException stuck) {
            failure.addSuppressed(stuck);
        }
    }

    /// While a group is left there may be processes too: then its record stays for the next engine, and its ids stay
    /// taken.
    private void remove(ContainerId id) {
        groups.remove(id.value());
        engine.release(id);
    }

    @Override
    public void close() {
        closed.set(true);
        for (Ahead of : ahead.values()) {
            Spare left = of.spare.getAndSet(null);
            if (left != null) {
                discard(left);
            }
        }
    }
}
