package dev.caisson.engine;

import dev.caisson.network.Attachment;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.PortMapping;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The places of a container on networks, and its published ports; what is recorded of them, whether it runs or not.
@SuppressWarnings("exports") // for Caisson's own modules
public record NetworkPlaces(List<Attachment> places, List<PortMapping> ports) {
    /// Loopback alone.
    public static final NetworkPlaces NONE = new NetworkPlaces(List.of(), List.of());

    public NetworkPlaces {
        places = List.copyOf(places);
        ports = List.copyOf(ports);
    }

    public static NetworkPlaces of(ContainerId container, EngineOptions options) {
        return of(List.of(container), options).getOrDefault(container, NONE);
    }

    /// Returns those of the containers that have some.
    public static Map<ContainerId, NetworkPlaces> of(Collection<ContainerId> containers, EngineOptions options) {
        return HostNetworks.read(options, Map.of(), networks -> {
            var found = new HashMap<ContainerId, NetworkPlaces>();
            for (ContainerId container : containers) {
                List<Attachment> places = networks.attachments(container);
                if (!places.isEmpty()) {
                    found.put(container, new NetworkPlaces(places, networks.published(container)));
                }
            }
            return found;
        });
    }
}
