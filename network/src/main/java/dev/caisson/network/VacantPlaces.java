package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// Places on networks that no container has yet. Whoever will start one soon gives a place to its id and makes the
/// link of it; the container takes the place with what it wishes. No list and no name shows such a place. Whoever
/// needs its address, or removes the network, takes it back.
public final class VacantPlaces {
    private final Networks networks;
    private final NetworkRecords records;
    private final KernelNetworks kernel;
    /// The index that the bridge of each place had when the place was given.
    private final Map<ContainerId, Integer> bridges = new HashMap<>();

    VacantPlaces(Networks networks, NetworkRecords records, KernelNetworks kernel) {
        this.networks = networks;
        this.records = records;
        this.kernel = kernel;
    }

    /// Returns the network whose place may be given ahead to a container with such a wish: one alone, where all of the
    /// place is chosen.
    public static Optional<String> networkOf(Network.Joined wish) {
        if (wish.endpoints().size() != 1) {
            return Optional.empty();
        }
        NetworkEndpoint endpoint = wish.endpoints().getFirst();
        boolean chosen = endpoint.ip4().isEmpty()
                && endpoint.ip6().isEmpty()
                && endpoint.mac().isEmpty()
                && endpoint.links().isEmpty();
        return chosen ? Optional.of(endpoint.network()) : Optional.empty();
    }

    /// Gives a place to one that will be a container. Its link is to be made as for a container.
    ///
    /// @param network a network that is there
    /// @throws NetworkException NETWORK_NOT_FOUND, NO_ADDRESS_LEFT
    public List<Attachment> give(ContainerId next, String network) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                var settling = new Settling(records, next, "");
                NetworkInfo found = records.find(network);
                settling.add(NetworkEndpoint.on(network), found);
                var given = new ContainerNetworks(next, settling.attachments(), List.of(), Egress.all()).vacant(true);
                networks.record(held, given);
                bridges.put(next, kernel.require(found));
                return given.attachments();
            }
        }
    }

    /// Has a container take the place that its id was given.
    ///
    /// @param wish with the network of that place alone, see [#networkOf]
    /// @return empty if the place, its link or its network is gone meanwhile; what is left of it is the caller's to
    ///     release
    public Optional<List<Attachment>> take(
            ContainerId container, String name, Network.Joined wish, ExposedPorts exposed) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                ContainerNetworks before = records.containers().get(container);
                NetworkEndpoint endpoint = wish.endpoints().getFirst();
                if (before == null || !before.vacant()) {
                    return Optional.empty();
                }
                var places = before.attachments().stream()
                        .map(place -> place.aliases(Settling.aliases(endpoint, name)))
                        .toList();
                ContainerNetworks after = before.places(places, Optional.empty())
                        .egress(wish.egress())
                        .exposed(exposed)
                        .hostPorts(wish.hostServices().ports())
                        .bandwidth(wish.bandwidth())
                        .vacant(false);
                held.begin();
                if (!stands(container, places.getFirst(), endpoint.network())) {
                    held.finish();
                    return Optional.empty();
                }
                records.put(after);
                kernel.clearPins(after);
                if (!after.isPlain()) {
                    kernel.replaceElements(before, after);
                }
                held.finish();
                bridges.remove(container);
                return Optional.of(places);
            }
        }
    }

    /// True if its network is the one that is wished for, and its link is still a port of the bridge.
    private boolean stands(ContainerId container, Attachment place, String wished) {
        NetworkInfo network = records.networks().get(place.networkId());
        return network != null
                && network.equals(records.find(wished))
                && Integer.valueOf(kernel.require(network)).equals(bridges.get(container))
                && kernel.hasLink(place);
    }

    /// Forgets a place that is taken back.
    void forget(ContainerId container) {
        bridges.remove(container);
    }

    /// Takes back places that somebody else needs. The caller has begun a change.
    void yieldTo(List<Attachment> wanted) {
        Set<Object> needed = new HashSet<>();
        wanted.forEach(place -> {
            needed.add(place.mac());
            place.ip4().ifPresent(ip -> needed.add(ip.address()));
            place.ip6().ifPresent(ip -> needed.add(ip.address()));
        });
        takeBack(place -> needed.contains(place.mac())
                || place.ip4().filter(ip -> needed.contains(ip.address())).isPresent()
                || place.ip6().filter(ip -> needed.contains(ip.address())).isPresent());
    }

    /// Takes back all places of a network that goes. The caller has begun a change.
    void yieldAll(NetworkInfo network) {
        takeBack(place -> place.networkId().equals(network.id()));
    }

    private void takeBack(Predicate<Attachment> which) {
        for (ContainerNetworks one : List.copyOf(records.containers().values())) {
            if (one.vacant() && one.attachments().stream().anyMatch(which)) {
                kernel.release(one);
                records.remove(one);
            }
        }
    }
}
