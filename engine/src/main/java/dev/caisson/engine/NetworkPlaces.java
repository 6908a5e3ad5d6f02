package dev.caisson.engine;

import dev.caisson.image.Rootfs;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.OtherNetwork;
import dev.caisson.network.Attachment;
import dev.caisson.network.ContainerBounds;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortMapping;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The places of a container on networks, its published ports, and what bounds it there; what is recorded of them,
/// whether it runs or not.
///
/// @param denied how many connections to something else it has begun, since its networks' tables were made
/// @param of the container whose network it shares, which has the places
/// @param ofHost true if it is in the host's network
@SuppressWarnings("exports") // for Caisson's own modules
public record NetworkPlaces(
        List<Attachment> places,
        List<PortMapping> ports,
        ContainerBounds bounds,
        long denied,
        Optional<ContainerId> of,
        boolean ofHost) {
    /// Loopback alone.
    public static final NetworkPlaces NONE = new NetworkPlaces(List.of(), List.of(), ContainerBounds.NONE, 0);

    /// The host's network.
    static final NetworkPlaces HOST =
            new NetworkPlaces(List.of(), List.of(), ContainerBounds.NONE, 0, Optional.empty(), true);

    public NetworkPlaces {
        places = List.copyOf(places);
        ports = List.copyOf(ports);
    }

    /// The same of one with a network of its own.
    public NetworkPlaces(List<Attachment> places, List<PortMapping> ports, ContainerBounds bounds, long denied) {
        this(places, ports, bounds, denied, Optional.empty(), false);
    }

    /// Loopback alone, or the network of another container.
    static NetworkPlaces sharing(Optional<ContainerId> other) {
        return new NetworkPlaces(List.of(), List.of(), ContainerBounds.NONE, 0, other, false);
    }

    /// Returns Docker's network mode: `host`, `container:ID`, `none`, or the name of the first network.
    public String mode() {
        return ofHost
                ? "host"
                : of.map(other -> "container:" + other.value())
                        .or(() -> places.stream().findFirst().map(Attachment::network))
                        .orElse("none");
    }

    /// Returns those that a container would have.
    static NetworkPlaces planned(GuestNetwork network, ContainerSpec spec, Rootfs rootfs) {
        return switch (spec.network()) {
            case Network.Joined joined ->
                new NetworkPlaces(
                        network.attachments(),
                        ServedPorts.mappings(joined.ports(), rootfs.config().exposedPorts()),
                        new ContainerBounds(
                                joined.egress(), joined.hostServices().ports(), joined.bandwidth()),
                        0);
            case Network.Host _ -> HOST;
            case Network.None _, Network.OfContainer _ ->
                sharing(network.other().map(OtherNetwork::container));
        };
    }

    public static NetworkPlaces of(ContainerId container, EngineOptions options) {
        return of(List.of(container), options).getOrDefault(container, NONE);
    }

    /// Returns those of the containers that have some, or share those of another one; the others have [#NONE], or
    /// nothing.
    public static Map<ContainerId, NetworkPlaces> of(Collection<ContainerId> containers, EngineOptions options) {
        Map<ContainerId, NetworkPlaces> all = new HashMap<>(own(containers, options));
        Set<ContainerId> others = new HashSet<>(containers);
        others.removeAll(all.keySet());
        all.putAll(SharedNetwork.places(others, options));
        return all;
    }

    private static Map<ContainerId, NetworkPlaces> own(Collection<ContainerId> containers, EngineOptions options) {
        return HostNetworks.read(options, Map.of(), networks -> {
            var found = new HashMap<ContainerId, NetworkPlaces>();
            for (ContainerId container : containers) {
                List<Attachment> places = networks.attachments(container);
                if (!places.isEmpty()) {
                    found.put(
                            container,
                            new NetworkPlaces(
                                    places,
                                    networks.published(container),
                                    networks.bounds(container),
                                    networks.denied(container)));
                }
            }
            return found;
        });
    }
}
