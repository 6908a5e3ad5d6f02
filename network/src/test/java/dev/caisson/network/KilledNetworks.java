package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A process that uses networks, to be killed at any of its system calls.
final class KilledNetworks {
    private KilledNetworks() {}

    public static void main(String[] args) {
        var container = new ContainerId("ab".repeat(32));
        var linked = new ContainerId("cd".repeat(32));
        try (Networks networks = Networks.open(Path.of(args[0]))) {
            networks.create(new NetworkSpec("six", List.of(), false, true, false, 0, Map.of()));
            networks.attach(linked, "db", List.of(NetworkEndpoint.on("six")));
            networks.attach(
                    container,
                    "web",
                    List.of(NetworkEndpoint.on("six").link(ContainerLink.parse("db")), NetworkEndpoint.on("bridge")),
                    Egress.only("192.0.2.7:80", "192.0.2.0/24:90-99", "[2001:db8::7]:80"),
                    List.of());
            networks.release(linked);
            Bed.publish(networks, container, List.of(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP)));
            networks.limit(container, Egress.only("192.0.2.8:80", "example.com:443"));
            networks.create(NetworkSpec.of("more"));
            networks.memberships().add(container, "web", NetworkEndpoint.on("more"));
            networks.memberships().settle(container);
            networks.memberships().leave(container, "web", "bridge");
            networks.memberships().remove(container);
            networks.release(container);
            networks.remove("more");
            networks.remove("six");
            networks.remove("bridge");
        }
    }
}
