package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;

/// Services of the host that a container reaches, by the host's address on its network: none unless they are named.
///
/// @param ports of the host; each needs [Allowance#HOST_SERVICES]
/// @param names further names of the host, beside [#NAME]
public record HostServices(List<ContainerPort> ports, List<String> names) {
    /// Name of the host in each container that reaches a service of it, as with Docker.
    public static final String NAME = "host.docker.internal";

    /// No service.
    public static final HostServices NONE = new HostServices(List.of(), List.of());

    private static final int MOST = 64;

    public HostServices {
        ports = More.copy(ports, "ports");
        names = More.copy(names, "names");
        if (ports.size() > MOST || names.size() > MOST) {
            throw ArgumentException.invalid(Math.max(ports.size(), names.size())
                    + " ports or names of the host are too many: give at most " + MOST + " of each");
        }
        if (new HashSet<>(ports).size() < ports.size()) {
            throw ArgumentException.invalid("a port of the host is named twice: name each once");
        }
        names.stream().filter(name -> !HostNames.isName(name)).findFirst().ifPresent(name -> {
            throw ArgumentException.invalid("host " + Quoted.of(name)
                    + " is not a host name: use letters, digits, dots, hyphens and underscores");
        });
        if (ports.isEmpty() && !names.isEmpty()) {
            throw ArgumentException.invalid("host " + names.getFirst()
                    + " leads to the host, whose services are closed to the container: name their ports, with"
                    + " --allow host-services=PORT");
        }
    }

    /// Reads ports, as `5432`, `53/udp` and `8000-8010`.
    public static HostServices of(String... ports) {
        return new HostServices(
                Arrays.stream(present(ports, "ports"))
                        .flatMap(text -> PortText.ports(text).stream())
                        .distinct()
                        .toList(),
                List.of());
    }

    /// Adds names.
    public HostServices named(List<String> more) {
        return new HostServices(
                ports,
                Stream.concat(names.stream(), present(more, "more").stream())
                        .distinct()
                        .toList());
    }

    public boolean isEmpty() {
        return ports.isEmpty();
    }

    /// Returns all names of the host; none if no service is reached.
    public List<String> allNames() {
        return isEmpty()
                ? List.of()
                : Stream.concat(Stream.of(NAME), names.stream()).distinct().toList();
    }
}
