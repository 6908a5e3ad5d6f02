package dev.caisson.network;

import dev.caisson.spec.ContainerPort;
import java.util.List;
import java.util.Optional;

/// Ports that a container is known to serve.
///
/// @param all for those that are linked to it
/// @param undeclared published ports that its image does not expose; absent if there is no list of these
public record ExposedPorts(List<ContainerPort> all, Optional<List<ContainerPort>> undeclared) {
    public static final ExposedPorts NONE = of(List.of());

    public ExposedPorts {
        all = List.copyOf(all);
        undeclared = undeclared.map(List::copyOf);
    }

    public static ExposedPorts of(List<ContainerPort> all) {
        return new ExposedPorts(all, Optional.empty());
    }
}
