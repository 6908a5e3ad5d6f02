package dev.caisson.spec;

import dev.caisson.error.ArgumentException;
import java.util.List;

/// The ports of a container that others may know of.
///
/// @param mappings ports of the host that lead to it
/// @param exposed ports that it is known to serve, beside those of its image; nobody reaches them for that
/// @param all publishes each exposed port at a port of the host that is chosen, Docker's `-P`
public record PublishedPorts(List<PortMapping> mappings, List<ContainerPort> exposed, boolean all) {
    private static final int MOST = 1024;

    public static final PublishedPorts NONE = new PublishedPorts(List.of(), List.of(), false);

    public PublishedPorts {
        mappings = More.copy(mappings, "mappings");
        exposed = More.copy(exposed, "exposed");
        if (mappings.size() > MOST || exposed.size() > MOST) {
            throw ArgumentException.invalid(
                    "a container publishes and exposes at most " + MOST + " ports each: name fewer");
        }
    }

    /// Publishes one more.
    public PublishedPorts and(PortMapping mapping) {
        return new PublishedPorts(More.plus(mappings, mapping), exposed, all);
    }
}
