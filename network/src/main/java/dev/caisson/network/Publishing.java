package dev.caisson.network;

import dev.caisson.network.NetworkException.Code;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.nft.SetElement;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.PortMapping;
import java.util.List;
import java.util.Map;

/// Publishes ports of containers, in two steps: ports of the host are taken before anything of the container is made,
/// and lead to it once its links are up. Until then the host refuses connections. If the ports led there, what is sent
/// to them would be lost, and a client sends it again a second later.
public final class Publishing {
    private final Networks networks;
    private final NetworkRecords records;
    private final KernelNetworks kernel;
    private final PortReservations reservations;

    Publishing(Networks networks, NetworkRecords records, KernelNetworks kernel, PortReservations reservations) {
        this.networks = networks;
        this.records = records;
        this.kernel = kernel;
        this.reservations = reservations;
    }

    /// Takes ports of the host for a container that has its places. As long as the networks are open, nobody else on
    /// the host gets them.
    ///
    /// @return the same with ports for those that asked for any
    /// @throws NetworkException PORT_TAKEN, PORT_REFUSED
    public List<PortMapping> reserve(ContainerId container, List<PortMapping> ports) {
        synchronized (networks) {
            try (NetworkRecords.Held held = networks.hold()) {
                ContainerNetworks there = records.containers().get(container);
                if (there == null) {
                    throw new NetworkException(
                            Code.PORT_REFUSED,
                            "container " + container.shortForm() + " is on no network: give it one to publish ports");
                }
                PortRules.check(there, ports, records.containers().values());
                List<PortMapping> chosen = reservations.reserve(container, ports, records::isPublished);
                try {
                    held.begin();
                    records.put(there.ports(PortRules.joined(there.ports(), chosen)));
                    held.finish();
                } catch (RuntimeException e) {
                    reservations.release(container);
                    throw e;
                }
                return chosen;
            }
        }
    }

    /// Has the ports that were taken for a container lead to it, whose links are up.
    /// @throws NetworkException PORT_TAKEN if a server took one meanwhile
    public void lead(ContainerId container) {
        synchronized (networks) {
            try (NetworkRecords.Held _ = networks.hold()) {
                Map<Sets.Place, List<SetElement>> elements = elements(container);
                if (!elements.isEmpty()) {
                    kernel.addElements(elements);
                }
                try {
                    reservations.hold(container);
                } catch (RuntimeException e) {
                    Creation.undo(e, () -> kernel.removeElements(elements));
                    throw e;
                }
            }
        }
    }

    /// Has the ports of a container that is about to be started lead nowhere.
    public void withhold(ContainerId container) {
        synchronized (networks) {
            try (NetworkRecords.Held _ = networks.hold()) {
                Map<Sets.Place, List<SetElement>> elements = elements(container);
                if (!elements.isEmpty()) {
                    kernel.removeElements(elements);
                }
            }
        }
    }

    private Map<Sets.Place, List<SetElement>> elements(ContainerId container) {
        var elements = new Elements();
        ContainerNetworks there = records.containers().get(container);
        if (there != null) {
            there.ports().forEach(port -> elements.port(there, port));
        }
        return elements.all();
    }
}
