package dev.caisson.engine;

import dev.caisson.image.Rootfs;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.Launched;
import dev.caisson.launch.ResolverFile;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.NetlinkException;
import dev.caisson.network.Attachment;
import dev.caisson.network.ExposedPorts;
import dev.caisson.network.Networks;
import dev.caisson.network.VacantPlaces;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Gate;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortMapping;
import dev.caisson.state.Holding;
import dev.caisson.state.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The places of an engine's containers on networks, and their published ports: given before the start, and taken back
/// when the container is removed. Nothing is opened for a container with loopback alone.
final class GuestNetworks implements Holding, AutoCloseable {
    private static final Path RESOLVER_FILE = Path.of("/etc/resolv.conf");
    /// Names the servers behind the one of systemd-resolved, which listens on loopback.
    private static final Path RESOLVER_BEHIND = Path.of("/run/systemd/resolve/resolv.conf");

    private static final Path IPV6 = Path.of("/proc/sys/net/ipv6/conf/all");

    private final EngineOptions options;
    private final boolean serves;
    private final ServedNetworks served;
    private final Set<String> given = ConcurrentHashMap.newKeySet();
    private @Nullable Networks networks;

    private GuestNetworks(EngineOptions options, boolean serves) {
        this.options = options;
        this.serves = serves;
        this.served = new ServedNetworks(options);
    }

    /// Those of containers that this process answers questions for names of, as long as they run.
    static GuestNetworks served(EngineOptions options) {
        return new GuestNetworks(options, true);
    }

    /// Those of containers that outlive this process. Without a [NetworkKeeper] they ask the servers of the host.
    static GuestNetworks kept(EngineOptions options) {
        return new GuestNetworks(options, NetworkKeeper.isThere(options));
    }

    /// Has gates that are opened from now on find a host and trust it.
    void know(KnownHost host) {
        served.know(host);
    }

    private synchronized Networks networks() {
        Networks known = networks;
        if (known == null) {
            known = HostNetworks.open(options);
            networks = known;
        }
        return known;
    }

    /// Gives a container its places and ports. One that has them already keeps them.
    ///
    /// @param rootfs of its image, which names ports and has certificates
    GuestNetwork give(ContainerId id, String name, ContainerSpec spec, Rootfs rootfs) {
        return switch (spec.network()) {
            case Network.None _ -> GuestNetwork.NONE;
            case Network.OfContainer other -> SharedNetwork.settled(other, options);
            case Network.Host _ -> GuestNetwork.ofHost(resolver(RESOLVER_FILE));
            case Network.Joined joined ->
                given(
                                id,
                                joined,
                                spec,
                                rootfs,
                                exposed -> Optional.of(
                                        networks().attach(id, name, LinkLookup.pinned(joined, options), exposed)))
                        .orElseThrow();
        };
    }

    /// Returns the network on which a container's place may be given ahead.
    static Optional<String> aheadOn(ContainerSpec spec) {
        return spec.network() instanceof Network.Joined joined ? VacantPlaces.networkOf(joined) : Optional.empty();
    }

    /// Gives a place to an id that will be a container's.
    List<Attachment> giveAhead(ContainerId next, String network) {
        given.add(next.value());
        return networks().vacant().give(next, network);
    }

    /// The same as [#give] for a container whose place was given ahead.
    ///
    /// @return empty if that place is gone; what is left of it is the caller's to release
    Optional<GuestNetwork> take(ContainerId id, String name, ContainerSpec spec, Rootfs rootfs) {
        Network.Joined joined = (Network.Joined) spec.network();
        return given(id, joined, spec, rootfs, exposed -> networks().vacant().take(id, name, joined, exposed));
    }

    /// @param attaching gives its places, if it can, to one that serves such ports
    private Optional<GuestNetwork> given(
            ContainerId id,
            Network.Joined joined,
            ContainerSpec spec,
            Rootfs rootfs,
            Function<ExposedPorts, Optional<List<Attachment>>> attaching) {
        List<PortMapping> ports =
                ServedPorts.mappings(joined.ports(), rootfs.config().exposedPorts());
        requireRelayed(ports);
        requireGated(joined.gates());
        given.add(id.value());
        ExposedPorts exposed = ServedPorts.exposed(ports, joined.ports(), spec.image(), rootfs);
        return reached(() -> attaching.apply(exposed)).map(places -> {
            if (!ports.isEmpty()) {
                reached(() -> published(id, ports));
            }
            if (!joined.gates().isEmpty()) {
                GateFiles.make(options.state(), id, joined.gates(), rootfs);
                GuestGates.prepare(networks(), id, joined.gates());
            }
            if (joined.egress().greets()) {
                GuestGreetings.prepare(networks(), id);
            }
            return certified(settled(places, joined.egress()), id, spec, rootfs);
        });
    }

    private List<PortMapping> published(ContainerId id, List<PortMapping> ports) {
        List<PortMapping> there = networks().published(id);
        return there.isEmpty() ? networks().publishing().reserve(id, ports) : there;
    }

    /// @throws EngineException NETWORK_UNAVAILABLE if the kernel refuses what is asked of it
    private static <T> T reached(Supplier<T> asked) {
        try {
            return asked.get();
        } catch (NetlinkException | ErrnoException e) {
            throw new EngineException(
                    "NETWORK_UNAVAILABLE",
                    "this host gives the container no network (" + e.sentence()
                            + "): run it with --network none, or give"
                            + " Caisson CAP_NET_ADMIN and a kernel with bridge, veth and nf_tables",
                    e);
        }
    }

    /// A port of loopback is relayed by a process, which must be there.
    private void requireRelayed(List<PortMapping> ports) {
        if (!serves) {
            ports.stream().filter(PortMapping::isLoopback).findFirst().ifPresent(port -> {
                throw new EngineException(
                        "PORT_REFUSED",
                        "port " + port + " is published on loopback, to which the resident engine leads for containers"
                                + " that outlive their command: run 'caisson serve', or publish it on another address");
            });
        }
    }

    private GuestNetwork certified(GuestNetwork network, ContainerId id, ContainerSpec spec, Rootfs rootfs) {
        return GateSecrets.of(spec).isEmpty()
                ? network
                : network.certificates(GateFiles.mounts(options.state(), id, spec, rootfs));
    }

    private void requireGated(List<Gate> gates) {
        if (!serves && !gates.isEmpty()) {
            throw new EngineException(
                    "GATE_REFUSED",
                    "the gate to " + gates.getFirst().host() + " is served by the resident engine for containers that"
                            + " outlive their command: run 'caisson serve', and leave CAISSON_SERVE out");
        }
        if (!gates.isEmpty()) {
            GateGroup.requirePossible(options);
        }
    }

    /// Returns what [#give] would give, and changes nothing.
    GuestNetwork preview(ContainerId id, ContainerSpec spec, Rootfs rootfs) {
        return switch (spec.network()) {
            case Network.None _ -> GuestNetwork.NONE;
            case Network.OfContainer other -> SharedNetwork.settled(other, options);
            case Network.Host _ -> GuestNetwork.ofHost(resolver(RESOLVER_FILE));
            case Network.Joined joined ->
                certified(
                        settled(
                                networks()
                                        .preview(
                                                id,
                                                spec.name().orElse(id.shortForm()),
                                                LinkLookup.pinned(joined, options)
                                                        .endpoints()),
                                joined.egress()),
                        id,
                        spec,
                        rootfs);
        };
    }

    /// Opens the network namespace of another container, if it is to be in that; the caller's to close.
    Optional<Fd> shared(GuestNetwork network) {
        return network.other().map(other -> SharedNetwork.namespace(other.container(), options));
    }

    /// On the default network alone there are no names, as with Docker. A container with a list of what it reaches asks
    /// nobody but us, whether somebody is there to answer or not.
    private GuestNetwork settled(List<Attachment> places, Egress egress) {
        boolean named = places.stream().anyMatch(place -> !place.network().equals(Networks.DEFAULT));
        boolean limited = egress instanceof Egress.Listed;
        return new GuestNetwork(places, resolver(), hasIpv6(), limited || (serves && named));
    }

    /// Answers the questions of a container that was launched, if its plan has sockets for them, relays its ports and
    /// opens its gates.
    void serve(ContainerId id, ContainerSpec spec, Launched launched, GateSecrets secrets) {
        if (!(spec.network() instanceof Network.Joined joined)) {
            return;
        }
        launched.resolver().ifPresent(sockets -> served.begin(id, spec, sockets));
        Networks all = networks();
        List<PortMapping> ports = all.published(id);
        if (!ports.isEmpty()) {
            all.publishing().lead(id);
            served.relay(id, all.attachments(id), ports, all.reserved(id));
        }
        try {
            if (!GateSecrets.of(spec).isEmpty()) {
                served.gate(id, all.attachments(id), all, secrets::copy);
            }
            if (joined.egress().greets()) {
                served.greet(id, all.attachments(id), all);
            }
        } catch (IOException e) {
            throw new EngineException(
                    "GATE_FAILED", "the gates of the container could not be opened (" + e.getMessage() + ")", e);
        }
    }

    private static ResolverFile resolver() {
        ResolverFile own = resolver(RESOLVER_FILE);
        return own.servers().isEmpty() ? resolver(RESOLVER_BEHIND) : own;
    }

    private static ResolverFile resolver(Path file) {
        try {
            return ResolverFile.parse(ByteText.read(file));
        } catch (NoSuchFileException e) {
            return ResolverFile.EMPTY;
        } catch (IOException e) {
            throw new EngineException(
                    "RESOLVER_FILE", file + " cannot be read (" + e.getMessage() + "): name servers with --dns", e);
        }
    }

    /// Takes back what a container of this engine has.
    @Override
    public void undo(String id) {
        served.end(id);
        if (given.contains(id)) {
            networks().detach(new ContainerId(id));
            GateFiles.remove(options.state(), new ContainerId(id));
            given.remove(id);
        }
    }

    /// A container that outlives its command keeps its places when its monitor is gone: it is started again.
    @Override
    public void clear(String id) {
        if (HostNetworks.hasAny(options) && !isKept(new ContainerId(id))) {
            networks().release(new ContainerId(id));
            GateFiles.remove(options.state(), new ContainerId(id));
        }
    }

    @Override
    public void clearUnrecorded() {
        if (HostNetworks.hasAny(options)) {
            networks().recover(id -> State.isRecordedIn(options.state(), id.value()) || isKept(id));
            GateFiles.removeAll(options.state(), id -> !State.isRecordedIn(options.state(), id.value()) && !isKept(id));
            NetworkChange.takeBackAll(options, networks());
        }
    }

    private boolean isKept(ContainerId id) {
        return DetachedPlace.find(id.value(), options).isPresent();
    }

    /// Takes back what a container has that is removed, without an engine.
    static void release(EngineOptions options, ContainerId id) {
        if (HostNetworks.hasAny(options)) {
            try (Networks networks = HostNetworks.open(options)) {
                networks.release(id);
            }
            GateFiles.remove(options.state(), id);
        }
    }

    /// Makes bridges, tables and elements of a container again if somebody has flushed them, so that it does not start
    /// without what keeps it in. Its ports lead nowhere until [#lead].
    ///
    /// @param restarts true if its monitor may start it by itself: its ports stay as they are then, as nobody would
    ///     have them lead to it again
    static void require(EngineOptions options, ContainerId id, boolean restarts) {
        try (Networks networks = HostNetworks.open(options)) {
            if (!networks.attachments(id).isEmpty()) {
                networks.attach(id, "", List.of());
                if (!restarts) {
                    networks.publishing().withhold(id);
                }
            }
        }
    }

    /// Has the ports of a container that has ended lead nowhere.
    static void withhold(EngineOptions options, ContainerId id) {
        try (Networks networks = HostNetworks.open(options)) {
            networks.publishing().withhold(id);
        }
    }

    /// Has the ports of a container lead to it, whose links are up.
    static void lead(EngineOptions options, ContainerId id) {
        try (Networks networks = HostNetworks.open(options)) {
            networks.publishing().lead(id);
        }
    }

    /// Returns the networks of a container that exists, for its next start.
    ///
    /// @param asksUs true if it asks us for names already
    static GuestNetwork relinked(EngineOptions options, List<Attachment> places, Egress egress, boolean asksUs) {
        try (var networks = kept(options)) {
            GuestNetwork settled = networks.settled(places, egress);
            return asksUs ? new GuestNetwork(settled.attachments(), settled.host(), settled.ipv6(), true) : settled;
        }
    }

    /// Returns true if the kernel has IPv6.
    static boolean hasIpv6() {
        return Files.isDirectory(IPV6);
    }

    /// Changes what a container may send to outside of its networks.
    /// @throws dev.caisson.network.NetworkException EGRESS_REFUSED if it is on none
    static void limit(EngineOptions options, ContainerId id, Egress egress) {
        try (Networks networks = HostNetworks.open(options)) {
            networks.limit(id, egress);
        }
    }

    /// Changes how much a container may receive and send on each of its networks.
    /// @throws dev.caisson.network.NetworkException if it is on none
    static void bound(EngineOptions options, ContainerId id, Bandwidth bandwidth) {
        try (Networks networks = HostNetworks.open(options)) {
            networks.memberships().bound(id, bandwidth);
        }
    }

    /// Has a container found by its new name.
    static void rename(EngineOptions options, ContainerId id, String former, String name) {
        if (HostNetworks.hasAny(options)) {
            try (Networks networks = HostNetworks.open(options)) {
                networks.rename(id, former, name);
            }
        }
    }

    @Override
    public synchronized void close() {
        served.close();
        if (networks != null) {
            networks.close();
            networks = null;
        }
    }
}
