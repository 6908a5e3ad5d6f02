package dev.caisson.network;

import dev.caisson.network.nft.Connections.Connection;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.Egress;
import dev.caisson.spec.PortMapping;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What is recorded of a container: its places on networks, in the order in which they were asked for, its
/// published ports, and what it may send to outside of its networks.
///
/// @param gates ports of hosts that are led to a gate
/// @param changing id of the network that it is being connected to or disconnected from; one that is found without
///     somebody who does it is to be taken away
/// @param exposed ports that it is known to serve
/// @param hostPorts ports of the host that it reaches
/// @param bandwidth how much it may receive and send on each network
/// @param vacant true for places that no container has yet, see [VacantPlaces]
record ContainerNetworks(
        ContainerId container,
        List<Attachment> attachments,
        List<PortMapping> ports,
        Egress egress,
        List<GateLead> gates,
        Optional<String> changing,
        ExposedPorts exposed,
        List<ContainerPort> hostPorts,
        Bandwidth bandwidth,
        boolean vacant) {
    ContainerNetworks {
        attachments = List.copyOf(attachments);
        ports = List.copyOf(ports);
        gates = List.copyOf(gates);
        hostPorts = List.copyOf(hostPorts);
    }

    ContainerNetworks(ContainerId container, List<Attachment> attachments, List<PortMapping> ports, Egress egress) {
        this(
                container,
                attachments,
                ports,
                egress,
                List.of(),
                Optional.empty(),
                ExposedPorts.NONE,
                List.of(),
                Bandwidth.ALL,
                false);
    }

    /// Returns the same for a container with another name.
    ContainerNetworks renamed(String former, String name) {
        return new ContainerNetworks(
                container,
                attachments.stream().map(one -> one.renamed(former, name)).toList(),
                ports,
                egress,
                gates,
                changing,
                exposed,
                hostPorts,
                bandwidth,
                vacant);
    }

    /// Returns the same with other places.
    ///
    /// @param network id of the one that is being changed
    ContainerNetworks places(List<Attachment> value, Optional<String> network) {
        return new ContainerNetworks(
                container, value, ports, egress, gates, network, exposed, hostPorts, bandwidth, vacant);
    }

    ContainerNetworks ports(List<PortMapping> value) {
        return new ContainerNetworks(
                container, attachments, value, egress, gates, changing, exposed, hostPorts, bandwidth, vacant);
    }

    /// Returns the same with another list. A gate goes with its host.
    ContainerNetworks egress(Egress value) {
        List<GateLead> left = gates.stream().filter(gate -> gate.isOn(value)).toList();
        return new ContainerNetworks(
                container, attachments, ports, value, left, changing, exposed, hostPorts, bandwidth, vacant);
    }

    ContainerNetworks gates(List<GateLead> value) {
        return new ContainerNetworks(
                container, attachments, ports, egress, value, changing, exposed, hostPorts, bandwidth, vacant);
    }

    ContainerNetworks exposed(ExposedPorts value) {
        return new ContainerNetworks(
                container, attachments, ports, egress, gates, changing, value, hostPorts, bandwidth, vacant);
    }

    ContainerNetworks hostPorts(List<ContainerPort> value) {
        return new ContainerNetworks(
                container, attachments, ports, egress, gates, changing, exposed, value, bandwidth, vacant);
    }

    /// Returns the same as places that no container has yet, or as those of one that has them.
    ContainerNetworks vacant(boolean value) {
        return new ContainerNetworks(
                container, attachments, ports, egress, gates, changing, exposed, hostPorts, bandwidth, value);
    }

    ContainerNetworks bandwidth(Bandwidth value) {
        return new ContainerNetworks(
                container, attachments, ports, egress, gates, changing, exposed, hostPorts, value, vacant);
    }

    /// Returns the name by which others find it on all its networks, else its short id.
    String name() {
        return attachments.stream()
                .map(Attachment::aliases)
                .filter(aliases -> !aliases.isEmpty())
                .map(List::getLast)
                .findFirst()
                .orElseGet(container::shortForm);
    }

    /// Returns the same without links to a container, on one network or on all.
    ContainerNetworks without(ContainerId target, Optional<String> network) {
        List<Attachment> left = attachments.stream()
                .map(place -> network.isEmpty() || network.get().equals(place.networkId())
                        ? place.links(place.links().stream()
                                .filter(link -> !link.container().equals(target))
                                .toList())
                        : place)
                .toList();
        return left.equals(attachments)
                ? this
                : new ContainerNetworks(
                        container, left, ports, egress, gates, changing, exposed, hostPorts, bandwidth, vacant);
    }

    /// True if nothing leads to it or bounds it but its places themselves.
    boolean isPlain() {
        return ports.isEmpty()
                && gates.isEmpty()
                && hostPorts.isEmpty()
                && egress instanceof Egress.All
                && bandwidth.equals(Bandwidth.ALL);
    }

    /// Returns its addresses of one family.
    Stream<InetAddress> addresses(boolean six) {
        return attachments.stream()
                .flatMap(one -> (six ? one.ip6() : one.ip4()).stream())
                .map(Attachment.Address::address);
    }

    /// Returns the host's addresses of one family on its networks.
    Stream<InetAddress> gateways(boolean six) {
        return attachments.stream()
                .flatMap(one -> (six ? one.ip6() : one.ip4()).stream())
                .map(Attachment.Address::gateway);
    }

    /// True if a connection leads to a port of the host that it reaches.
    boolean reachesHost(Connection connection) {
        boolean six = connection.target() instanceof Inet6Address;
        return gateways(six).anyMatch(connection.target()::equals)
                && hostPorts.stream()
                        .anyMatch(port -> port.number() == connection.port()
                                && port.transport().number() == connection.protocol());
    }

    /// True if an address is one of its networks'.
    boolean isNear(InetAddress address) {
        return attachments.stream()
                .flatMap(one -> Stream.of(one.ip4(), one.ip6()))
                .flatMap(Optional::stream)
                .anyMatch(one -> one.subnet().contains(address));
    }

    /// Returns the place whose address of a family is the one of the container towards the outside: the first network
    /// that leads out, which has the default route.
    Optional<Attachment.Address> outward(boolean six) {
        return attachments.stream()
                .filter(one -> !one.internal())
                .flatMap(one -> (six ? one.ip6() : one.ip4()).stream())
                .findFirst();
    }
}
