package dev.caisson.network;

import dev.caisson.linux.Fd;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.PublishedPorts;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The networks of one host: made, found and removed, and the places of containers on them. Several processes may use
/// one directory at a time; what one of them changes, it records before it changes the kernel.
///
/// Safe for use by several threads. All are in the network namespace of who opened it.
public final class Networks implements AutoCloseable {
    /// Name of the network that a container is on unless it asks for others; made at its first use.
    public static final String DEFAULT = "bridge";

    /// Networks of one directory, at most.
    public static final int MOST = 512;

    static final String DEFAULT_TOO = "default";
    private static final Set<String> RESERVED = Set.of("none", "host", DEFAULT_TOO, "container");

    private final NetworkRecords records;
    final KernelNetworks kernel;
    private final Creation creation;
    private final Unlinking unlinking;
    private final VacantPlaces vacant;
    private final PortReservations reservations = new PortReservations();

    private Networks(NetworkRecords records, KernelNetworks kernel) {
        this.records = records;
        this.kernel = kernel;
        this.creation = new Creation(records, kernel);
        this.unlinking = new Unlinking(records, kernel);
        this.vacant = new VacantPlaces(this, records, kernel);
    }

    /// Opens the networks that a directory records. It is made if it is not there, and repaired if a process died
    /// while it changed something.
    public static Networks open(Path directory) {
        NetworkRecords records = NetworkRecords.open(directory);
        try {
            return new Networks(records, new KernelNetworks(records, records.identity()));
        } catch (RuntimeException e) {
            records.close();
            throw e;
        }
    }

    /// Makes a network.
    ///
    /// @throws NetworkException NETWORK_EXISTS, SUBNET_TAKEN, NO_SUBNET_LEFT, NETWORK_REFUSED
    public synchronized NetworkInfo create(NetworkSpec spec) {
        if (RESERVED.contains(spec.name())) {
            throw new NetworkException(
                    Code.NETWORK_REFUSED, "network name " + spec.name() + " is reserved: choose another");
        }
        try (NetworkRecords.Held held = hold()) {
            return creation.create(held, spec);
        }
    }

    /// Returns all networks, by name.
    public synchronized List<NetworkInfo> list() {
        try (NetworkRecords.Held _ = hold()) {
            return records.networks().values().stream()
                    .sorted(Comparator.comparing(NetworkInfo::name))
                    .toList();
        }
    }

    /// Finds a network by its name, else by the beginning of its id.
    ///
    /// @throws NetworkException NETWORK_NOT_FOUND, NETWORK_AMBIGUOUS
    public synchronized NetworkInfo get(String nameOrId) {
        try (NetworkRecords.Held _ = hold()) {
            return records.find(nameOrId);
        }
    }

    /// Returns the network that containers are on by default; makes it if it is not there.
    public synchronized NetworkInfo defaultNetwork() {
        try (NetworkRecords.Held held = hold()) {
            return findOrMake(held, DEFAULT);
        }
    }

    NetworkInfo findOrMake(NetworkRecords.Held held, String name) {
        return isMissingDefault(name) ? creation.create(held, NetworkSpec.of(DEFAULT)) : records.find(name);
    }

    private boolean isMissingDefault(String name) {
        return (name.equals(DEFAULT) || name.equals(DEFAULT_TOO))
                && records.networks().values().stream()
                        .noneMatch(one -> one.name().equals(DEFAULT));
    }

    /// Removes a network that no container is on.
    ///
    /// @throws NetworkException NETWORK_IN_USE, NETWORK_NOT_FOUND
    public synchronized void remove(String nameOrId) {
        try (NetworkRecords.Held held = hold()) {
            NetworkInfo network = records.find(nameOrId);
            List<String> users =
                    users(network).map(ContainerId::shortForm).sorted().toList();
            if (!users.isEmpty()) {
                throw new NetworkException(
                        Code.NETWORK_IN_USE,
                        "network " + network.name() + " is used by "
                                + (users.size() == 1 ? "container " : "containers ")
                                + String.join(", ", users) + ": remove " + (users.size() == 1 ? "it" : "them")
                                + " first");
            }
            held.begin();
            vacant.yieldAll(network);
            kernel.remove(network);
            records.remove(network);
            held.finish();
        }
    }

    private Stream<ContainerId> users(NetworkInfo network) {
        return records.containers().values().stream()
                .filter(container -> !container.vacant())
                .filter(container -> container.attachments().stream()
                        .anyMatch(one -> one.networkId().equals(network.id())))
                .map(ContainerNetworks::container);
    }

    /// Returns the places of containers on a network.
    public synchronized List<Attachment> attachedTo(String nameOrId) {
        try (NetworkRecords.Held _ = hold()) {
            String id = records.find(nameOrId).id();
            return records.containers().values().stream()
                    .filter(container -> !container.vacant())
                    .flatMap(container -> container.attachments().stream())
                    .filter(one -> one.networkId().equals(id))
                    .toList();
        }
    }

    /// Returns what changes the networks of containers that have their places.
    public Memberships memberships() {
        return new Memberships(this, records, kernel);
    }

    /// Returns what publishes ports of containers.
    public Publishing publishing() {
        return new Publishing(this, records, kernel, reservations);
    }

    /// Returns places that no container has yet.
    public VacantPlaces vacant() {
        return vacant;
    }

    /// Gives a container its places on networks, all or none. One that has places already keeps them: what the kernel
    /// lacks of them is made again.
    ///
    /// @param name of the container, a further alias on each network
    /// @throws NetworkException NETWORK_NOT_FOUND, ADDRESS_TAKEN, ADDRESS_REFUSED, NO_ADDRESS_LEFT
    public List<Attachment> attach(ContainerId container, String name, List<NetworkEndpoint> endpoints) {
        return attach(container, name, endpoints, Egress.all(), List.of());
    }

    /// The same for a container that reaches no service of the host.
    public List<Attachment> attach(
            ContainerId container,
            String name,
            List<NetworkEndpoint> endpoints,
            Egress egress,
            List<ContainerPort> exposed) {
        return attach(
                container,
                name,
                new Network.Joined(endpoints, PublishedPorts.NONE, NameLookup.STANDARD, egress),
                ExposedPorts.of(exposed));
    }

    /// The same with all that its spec bounds and opens. Its ports are published by [#publishing].
    ///
    /// @param joined of one that has no places yet
    /// @param exposed ports that it is known to serve
    public synchronized List<Attachment> attach(
            ContainerId container, String name, Network.Joined joined, ExposedPorts exposed) {
        try (NetworkRecords.Held held = hold()) {
            ContainerNetworks there = records.containers().get(container);
            if (there != null) {
                held.begin();
                require(there);
                held.finish();
                return there.attachments();
            }
            for (NetworkEndpoint endpoint : joined.endpoints()) {
                findOrMake(held, endpoint.network());
            }
            var settled = new ContainerNetworks(
                            container, settle(container, name, joined.endpoints()), List.of(), joined.egress())
                    .exposed(exposed)
                    .hostPorts(joined.hostServices().ports())
                    .bandwidth(joined.bandwidth());
            record(held, settled);
            return settled.attachments();
        }
    }

    /// Records a container's new places and makes what the host has of them, or leaves nothing.
    void record(NetworkRecords.Held held, ContainerNetworks settled) {
        held.begin();
        vacant.yieldTo(settled.attachments());
        records.put(settled);
        try {
            kernel.clearPins(settled);
            require(settled);
        } catch (RuntimeException e) {
            Creation.undo(e, () -> kernel.release(settled));
            records.remove(settled);
            held.finish();
            throw e;
        }
        held.finish();
    }

    /// Has a container found by its new name in place of the former one. Its own aliases stay.
    public synchronized void rename(ContainerId container, String former, String name) {
        try (NetworkRecords.Held held = hold()) {
            ContainerNetworks there = records.containers().get(container);
            if (there != null) {
                held.begin();
                records.put(there.renamed(former, name));
                held.finish();
            }
        }
    }

    /// Returns what [#attach] would give a container at this moment. Nothing is recorded or made.
    public synchronized List<Attachment> preview(ContainerId container, String name, List<NetworkEndpoint> endpoints) {
        try (NetworkRecords.Held _ = hold()) {
            ContainerNetworks there = records.containers().get(container);
            return there != null ? there.attachments() : settle(container, name, endpoints);
        }
    }

    private List<Attachment> settle(ContainerId container, String name, List<NetworkEndpoint> endpoints) {
        var settling = new Settling(records, container, name);
        for (NetworkEndpoint endpoint : endpoints) {
            String network = endpoint.network();
            settling.add(
                    endpoint,
                    isMissingDefault(network) ? creation.planned(NetworkSpec.of(DEFAULT)) : records.find(network));
        }
        return settling.attachments();
    }

    private void require(ContainerNetworks container) {
        for (Attachment one : container.attachments()) {
            NetworkInfo network = records.networks().get(one.networkId());
            if (network != null) {
                kernel.require(network);
            }
        }
        kernel.addElements(new Elements().container(container.ports(List.of())).all());
    }

    /// Changes what a container may send to outside of its networks, at once. Connections that it has begun and that
    /// are not allowed any more end.
    ///
    /// @throws NetworkException EGRESS_REFUSED for a container on no network
    public synchronized void limit(ContainerId container, Egress egress) {
        try (NetworkRecords.Held held = hold()) {
            ContainerNetworks before = records.containers().get(container);
            if (before == null) {
                throw new NetworkException(
                        Code.EGRESS_REFUSED,
                        "container " + container.shortForm() + " is on no network, so it reaches nothing: leave out"
                                + " --egress");
            }
            ContainerNetworks after = before.egress(egress);
            held.beginLimit(container);
            records.put(after);
            kernel.replaceElements(before, after);
            kernel.cut(after);
            held.finish();
        }
    }

    /// Returns what bounds a container on its networks.
    public synchronized ContainerBounds bounds(ContainerId container) {
        try (NetworkRecords.Held _ = hold()) {
            ContainerNetworks there = records.containers().get(container);
            return there == null
                    ? ContainerBounds.NONE
                    : new ContainerBounds(there.egress(), there.hostPorts(), there.bandwidth());
        }
    }

    /// Returns how many connections a container has begun that its list does not have, since the tables were made.
    public synchronized long denied(ContainerId container) {
        try (NetworkRecords.Held _ = hold()) {
            ContainerNetworks there = records.containers().get(container);
            return there == null || there.egress() instanceof Egress.All ? 0 : kernel.denied(there);
        }
    }

    /// Compares what the host has for a container's networks with what is recorded; nothing for one that is on none.
    public synchronized List<HostCheck> verify(ContainerId container) {
        try (NetworkRecords.Held _ = hold()) {
            ContainerNetworks there = records.containers().get(container);
            return there == null || there.attachments().isEmpty() ? List.of() : kernel.checks(there);
        }
    }

    /// Returns the places of a container; none if it has none.
    public synchronized List<Attachment> attachments(ContainerId container) {
        try (NetworkRecords.Held _ = hold()) {
            ContainerNetworks there = records.containers().get(container);
            return there == null ? List.of() : there.attachments();
        }
    }

    public synchronized List<PortMapping> published(ContainerId container) {
        try (NetworkRecords.Held _ = hold()) {
            ContainerNetworks there = records.containers().get(container);
            return there == null ? List.of() : there.ports();
        }
    }

    /// Takes a container's places and ports back. Its links are removed, if they are still there.
    public synchronized void release(ContainerId container) {
        try (NetworkRecords.Held held = hold()) {
            reservations.release(container);
            vacant.forget(container);
            unlinking.release(held, container);
        }
    }

    /// The same for a container whose processes are gone. Its links pass nothing when this returns; they go with its
    /// network namespace, or are removed later, at the latest by [#close].
    public synchronized void detach(ContainerId container) {
        try (NetworkRecords.Held held = hold()) {
            reservations.release(container);
            vacant.forget(container);
            unlinking.detach(held, container);
        }
    }

    /// Releases containers that do not exist any more, and makes again what the kernel lacks of our tables.
    public synchronized void recover(Predicate<ContainerId> exists) {
        try (NetworkRecords.Held held = hold()) {
            for (ContainerId container : List.copyOf(records.containers().keySet())) {
                if (!exists.test(container)) {
                    reservations.release(container);
                    unlinking.release(held, container);
                }
            }
            kernel.removeUnrecorded();
            if (!records.networks().isEmpty() && !kernel.hasRules()) {
                held.begin();
                kernel.repair();
                held.finish();
            }
        }
    }

    /// Keeps containers closed from here on while our tables are gone, as after `nft flush ruleset`; until [#close].
    /// For one process of a directory, which looks after the tables.
    public synchronized void standBy() {
        try (NetworkRecords.Held _ = hold()) {
            kernel.standBy();
        }
    }

    /// Returns a number that changes when anybody changes the packet filter, with one question to the kernel.
    public int generation() {
        return kernel.generation();
    }

    /// Holds the records; what a process that died left unfinished is repaired first.
    NetworkRecords.Held hold() {
        NetworkRecords.Held held = records.hold();
        try {
            if (held.wasInterrupted()) {
                kernel.repair(held.interruptedLimit().map(records.containers()::get));
                held.finish();
            }
            return held;
        } catch (RuntimeException e) {
            held.close();
            throw e;
        }
    }

    /// Returns the bound sockets that hold the published ports of a container. They stay this object's.
    public synchronized List<Fd> reserved(ContainerId container) {
        return reservations.of(container);
    }

    /// Returns sentences about rules of others that keep packets of a container on these networks from passing.
    public synchronized List<String> warnings(Network.Joined joined) {
        return kernel.foreignRules().sentences(joined);
    }

    /// Gives up reserved ports; networks and containers stay as they are.
    @Override
    public synchronized void close() {
        reservations.close();
        kernel.close();
        records.close();
    }
}
