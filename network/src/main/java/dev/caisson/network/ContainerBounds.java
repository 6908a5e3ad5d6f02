package dev.caisson.network;

import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.Egress;
import java.util.List;

/// The bounds of a container on its networks.
///
/// @param egress what it may send to outside of them
/// @param hostPorts ports of the host that it reaches
/// @param bandwidth how much it may receive and send on each
public record ContainerBounds(Egress egress, List<ContainerPort> hostPorts, Bandwidth bandwidth) {
    /// The bounds of a container for which nothing was asked.
    public static final ContainerBounds NONE = new ContainerBounds(Egress.all(), List.of(), Bandwidth.ALL);

    public ContainerBounds {
        hostPorts = List.copyOf(hostPorts);
    }
}
