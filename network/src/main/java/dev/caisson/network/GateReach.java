package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Transport;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Addresses that gates may connect to for their containers: those that the containers may reach, by the same rules.
/// Safe for use by several threads.
public final class GateReach implements AutoCloseable {
    private final RecordedNames records;
    private final HostAddresses host = new HostAddresses();

    /// @param networks the directory that [Networks#open] has opened
    public GateReach(Path networks) {
        records = new RecordedNames(networks);
    }

    /// True if a container's list has a port of a host at the moment.
    public synchronized boolean allows(ContainerId container, String name, int port) {
        return listed(container)
                .filter(list -> new GateLead(name, port, 0).isOn(list))
                .isPresent();
    }

    /// True if the greeting of a container may have a name at the moment.
    public synchronized boolean greets(ContainerId container, String name) {
        return listed(container).filter(list -> list.greets(name)).isPresent();
    }

    /// Returns those of the addresses of a name that a container may reach by it: none of a private or
    /// otherwise special range or of the host, unless the list has the address itself.
    public synchronized List<InetAddress> reached(ContainerId container, int port, List<InetAddress> addresses) {
        Optional<Egress.Listed> list = listed(container);
        return addresses.stream()
                .filter(address -> (!SpecialAddresses.contain(address) && !host.contain(address))
                        || list.filter(one -> one.allows(address, port, Transport.TCP))
                                .isPresent())
                .toList();
    }

    /// True if a container has gates, open or not.
    public synchronized boolean hasGates(ContainerId container) {
        return records.record(container).stream()
                .flatMap(record -> record.gates().stream())
                .anyMatch(gate -> !gate.isOfGreetings());
    }

    /// True if a container has gates of which one is not open.
    public synchronized boolean isClosed(ContainerId container) {
        return records.record(container).stream()
                .flatMap(record -> record.gates().stream())
                .anyMatch(gate -> gate.gatePort() == 0);
    }

    /// True if the greetings of a container are led to a port of the host.
    public synchronized boolean leadsGreetings(ContainerId container, int port) {
        return records.record(container).stream()
                .flatMap(record -> record.gates().stream())
                .anyMatch(GateLead.ofGreetings(port)::equals);
    }

    private Optional<Egress.Listed> listed(ContainerId container) {
        return records.record(container).map(ContainerNetworks::egress).flatMap(egress -> switch (egress) {
            case Egress.All _ -> Optional.empty();
            case Egress.Listed listed -> Optional.of(listed);
        });
    }

    @Override
    public synchronized void close() {
        host.close();
        records.close();
    }
}
