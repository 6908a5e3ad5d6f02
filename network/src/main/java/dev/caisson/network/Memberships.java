package dev.caisson.network;

import dev.caisson.linux.Fd;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.NetworkEndpoint;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// Changes of the networks that a container is on, in steps: a place is recorded as changing before anything is made
/// or taken away of it, until all of it is. One that is found as such without somebody who changes it is to be taken
/// away. Whoever changes a container's networks holds its lock.
public final class Memberships {
    private final Networks networks;
    private final NetworkRecords records;
    private final KernelNetworks kernel;

    Memberships(Networks networks, NetworkRecords records, KernelNetworks kernel) {
        this.networks = networks;
        this.records = records;
        this.kernel = kernel;
    }

    /// Gives a container a place on one more network, as changing until [#settle]: its address is taken, and the packet
    /// filter lets it in. It has no link yet.
    ///
    /// @param name of the container, a further alias
    /// @throws NetworkException NETWORK_NOT_FOUND, NETWORK_REFUSED if it is on that network, ADDRESS_TAKEN,
    ///     ADDRESS_REFUSED, NO_ADDRESS_LEFT
    public Attachment add(ContainerId container, String name, NetworkEndpoint endpoint) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                ContainerNetworks before = of(container);
                NetworkInfo network = networks.findOrMake(held, endpoint.network());
                if (find(before, network.id()).isPresent()) {
                    throw new NetworkException(
                            Code.NETWORK_REFUSED,
                            "container " + name + " is on network " + network.name() + " already: disconnect it first");
                }
                var settling = new Settling(records, container, name).with(before.attachments());
                settling.add(endpoint, network);
                ContainerNetworks after = before.places(settling.attachments(), Optional.of(network.id()));
                held.begin();
                networks.vacant().yieldTo(List.of(after.attachments().getLast()));
                records.put(after);
                try {
                    kernel.require(network);
                    kernel.replaceElements(before, after);
                } catch (RuntimeException e) {
                    records.put(before);
                    throw e; // the next who holds the records repairs the kernel
                }
                held.finish();
                return after.attachments().getLast();
            }
        }
    }

    /// Changes how much a container may receive and send on each of its networks, at once.
    ///
    /// @throws NetworkException NETWORK_REFUSED for a container on no network
    public void bound(ContainerId container, Bandwidth bandwidth) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                ContainerNetworks before = of(container);
                ContainerNetworks after = before.bandwidth(bandwidth);
                held.begin();
                records.put(after);
                kernel.replaceElements(before, after);
                held.finish();
            }
        }
    }

    /// Makes the link of a place in a network namespace of the container. Inside it is down and without addresses.
    public void link(Attachment place, Fd namespace) {
        synchronized (networks) {
            kernel.link(place, namespace);
        }
    }

    /// Removes the link of a place, if there is one, with all that is set of it inside.
    public void unlink(Attachment place) {
        synchronized (networks) {
            kernel.unlink(place);
        }
    }

    /// Says that the change is done.
    public void settle(ContainerId container) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                ContainerNetworks there = of(container);
                held.begin();
                records.put(there.places(there.attachments(), Optional.empty()));
                held.finish();
            }
        }
    }

    /// Marks a container's place on a network as changing, to be taken away.
    /// @throws NetworkException NETWORK_NOT_FOUND, NOT_CONNECTED if it is not on that network
    public Attachment leave(ContainerId container, String name, String network) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                NetworkInfo found = records.find(network);
                Optional<ContainerNetworks> there =
                        Optional.ofNullable(records.containers().get(container));
                Attachment place = there.flatMap(one -> find(one, found.id()))
                        .orElseThrow(() -> new NetworkException(
                                Code.NOT_CONNECTED,
                                "container " + name + " is not on network " + found.name()
                                        + ": see 'caisson inspect -f {{json .NetworkSettings.Networks}} " + name
                                        + "'"));
                held.begin();
                records.put(there.get().places(there.get().attachments(), Optional.of(found.id())));
                held.finish();
                return place;
            }
        }
    }

    /// Takes away the place that is changing, with its addresses, and what lets it in.
    public void remove(ContainerId container) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                ContainerNetworks before = of(container);
                var left = new ArrayList<>(before.attachments());
                List<Attachment> gone = changing(before).stream().toList();
                left.removeAll(gone);
                ContainerNetworks after = before.places(left, Optional.empty());
                held.begin();
                gone.forEach(kernel::unlink);
                gone.forEach(
                        place -> new Unlinking(records, kernel).dropLinks(container, Optional.of(place.networkId())));
                kernel.replaceElements(before, after);
                kernel.forget(before.places(gone, Optional.empty()));
                records.put(after);
                held.finish();
            }
        }
    }

    /// Has the hosts of a container's gates lead to these for ten seconds, and as long as [#renewLeads] is called; none
    /// to none. Hosts that are not on its list are left out.
    public void lead(ContainerId container, List<GateLead> gates) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                ContainerNetworks before = records.containers().get(container);
                if (before == null) {
                    return; // it is gone
                }
                ContainerNetworks after = before.gates(gates).egress(before.egress());
                held.begin();
                records.put(after);
                kernel.replaceElements(before, after);
                kernel.renewLeads(List.of(after));
                held.finish();
            }
        }
    }

    /// Has containers be led to their gates for ten seconds more. Those that are gone are left out.
    public void renewLeads(Collection<ContainerId> containers) {
        synchronized (networks) {
            try (NetworkRecords.Held _ = networks.hold()) {
                kernel.renewLeads(containers.stream()
                        .map(records.containers()::get)
                        .filter(Objects::nonNull)
                        .toList());
            }
        }
    }

    /// Returns the place of a container that is being changed, if one is.
    public Optional<Attachment> changing(ContainerId container) {
        synchronized (networks) {
            try (NetworkRecords.Held _ = networks.hold()) {
                return Optional.ofNullable(records.containers().get(container)).flatMap(Memberships::changing);
            }
        }
    }

    /// Returns the containers one of whose places is being changed.
    public List<ContainerId> changing() {
        synchronized (networks) {
            try (NetworkRecords.Held _ = networks.hold()) {
                return records.containers().values().stream()
                        .filter(one -> changing(one).isPresent())
                        .map(ContainerNetworks::container)
                        .toList();
            }
        }
    }

    private static Optional<Attachment> changing(ContainerNetworks container) {
        return container.changing().flatMap(network -> find(container, network));
    }

    private static Optional<Attachment> find(ContainerNetworks container, String network) {
        return container.attachments().stream()
                .filter(one -> one.networkId().equals(network))
                .findFirst();
    }

    private ContainerNetworks of(ContainerId container) {
        ContainerNetworks there = records.containers().get(container);
        if (there == null) {
            throw new NetworkException(
                    Code.NETWORK_REFUSED,
                    "container " + container.shortForm() + " has loopback alone: create it with --network");
        }
        return there;
    }
}
