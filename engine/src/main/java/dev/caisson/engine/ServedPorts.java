package dev.caisson.engine;

import dev.caisson.error.ArgumentException;
import dev.caisson.image.Image;
import dev.caisson.image.ImageConfig;
import dev.caisson.image.Rootfs;
import dev.caisson.network.ExposedPorts;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.PortText;
import dev.caisson.spec.PublishedPorts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The ports that a container serves, by what its run and its image say of them.
final class ServedPorts {
    private static final System.Logger LOG = System.getLogger(ServedPorts.class.getName());
    private static final int MOST_EXPOSED = 64;
    private static final int MOST_SHOWN = 4096;

    private ServedPorts() {}

    /// Returns the ports to publish: those that were named, and if all are asked for, each other that is exposed.
    static List<PortMapping> mappings(PublishedPorts ports, List<String> exposed) {
        var all = new ArrayList<>(ports.mappings());
        if (ports.all()) {
            Set<ContainerPort> named =
                    ports.mappings().stream().map(PortMapping::inside).collect(Collectors.toSet());
            var others = new TreeSet<>(ports.exposed());
            exposed.forEach(port -> others.addAll(PortText.ports(port)));
            others.removeAll(named);
            others.forEach(port -> all.add(new PortMapping(Optional.empty(), 0, port.number(), port.transport())));
        }
        return new PublishedPorts(all, List.of(), false).mappings(); // which bounds them
    }

    /// Returns the ports that a container is known to serve, the lowest if there are many: those that are linked to it
    /// get variables for each. What its image says wrongly is an error of who publishes it.
    static ExposedPorts exposed(List<PortMapping> mapped, PublishedPorts ports, Image image, Rootfs rootfs) {
        Set<ContainerPort> declared = declared(rootfs.config());
        var published = new TreeSet<ContainerPort>();
        mapped.forEach(port -> published.add(port.inside()));
        var all = new TreeSet<>(ports.exposed());
        all.addAll(published);
        all.addAll(declared);
        published.removeAll(declared);
        Optional<List<ContainerPort>> undeclared = switch (image) {
            case Image.Host _, Image.Directory _ -> Optional.empty();
            case Image.OciLayout _, Image.DockerArchive _, Image.Named _, Image.Snapshot _ ->
                Optional.of(List.copyOf(published));
        };
        return new ExposedPorts(all.stream().limit(MOST_EXPOSED).toList(), undeclared);
    }

    private static Set<ContainerPort> declared(ImageConfig image) {
        var declared = new TreeSet<ContainerPort>();
        for (String port : image.exposedPorts()) {
            try {
                declared.addAll(PortText.ports(port));
            } catch (ArgumentException e) {
                LOG.log(System.Logger.Level.DEBUG, "the image exposes a port that is none", e);
            }
        }
        return declared;
    }

    /// Returns the ports that a container is known to serve whether it has a network or not, the lowest if there are
    /// many.
    static List<ContainerPort> known(ContainerSpec spec, ImageConfig image) {
        Set<ContainerPort> all = declared(image);
        if (spec.network() instanceof Network.Joined joined) {
            all.addAll(joined.ports().exposed());
            joined.ports().mappings().forEach(port -> all.add(port.inside()));
        }
        return all.stream().limit(MOST_SHOWN).toList();
    }
}
