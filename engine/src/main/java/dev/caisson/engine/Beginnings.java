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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Makes what every container begins with: an id, a range of ids, a name in the state directory, a group, and a first
/// process in namespaces of its own that waits for a plan.
///
/// The kernel needs longer for the namespaces than for anything else of a launch, and they depend on nothing that a
/// wish says but on which of them are shared. So an engine that has launched before has one beginning made ahead, while
/// the program before it runs. If the last two launches were on the same network, it has a place there already, unless
/// the engine launches without a pause: then the links of the next one would be made at the cost of this one.
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
    /// @param network on which it has a place
    private record Spare(
            ContainerId id, IdRanges.Lease lease, Cgroup group, Launcher.Birth birth, Optional<String> network) {}

    /// Makes a spare, once: whoever comes first does it, and whoever takes it waits for that.
    private static final class Making {
        private final Supplier<Spare> work;
        private final AtomicBoolean begun = new AtomicBoolean();
        private final CompletableFuture<Optional<Spare>> made = new CompletableFuture<>();

        Making(Supplier<Spare> work) {
            this.work = work;
        }

        void run() {
            if (!begun.compareAndSet(false, true)) {
                return;
            }
            Optional<Spare> spare = Optional.empty();
            try {
                spare = Optional.of(work.get());
            } catch (RuntimeException | Error e) {
                LOG.log(System.Logger.Level.DEBUG, "nothing is made ahead; the next launch will tell", e);
            } finally {
                made.complete(spare);
            }
        }

        /// Returns nothing if it could not be made.
        Optional<Spare> await() {
            run();
            return made.join();
        }

        /// Returns what was begun to be made; nothing more is.
        Optional<Spare> end() {
            if (begun.compareAndSet(false, true)) {
                made.complete(Optional.empty());
            }
            return made.join();
        }
    }

    /// @param network on which the place of the container may be given ahead
    /// @param at when it was started, as [System#nanoTime]
    private record Last(Optional<String> network, long at) {
        boolean isFollowedBy(Last next) {
            return network.isPresent() && network.equals(next.network) && next.at - at >= PAUSE_NANOS;
        }
    }

    /// Holds what one helper process makes ahead. Containers on networks come from another helper process than those
    /// without, so each kind has a spare of its own.
    private static final class Ahead {
        private final AtomicReference<@Nullable Making> next = new AtomicReference<>();
        private final AtomicBoolean launched = new AtomicBoolean();
        private final AtomicReference<Last> last = new AtomicReference<>(new Last(Optional.empty(), 0));

        /// Takes what there is, which is the caller's then.
        Optional<Spare> take() {
            Making taken = next.getAndSet(null);
            return taken == null ? Optional.empty() : taken.await();
        }
    }

    /// Twice as long as a launch and its end take.
    private static final long PAUSE_NANOS = 15_000_000;

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
        return isUsual(prepared.spec())
                ? ahead(prepared.spec())
                        .take()
                        .flatMap(found -> of(prepared, name, found))
                        .orElseGet(() -> make(prepared, name))
                : make(prepared, name);
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

    /// Returns nothing if it is of no use; then nothing is left of it, or soon.
    private Optional<Beginning> of(Preparation.Prepared prepared, Names.Taken name, Spare found) {
        try {
            Optional<GuestNetwork> network = found.birth().waits() ? network(prepared, name, found) : Optional.empty();
            if (network.isEmpty()) {
                engine.beside(() -> discard(found));
                return Optional.empty();
            }
            LaunchPlan plan = prepared.plan(found.lease().range(), found.id(), network.get());
            return Optional.of(
                    new Beginning(found.id(), name, found.lease(), plan, found.group(), true, found.birth()));
        } catch (RuntimeException | Error e) {
            discard(found);
            throw e;
        }
    }

    private Optional<GuestNetwork> network(Preparation.Prepared prepared, Names.Taken name, Spare found) {
        if (found.network().isEmpty()) {
            return Optional.of(prepared.joined(networks, found.id(), name.name()));
        }
        return found.network().equals(GuestNetworks.aheadOn(prepared.spec()))
                ? prepared.joinedAhead(networks, found.id(), name.name())
                : Optional.empty();
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

    /// Makes the next one's beginning behind a launch, if there is none. It goes on when this returns: in the
    /// kernel, or in another thread if it gets a place on a network. Not behind the first launch, which may be the
    /// only one, as the command's.
    void makeAhead(Preparation.Prepared before) {
        if (!isUsual(before.spec())) {
            return;
        }
        Ahead next = ahead(before.spec());
        var now = new Last(GuestNetworks.aheadOn(before.spec()), System.nanoTime());
        boolean placed = next.last.getAndSet(now).isFollowedBy(now);
        if (!next.launched.getAndSet(true) || next.next.get() != null) {
            return;
        }
        var making = new Making(() -> makeSpare(
                before.namespaces(), zygotes.apply(before.spec()), placed ? now.network() : Optional.empty()));
        if (!next.next.compareAndSet(null, making)) {
            return;
        }
        if (placed) {
            engine.beside(making::run);
        } else {
            making.run();
        }
        if (closed.get()) {
            close();
        }
    }

    private Spare makeSpare(Set<Namespace> namespaces, RunningZygote zygote, Optional<String> network) {
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
            Launcher.Birth birth = zygote.launcher().begin(lease.range(), namespaces, group);
            network.ifPresent(on -> link(id, birth, on));
            probe.reached(Moment.NEXT_ASKED);
            return new Spare(id, lease, group, birth, network);
        } catch (RuntimeException | Error e) {
            removeAfter(e, id);
            throw e;
        }
    }

    /// Its link is made while the kernel has nothing else to do for it.
    private void link(ContainerId id, Launcher.Birth birth, String network) {
        try {
            birth.linkAhead(networks.giveAhead(id, network));
        } catch (RuntimeException | Error e) {
            birth.close();
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
            Making left = of.next.getAndSet(null);
            if (left != null) {
                left.end().ifPresent(this::discard);
            }
        }
    }
}
