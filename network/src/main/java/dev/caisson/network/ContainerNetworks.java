package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.PortMapping;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What is recorded of a container: its places on networks, in the order in which they were asked for, its
/// published ports, and what it may send to outside of its networks.
record ContainerNetworks(ContainerId container, List<Attachment> attachments, List<PortMapping> ports, Egress egress) {
    ContainerNetworks {
        attachments = List.copyOf(attachments);
        ports = List.copyOf(ports);
    }

    /// Returns the same for a container with another name.
    ContainerNetworks renamed(String former, String name) {
        return new ContainerNetworks(
                container,
                attachments.stream().map(one -> one.renamed(former, name)).toList(),
                ports,
                egress);
    }

    ContainerNetworks ports(List<PortMapping> value) {
        return new ContainerNetworks(container, attachments, value, egress);
    }

    ContainerNetworks egress(Egress value) {
        return new ContainerNetworks(container, attachments, ports, value);
    }

    /// Returns its addresses of one family.
    Stream<InetAddress> addresses(boolean six) {
        return attachments.stream()
                .flatMap(one -> (six ? one.ip6() : one.ip4()).stream())
                .map(Attachment.Address::address);
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
