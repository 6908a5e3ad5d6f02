package dev.caisson.engine;

import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerLookup;
import java.util.List;
import java.util.Optional;

/// Finds the container that a caller means: the one answer for all that is asked of a container.
final class Lookup {
    private Lookup() {}

    /// @param container its id, its name, or the beginning of its id
    /// @throws EngineException CONTAINER_AMBIGUOUS
    static Optional<ContainerId> find(String container, EngineOptions options) {
        List<ContainerId> found = ContainerLookup.matching(container, options.data(), options.state());
        if (found.size() > 1) {
            throw new EngineException(
                    "CONTAINER_AMBIGUOUS", found.size() + " containers match '" + container + "': give more of the id");
        }
        return found.stream().findFirst();
    }
}
