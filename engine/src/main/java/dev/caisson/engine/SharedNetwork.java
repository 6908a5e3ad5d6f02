package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.HostException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.OtherNetwork;
import dev.caisson.launch.Verifier;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// The network of one container that others are in, too. It is found by id, and held by a descriptor of its namespace.
final class SharedNetwork {
    private static final Set<String> ABSENT =
            Set.of("CONTAINER_UNKNOWN", "CONTAINER_NOT_RUNNING", "CONTAINER_RESTARTING", "CONTAINER_DEAD");

    private static final String OF_HOST =
            "the host's: its services on loopback, its ports and all that it reaches are in reach";

    private static final System.Logger LOG = System.getLogger(SharedNetwork.class.getName());

    private SharedNetwork() {}

    /// Returns what stands for the places of those containers that are in the host's network or in that of another one.
    /// The others have [NetworkPlaces#NONE], or nothing.
    static Map<ContainerId, NetworkPlaces> places(Set<ContainerId> containers, EngineOptions options) {
        Map<ContainerId, NetworkPlaces> places = new HashMap<>(Listing.networks(containers, options));
        if (places.size() < containers.size()) { // one that does not outlive its command has no spec
            for (ContainerRecord record : State.runningIn(options.state())) {
                var container = new ContainerId(record.id());
                if (containers.contains(container) && !places.containsKey(container)) {
                    seen(record, options).ifPresent(found -> places.put(container, found));
                }
            }
        }
        return places;
    }

    /// Returns what stands for the places of a container of this spec, unless it has some of its own.
    static NetworkPlaces asked(ContainerSpec spec) {
        return switch (spec.network()) {
            case Network.Host _ -> NetworkPlaces.HOST;
            case Network.OfContainer other -> NetworkPlaces.sharing(Optional.of(new ContainerId(other.container())));
            case Network.None _, Network.Joined _ -> NetworkPlaces.NONE;
        };
    }

    private static Optional<NetworkPlaces> seen(ContainerRecord record, EngineOptions options) {
        LaunchPlan plan = record.plan().plan();
        if (plan.usesHostNetwork()) {
            return Optional.of(NetworkPlaces.HOST);
        }
        return plan.sharesNetwork()
                ? owner(record, options).map(other -> NetworkPlaces.sharing(Optional.of(new ContainerId(other.id()))))
                : Optional.empty();
    }

    /// Returns the spec with the id of the container whose network it shares, which stays when that one gets another
    /// name.
    /// @throws EngineException NETWORK_REFUSED, CONTAINER_AMBIGUOUS
    static ContainerSpec pinned(ContainerSpec spec, EngineOptions options) {
        return spec.network() instanceof Network.OfContainer other
                ? spec.network(
                        Network.ofContainer(record(other.container(), options).id()))
                : spec;
    }

    /// Returns the network of another container, as it is planned.
    /// @throws EngineException NETWORK_REFUSED, CONTAINER_AMBIGUOUS
    static GuestNetwork settled(Network.OfContainer other, EngineOptions options) {
        ContainerRecord record = record(other.container(), options);
        LaunchPlan plan = record.plan().plan();
        if (plan.usesHostNetwork()) {
            throw refused(record.name(), "is in the host's network: name that, --network host --allow host-network");
        }
        if (plan.sharesNetwork()) {
            throw refused(record.name(), "shares that of another container itself: name that one");
        }
        return GuestNetwork.of(OtherNetwork.of(new ContainerId(record.id()), plan));
    }

    private static ContainerRecord record(String container, EngineOptions options) {
        Optional<DetachedPlace> detached = DetachedPlace.find(container, options);
        return detached.flatMap(DetachedPlace::findRecord) // whether it runs or not
                .or(() -> Lookup.find(container, options).flatMap(id -> State.running(id, options.state())))
                .orElseThrow(() -> refused(
                        container,
                        detached.isPresent()
                                ? "is not prepared since the host or its monitor has ended: start it first"
                                : "does not exist: 'caisson ps -a' lists those that do"));
    }

    /// The network namespace of a container that runs, and its first process.
    record Stack(Fd namespace, Fd process) implements AutoCloseable {
        /// Gives it to the monitor of a container that shares it, for the next start and those by its policy.
        void give(Monitor monitor) throws InterruptedException {
            monitor.network(namespace);
            monitor.networkOwner(process);
        }

        @Override
        public void close() {
            namespace.close();
            process.close();
        }
    }

    /// Opens the network namespace of a container that runs; the caller's to close.
    /// @throws EngineException NETWORK_REFUSED
    static Fd namespace(ContainerId container, EngineOptions options) {
        try (Stack stack = stack(container, options)) {
            return stack.namespace().duplicate();
        }
    }

    /// Opens the network of a container that runs; the caller's to close.
    /// @throws EngineException NETWORK_REFUSED
    static Stack stack(ContainerId container, EngineOptions options) {
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            ExecTarget owner = ExecTarget.find(container.value(), options, hierarchy);
            Fd process = owner.process();
            try {
                return new Stack(owner.namespaces(List.of(Namespace.NETWORK)).getFirst(), process);
            } catch (RuntimeException e) {
                process.close();
                throw e;
            }
        } catch (EngineException e) {
            if (!ABSENT.contains(e.code())) {
                throw e;
            }
            throw DetachedPlace.find(container.value(), options)
                    .map(place -> refused(place.name(), "does not run: start it first"))
                    .orElseGet(() -> refused(
                            container.shortForm(), "is gone: create this one again, in the network of one that runs"));
        }
    }

    /// Gives the network of a container that was started to those in the background that share it: their policies start
    /// them there from then on. Those that run stay where they are.
    static void passOn(ContainerId owner, EngineOptions options) throws InterruptedException {
        var sharing = new ArrayList<String>();
        KeptSpec.each(options, (entry, spec) -> {
            if (spec.network() instanceof Network.OfContainer other
                    && other.container().equals(owner.value())) {
                sharing.add(entry.id().value());
            }
        });
        if (sharing.isEmpty()) {
            return;
        }
        try (Stack stack = stack(owner, options)) {
            for (String id : sharing) {
                passOn(stack, id, options);
            }
        } catch (EngineException e) {
            LOG.log(System.Logger.Level.DEBUG, "it has ended again", e);
        }
    }

    /// The owner was started, whatever becomes of the others: without the network, their policies say that it ended.
    private static void passOn(Stack stack, String sharing, EngineOptions options) throws InterruptedException {
        try {
            Optional<Monitor> found = DetachedPlace.find(sharing, options).flatMap(DetachedPlace::connect);
            if (found.isEmpty()) {
                return; // it is asked for the network at its next start
            }
            try (Monitor monitor = found.get()) {
                if (EndWatch.isGoingOn(monitor.state())) {
                    stack.give(monitor);
                }
            }
        } catch (HostException e) {
            LOG.log(
                    MonitorFailures.isSilent(e) ? System.Logger.Level.WARNING : System.Logger.Level.DEBUG,
                    "container " + sharing + " was not given the network that it shares: " + e.sentence());
        }
    }

    /// Returns why a container in the background was not started by its policy.
    static String lost(String container) {
        return "NETWORK_ENDED: the container whose network it shares has ended or was started again: run 'caisson restart "
                + container + "' once that one runs";
    }

    private static EngineException refused(String container, String why) {
        return new EngineException(
                "NETWORK_REFUSED", "container " + container + ", whose network this one is to share, " + why);
    }

    /// Requires that a container has the network namespace that was opened for it.
    /// @throws dev.caisson.launch.HostException NOT_AS_PLANNED
    static void require(Fd namespace, int pid) {
        String planned = Long.toUnsignedString(FileSystem.status(namespace).inode());
        OptionalLong found = inode(pid);
        Verifier.Check check = new Verifier.Check(
                "network namespace",
                planned,
                found.isPresent() ? Long.toUnsignedString(found.getAsLong()) : "unreadable",
                found.isPresent() && planned.equals(Long.toUnsignedString(found.getAsLong())));
        if (!check.asPlanned()) {
            throw Starter.notAsPlanned(check);
        }
    }

    /// Compares the network namespace of a container that shares one with that of the other; nothing for others. It
    /// differs once the other has ended, or was started again.
    static List<Verifier.Check> checks(ContainerRecord record, EngineOptions options) {
        if (record.plan().plan().usesHostNetwork()) {
            boolean shared = inode(record.pid())
                    .equals(inode((int) ProcessHandle.current().pid()));
            return List.of(new Verifier.Check("network, shared", OF_HOST, shared ? OF_HOST : "another", shared));
        }
        if (!record.plan().plan().sharesNetwork()) {
            return List.of();
        }
        Optional<ContainerRecord> owner = owner(record, options);
        String planned = of(new ContainerId(record.id()), options)
                .map(SharedNetwork::text)
                .orElse("that of a container that runs");
        String found = owner.map(one -> text(new ContainerId(one.id()))).orElse("that of no container that runs");
        return List.of(new Verifier.Check(
                "network, shared",
                planned,
                found,
                owner.isPresent() && (planned.equals(found) || planned.equals("that of a container that runs"))));
    }

    private static String text(ContainerId container) {
        return "that of container " + container.shortForm();
    }

    /// Returns the container whose network another one is to share, if that is written down or seen.
    static Optional<ContainerId> with(ContainerId container, EngineOptions options) {
        return Optional.ofNullable(places(Set.of(container), options).get(container))
                .flatMap(NetworkPlaces::of);
    }

    private static Optional<ContainerId> of(ContainerId container, EngineOptions options) {
        return KeptSpec.of(container, options)
                .map(ContainerSpec::network)
                .filter(Network.OfContainer.class::isInstance)
                .map(network -> new ContainerId(((Network.OfContainer) network).container()));
    }

    /// Returns the container that has the namespace as its own.
    private static Optional<ContainerRecord> owner(ContainerRecord sharing, EngineOptions options) {
        return owner(sharing.pid(), State.recordsIn(options.state()));
    }

    /// Returns which of the containers has the network namespace of a process as its own.
    static Optional<ContainerRecord> owner(int process, List<ContainerRecord> containers) {
        OptionalLong shared = inode(process);
        return containers.stream()
                .filter(record -> shared.isPresent()
                        && record.pid() > 0
                        && !record.plan().plan().sharesNetwork()
                        && !record.plan().plan().usesHostNetwork()
                        && inode(record.pid()).equals(shared))
                .findFirst();
    }

    private static OptionalLong inode(int pid) {
        try (Fd namespace = FileSystem.open("/proc/" + pid + "/ns/net", FileSystem.O_RDONLY)) {
            return OptionalLong.of(FileSystem.status(namespace).inode());
        } catch (ErrnoException e) {
            return OptionalLong.empty(); // it has ended
        }
    }
}
