package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.PortSockets;
import dev.caisson.network.relay.Relay;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Leads published ports to containers that no packet filter can: those of the host's loopback, and of its IPv6
/// addresses for a container that has IPv4 alone. The container sees the host's address on its network.
///
/// Safe for use by several threads. Listens in the network namespace of the thread that made it.
public final class PortRelay implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(PortRelay.class.getName());
    private static final InetAddress ANY = AddressText.parse("0.0.0.0").orElseThrow();
    private static final InetAddress ANY_6 = AddressText.parse("::").orElseThrow();

    private final Relay relay = new Relay(PortRelay::broke);

    /// Ports of one container, until it is closed.
    public static final class Relayed implements AutoCloseable {
        private final List<Relay.Port> ports = new ArrayList<>();
        private final List<Fd> own = new ArrayList<>();

        private Relayed() {}

        /// Returns how many ports of addresses are relayed.
        public int size() {
            return ports.size();
        }

        @Override
        public void close() {
            ports.forEach(Relay.Port::close);
            own.forEach(Fd::close);
        }
    }

    /// Relays those of the ports that need it. One that has no reserved socket is bound here; if somebody
    /// else has it by then, it is left out, with a warning in the log.
    ///
    /// @param places of the container
    /// @param reserved sockets of [Networks#reserved], which stay the caller's
    public Relayed relay(List<Attachment> places, List<PortMapping> ports, List<Fd> reserved) {
        var relayed = new Relayed();
        Optional<InetAddress> container = outward(places);
        if (container.isEmpty()) {
            return relayed;
        }
        try {
            for (PortMapping port : ports) {
                for (InetAddress address : port.address().map(List::of).orElse(List.of(ANY, ANY_6))) {
                    if (isNeeded(address, places)) {
                        socket(address, port, reserved, relayed)
                                .ifPresent(socket -> relayed.ports.add(begin(
                                        socket, port, new InetSocketAddress(container.get(), port.containerPort()))));
                    }
                }
            }
            return relayed;
        } catch (RuntimeException e) {
            relayed.close();
            throw e;
        }
    }

    private static Optional<InetAddress> outward(List<Attachment> places) {
        List<Attachment> leading =
                places.stream().filter(place -> !place.internal()).toList();
        return leading.stream()
                .flatMap(place -> place.ip4().stream())
                .findFirst()
                .or(() ->
                        leading.stream().flatMap(place -> place.ip6().stream()).findFirst())
                .map(Attachment.Address::address);
    }

    private static boolean isNeeded(InetAddress address, List<Attachment> places) {
        boolean six = address.getAddress().length == 16;
        return address.isLoopbackAddress()
                || address.isAnyLocalAddress()
                || (six
                        && places.stream()
                                .noneMatch(place ->
                                        !place.internal() && place.ip6().isPresent()));
    }

    private static Optional<Fd> socket(InetAddress address, PortMapping port, List<Fd> reserved, Relayed relayed) {
        var wanted = new InetSocketAddress(address, port.hostPort());
        boolean datagrams = port.transport() == Transport.UDP;
        Optional<Fd> found = reserved.stream()
                .filter(socket -> InternetSockets.isDatagram(socket) == datagrams
                        && InternetSockets.localAddress(socket).equals(wanted))
                .findFirst();
        if (found.isPresent()) {
            return found;
        }
        try {
            Fd bound = PortSockets.bind(address, port.hostPort(), datagrams).socket();
            relayed.own.add(bound);
            return Optional.of(bound);
        } catch (ErrnoException e) {
            if (e.is(Errno.EAFNOSUPPORT) && address.equals(ANY_6)) {
                return Optional.empty(); // a host without IPv6 has no address there that could be asked
            }
            LOG.log(
                    System.Logger.Level.WARNING,
                    "port " + port.hostPort() + "/" + port.transport().text() + " of " + AddressText.of(address)
                            + " is not relayed: " + e.getMessage());
            return Optional.empty();
        }
    }

    private Relay.Port begin(Fd socket, PortMapping port, InetSocketAddress container) {
        return switch (port.transport()) {
            case TCP -> relay.tcp(socket, container, Relay.Bounds.STANDARD);
            case UDP -> relay.udp(socket, container, Relay.Bounds.STANDARD);
        };
    }

    private static void broke(Throwable reason) {
        LOG.log(System.Logger.Level.ERROR, "published ports are relayed no more", reason);
    }

    /// Ends what goes through all ports.
    @Override
    public void close() {
        relay.close();
    }
}
