package dev.caisson.engine;

import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;

/// Says by their ids which containers links lead to. A network knows no others than its own, so that it would take the
/// name of another one for the beginning of an id.
final class LinkLookup {
    private LinkLookup() {}

    /// @throws EngineException CONTAINER_AMBIGUOUS
    static Network.Joined pinned(Network.Joined joined, EngineOptions options) {
        return joined.endpoints(joined.endpoints().stream()
                .map(endpoint -> pinned(endpoint, options))
                .toList());
    }

    /// Leaves a link to nobody as it is: the network refuses it.
    /// @throws EngineException CONTAINER_AMBIGUOUS
    static NetworkEndpoint pinned(NetworkEndpoint endpoint, EngineOptions options) {
        return endpoint.links(endpoint.links().stream()
                .map(link -> Lookup.find(link.container(), options)
                        .map(id -> new ContainerLink(id.value(), link.alias()))
                        .orElse(link))
                .toList());
    }
}
