package dev.caisson.engine;

import dev.caisson.network.LinkCounters;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Network;
import dev.caisson.spec.Usage;
import dev.caisson.state.State;
import java.util.List;
import java.util.Optional;

/// The usage of a container so far.
///
/// @param group memory, CPU, processes, I/O and pressure
/// @param writable its writable layer; empty when its process 1 has ended
/// @param interfaces traffic of its links to networks, also of those that it shares with another container; none for
///     loopback alone
public record ContainerUsage(Usage group, Optional<WritableUse> writable, List<InterfaceUse> interfaces) {
    public ContainerUsage {
        interfaces = List.copyOf(interfaces);
    }

    /// Makes the usage of a container that has only loopback.
    public ContainerUsage(Usage group, Optional<WritableUse> writable) {
        this(group, writable, List.of());
    }

    static ContainerUsage of(Usage group, int pid, ContainerId id, Network network, EngineOptions options) {
        return new ContainerUsage(
                group,
                WritableUse.of(pid),
                switch (network) {
                    case Network.None _, Network.Host _ -> List.of();
                    case Network.OfContainer _ ->
                        SharedNetwork.owner(pid, State.runningIn(options.state()))
                                .map(owner -> LinkCounters.read(new ContainerId(owner.id())))
                                .orElse(List.of());
                    case Network.Joined _ -> LinkCounters.read(id);
                });
    }
}
