package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.PortMapping;
import java.util.List;
import java.util.Optional;

/// What is recorded of a container: its places on networks, in the order in which they were asked for, and its
/// published ports.
record ContainerNetworks(ContainerId container, List<Attachment> attachments, List<PortMapping> ports) {
    ContainerNetworks {
        attachments = List.copyOf(attachments);
        ports = List.copyOf(ports);
    }

    /// Returns the same for a container with another name.
    ContainerNetworks renamed(String former, String name) {
        return new ContainerNetworks(
                container,
                attachments.stream().map(one -> one.renamed(former, name)).toList(),
                ports);
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
