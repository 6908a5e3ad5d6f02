package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Relinking;
import dev.caisson.launch.Step;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.network.Attachment;
import dev.caisson.network.Memberships;
import dev.caisson.network.Networks;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.state.ContainerRecord;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Changes the networks that a container is on which outlives its command, under its lock. The place is recorded as
/// changing first; then what its next start does is changed, then what runs, and last the record says that it is done.
/// A change that was cut off is taken back by the next who changes or starts the container or opens an engine.
final class NetworkChange {
    private static final System.Logger LOG = System.getLogger(NetworkChange.class.getName());
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(20);
    private static final int MOST_TRIES = 500;

    private final DetachedPlace place;
    private final DetachedHold held;
    /// False if it runs and looks names up with others until its next start.
    private boolean asksUs = true;

    NetworkChange(DetachedPlace place, DetachedHold held) {
        this.place = place;
        this.held = held;
    }

    /// Takes back a change that was cut off.
    static void takeBackLeft(DetachedPlace place, DetachedHold held) throws InterruptedException {
        if (HostNetworks.hasAny(place.options())) {
            try (Networks networks = HostNetworks.open(place.options())) {
                new NetworkChange(place, held).takeBack(networks);
            }
        }
    }

    /// Takes back the changes of all containers that were cut off, unless somebody is at them.
    static void takeBackAll(EngineOptions options, Networks networks) {
        for (ContainerId id : networks.memberships().changing()) {
            DetachedPlace.find(id.value(), options).ifPresent(place -> takeBackUnlessHeld(place, networks));
        }
    }

    private static void takeBackUnlessHeld(DetachedPlace place, Networks networks) {
        Optional<DetachedHold> found = place.tryHold();
        if (found.isPresent()) {
            try (DetachedHold held = found.get()) {
                new NetworkChange(place, held).takeBack(networks);
            } catch (CaissonException e) { // whoever starts or changes it sees the same
                LOG.log(
                        System.Logger.Level.WARNING,
                        "a change of the networks of container " + place.name() + " was cut off and is not taken back",
                        e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Puts it on one more network.
    /// @return true if names of the network are answered at once, false if from its next start on
    boolean connect(NetworkEndpoint endpoint) throws InterruptedException {
        Network.Joined joined = joined();
        try (Networks networks = HostNetworks.open(place.options())) {
            takeBack(networks);
            Memberships memberships = networks.memberships();
            Attachment made = memberships.add(place.id(), place.name(), LinkLookup.pinned(endpoint, place.options()));
            try {
                apply(
                        networks,
                        joined.and(named(endpoint, made)),
                        running -> running.link(memberships, networks.attachments(place.id()), made));
            } catch (RuntimeException | InterruptedException e) {
                try {
                    takeBack(networks);
                } catch (CaissonException failed) {
                    e.addSuppressed(failed);
                }
                throw e;
            }
            memberships.settle(place.id());
            NetworkEvents.noteConnected(place.options(), made);
            return asksUs || made.network().equals(Networks.DEFAULT);
        }
    }

    /// Names are looked up in the network that was found.
    private static NetworkEndpoint named(NetworkEndpoint endpoint, Attachment made) {
        return endpoint.network(made.network());
    }

    /// Takes it off a network.
    void disconnect(String network) throws InterruptedException {
        joined();
        try (Networks networks = HostNetworks.open(place.options())) {
            takeBack(networks);
            networks.memberships().leave(place.id(), place.name(), network);
            Optional<Attachment> leaving = networks.memberships().changing(place.id());
            takeBack(networks);
            leaving.ifPresent(gone -> NetworkEvents.noteDisconnected(place.options(), gone));
        }
    }

    /// Changes how much it may receive and send: the kernel first, then what is written down.
    void bound(Bandwidth bandwidth) {
        Network.Joined joined = joined();
        GuestNetworks.bound(place.options(), place.id(), bandwidth);
        KeptSpec.write(held.kept(), spec().network(joined.bandwidth(bandwidth)));
    }

    /// Finishes a change that was cut off: the place is taken away.
    void takeBack(Networks networks) throws InterruptedException {
        Memberships memberships = networks.memberships();
        Optional<Attachment> changing = memberships.changing(place.id());
        if (changing.isEmpty()) {
            return;
        }
        Attachment gone = changing.get();
        List<Attachment> all = networks.attachments(place.id());
        Network.Joined joined = joined();
        Network.Joined left = joined.endpoints(joined.endpoints().stream()
                .filter(endpoint -> !networks.get(endpoint.network()).id().equals(gone.networkId()))
                .toList());
        apply(networks, left, running -> running.unlink(memberships, all, gone));
        memberships.remove(place.id());
    }

    private Network.Joined joined() {
        ContainerSpec spec = spec();
        return switch (spec.network()) {
            case Network.Joined joined -> joined;
            case Network.None _ -> throw refused("has loopback alone (--network none)");
            case Network.Host _ -> throw refused("is in the host's network (--network host)");
            case Network.OfContainer it ->
                throw refused("shares the network of container " + it.text() + ": change that one's");
        };
    }

    private ContainerSpec spec() {
        return KeptSpec.read(held.kept()).orElseThrow(() -> refused("has no spec that is written down"));
    }

    private EngineException refused(String why) {
        return new EngineException(
                "NETWORK_REFUSED",
                "the networks of container " + place.name() + " cannot be changed: it " + why
                        + "; create it again with --network");
    }

    /// What is done to one that runs with the former links.
    private interface Live {
        void to(RunningNetwork running);
    }

    private void apply(Networks networks, Network.Joined joined, Live live) throws InterruptedException {
        ContainerSpec spec = spec().network(joined);
        Optional<Monitor> found = place.connect();
        if (found.isEmpty()) { // it is made again of its spec when it is started
            KeptSpec.write(held.kept(), spec);
            return;
        }
        try (Monitor monitor = found.get()) {
            ContainerRecord record = place.record();
            LaunchPlan former = record.plan().plan();
            boolean asks = former.has(Step.Resolver.class);
            var relinking = new Relinking(
                    GuestNetworks.relinked(place.options(), places(networks, joined), joined.egress(), asks), spec);
            MonitorState state = relink(monitor, relinking.of(whole(monitor, former)));
            if (runs(state) && state.pid() != record.pid()) { // its policy has started it since
                OptionalLong startTime = ProcessTimes.findStartTime(state.pid());
                record = startTime.isPresent() ? record.restarted(state.pid(), startTime.getAsLong()) : record;
            }
            place.save(record.planned(relinking.of(former)));
            KeptSpec.write(held.kept(), spec);
            if (runs(state)) {
                asksUs = asks;
                try {
                    live.to(new RunningNetwork(record));
                } catch (CaissonException e) {
                    MonitorState now = monitor.state();
                    if (runs(now) && now.generation() == state.generation()) {
                        throw e;
                    } // it has ended meanwhile, or was started again, with the new links
                }
            }
        }
    }

    private static boolean runs(MonitorState state) {
        return state.isUp() && state.pid() != 0;
    }

    /// Returns its places on those networks alone.
    private List<Attachment> places(Networks networks, Network.Joined joined) {
        return networks.attachments(place.id()).stream()
                .filter(one -> joined.endpoints().stream()
                        .anyMatch(endpoint ->
                                networks.get(endpoint.network()).id().equals(one.networkId())))
                .toList();
    }

    private static LaunchPlan whole(Monitor monitor, LaunchPlan former) throws InterruptedException {
        try (var wire = monitor.plan()) {
            return Relinking.whole(former, wire);
        }
    }

    /// Waits for a start that is under way.
    private MonitorState relink(Monitor monitor, LaunchPlan plan) throws InterruptedException {
        for (int tries = 0; tries < MOST_TRIES; tries++) {
            Optional<MonitorState> state = monitor.relink(plan);
            if (state.isPresent()) {
                return state.get();
            }
            Thread.sleep(BETWEEN_TRIES);
        }
        throw new EngineException(
                "CONTAINER_RESTARTING",
                "container " + place.name() + " is being started and does not come to its program: see 'caisson logs "
                        + place.name() + "'");
    }
}
