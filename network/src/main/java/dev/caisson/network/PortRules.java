package dev.caisson.network;

import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.PortMapping;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// Rules for ports that are published: no two lead from the same port of the host.
final class PortRules {
    private PortRules() {}

    /// @param others all that are recorded, `container` among them
    static void check(ContainerNetworks container, List<PortMapping> ports, Collection<ContainerNetworks> others) {
        for (PortMapping port : ports) {
            requireTarget(container, port);
            for (ContainerNetworks other : others) {
                for (PortMapping one : other.ports()) {
                    if (overlap(one, port)) {
                        throw new NetworkException(
                                Code.PORT_TAKEN,
                                "port " + port.hostPort() + "/"
                                        + port.transport().text()
                                        + " of the host is published by container "
                                        + other.container().shortForm() + ": choose another");
                    }
                }
            }
        }
        for (int i = 0; i < ports.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (overlap(ports.get(i), ports.get(j))) {
                    throw new NetworkException(
                            Code.PORT_TAKEN,
                            "port " + ports.get(i).hostPort() + "/"
                                    + ports.get(i).transport().text()
                                    + " of the host is published twice: name it once");
                }
            }
        }
    }

    /// True if a port of the host leads to one of these containers.
    static boolean isPublished(PortMapping port, Collection<ContainerNetworks> all) {
        return all.stream().flatMap(one -> one.ports().stream()).anyMatch(one -> overlap(one, port));
    }

    private static void requireTarget(ContainerNetworks container, PortMapping port) {
        boolean reachable =
                container.outward(false).isPresent() || container.outward(true).isPresent();
        if (!reachable) {
            throw new NetworkException(
                    Code.PORT_REFUSED,
                    "port " + port.containerPort()
                            + " cannot be published: all networks of the container are internal");
        }
    }

    private static boolean overlap(PortMapping one, PortMapping other) {
        return one.hostPort() != 0
                && one.hostPort() == other.hostPort()
                && one.transport() == other.transport()
                && (meet(one, false, other) || meet(one, true, other));
    }

    private static boolean meet(PortMapping one, boolean six, PortMapping other) {
        return hasFamily(one, six)
                && hasFamily(other, six)
                && (isAny(one) || isAny(other) || one.address().equals(other.address()));
    }

    static boolean hasFamily(PortMapping port, boolean six) {
        return port.address()
                .map(address -> address instanceof Inet6Address == six)
                .orElse(true);
    }

    private static boolean isAny(PortMapping port) {
        return port.address().map(InetAddress::isAnyLocalAddress).orElse(true);
    }

    static List<PortMapping> joined(List<PortMapping> before, List<PortMapping> added) {
        var all = new ArrayList<>(before);
        all.addAll(added);
        return all;
    }
}
