package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.Optional;

/// A port of the host that leads to one of a container.
///
/// @param address address of the host; `0.0.0.0` or `::` for all of one family, empty for all of both
/// @param hostPort 1–65535; 0 for one that the host chooses
/// @param containerPort 1–65535
public record PortMapping(Optional<InetAddress> address, int hostPort, int containerPort, Transport transport) {
    private static final int HIGHEST = 65535;

    public PortMapping {
        present(address, "address");
        present(transport, "transport");
        if (hostPort < 0 || hostPort > HIGHEST) {
            throw ArgumentException.invalid("host port " + hostPort + " is not a port: use 1 to 65535, or 0 for any");
        }
        if (containerPort < 1 || containerPort > HIGHEST) {
            throw ArgumentException.invalid("container port " + containerPort + " is not a port: use 1 to 65535");
        }
    }

    /// Returns the port of the container.
    public ContainerPort inside() {
        return new ContainerPort(containerPort, transport);
    }

    /// Returns the same with a port that was chosen.
    public PortMapping withHostPort(int chosen) {
        return new PortMapping(address, chosen, containerPort, transport);
    }

    /// True if the port is one of loopback alone, which nobody but the host itself reaches.
    public boolean isLoopback() {
        return address.isPresent() && address.get().isLoopbackAddress();
    }

    /// `0.0.0.0:8080->80/tcp`, as Docker shows it.
    @Override
    public String toString() {
        String host = address.map(PortMapping::bracketed).orElse("0.0.0.0");
        return host + ":" + hostPort + "->" + containerPort + "/" + transport.text();
    }

    private static String bracketed(InetAddress address) {
        String text = AddressText.of(address);
        return text.indexOf(':') >= 0 ? "[" + text + "]" : text;
    }
}
