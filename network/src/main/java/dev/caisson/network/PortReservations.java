package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.PortSockets;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// Sockets that keep published ports from others on the host, as long as this process lives.
final class PortReservations implements AutoCloseable {
    private static final InetAddress ANY = AddressText.parse("0.0.0.0").orElseThrow();
    private static final InetAddress ANY_6 = AddressText.parse("::").orElseThrow();
    /// A port that is free for one family may be taken for the other.
    private static final int MOST_TRIES = 32;

    private final Map<ContainerId, List<Fd>> sockets = new HashMap<>();

    /// Binds all ports or none; chooses those that are 0.
    ///
    /// @param isPublished true for a port that is published though nobody may hold it
    List<PortMapping> reserve(ContainerId container, List<PortMapping> ports, Predicate<PortMapping> isPublished) {
        var bound = new ArrayList<Fd>();
        var chosen = new ArrayList<PortMapping>();
        try {
            for (PortMapping port : ports) {
                chosen.add(port.hostPort() == 0 ? choose(port, bound, isPublished) : bind(port, bound));
            }
        } catch (RuntimeException e) {
            bound.forEach(Fd::close);
            throw e;
        }
        sockets.computeIfAbsent(container, _ -> new ArrayList<>()).addAll(bound);
        return List.copyOf(chosen);
    }

    /// Keeps the ports of TCP from sockets with SO_REUSEADDR, too, socket(7): these get a port at which nobody
    /// listens. Not before the packet filter leads the ports elsewhere, so that no connection comes here.
    void hold(ContainerId container) {
        for (Fd socket : of(container)) {
            if (!InternetSockets.isDatagram(socket)) {
                hold(socket);
            }
        }
    }

    private static void hold(Fd socket) {
        try {
            InternetSockets.listen(socket, 0);
        } catch (ErrnoException e) {
            if (!e.is(Errno.EADDRINUSE)) {
                throw e;
            }
            InetSocketAddress bound = InternetSockets.localAddress(socket);
            throw taken(bound.getPort() + "/tcp of " + AddressText.of(bound.getAddress()), e);
        }
    }

    /// Holds those that will not do until one is found, so that the kernel names another each time.
    private static PortMapping choose(PortMapping port, List<Fd> bound, Predicate<PortMapping> isPublished) {
        var passedOver = new ArrayList<Fd>();
        try {
            for (int tried = 0; tried < MOST_TRIES; tried++) {
                int before = bound.size();
                Optional<PortMapping> found = bindFree(port, bound, passedOver);
                if (found.filter(isPublished.negate()).isPresent()) {
                    return found.get();
                }
                List<Fd> last = bound.subList(before, bound.size());
                passedOver.addAll(last);
                last.clear();
            }
            throw noneFree(port);
        } finally {
            passedOver.forEach(Fd::close);
        }
    }

    /// @param passedOver is given the socket of a port that is free for one family alone
    /// @return empty if there is such a one
    private static Optional<PortMapping> bindFree(PortMapping port, List<Fd> bound, List<Fd> passedOver) {
        List<InetAddress> addresses = addresses(port);
        Fd first;
        int number;
        try {
            PortSockets.Bound one = PortSockets.bind(addresses.getFirst(), 0, port.transport() == Transport.UDP);
            first = one.socket();
            number = one.port();
        } catch (ErrnoException e) {
            throw e.is(Errno.EADDRINUSE) ? noneFree(port) : refused(addresses.getFirst(), port, e);
        }
        PortMapping chosen = port.withHostPort(number);
        try {
            for (InetAddress address : addresses.subList(1, addresses.size())) {
                bind(address, chosen).ifPresent(bound::add);
            }
        } catch (NetworkException e) {
            passedOver.add(first);
            if (e.reason() == Code.PORT_TAKEN) {
                return Optional.empty();
            }
            throw e;
        }
        bound.add(first);
        return Optional.of(chosen);
    }

    private static PortMapping bind(PortMapping port, List<Fd> bound) {
        addresses(port).forEach(address -> bind(address, port).ifPresent(bound::add));
        return port;
    }

    private static List<InetAddress> addresses(PortMapping port) {
        return port.address().map(List::of).orElse(List.of(ANY, ANY_6));
    }

    /// @return empty for all addresses of IPv6 of a host without it
    private static Optional<Fd> bind(InetAddress address, PortMapping port) {
        try {
            return Optional.of(PortSockets.bind(address, port.hostPort(), port.transport() == Transport.UDP)
                    .socket());
        } catch (ErrnoException e) {
            if (e.is(Errno.EAFNOSUPPORT) && port.address().isEmpty() && address.equals(ANY_6)) {
                return Optional.empty();
            }
            throw refused(address, port, e);
        }
    }

    private static NetworkException noneFree(PortMapping port) {
        return new NetworkException(
                Code.PORT_TAKEN,
                "no port of the host is free for " + port.containerPort() + "/"
                        + port.transport().text() + ": name one, or widen the host's net.ipv4.ip_local_port_range");
    }

    private static NetworkException refused(InetAddress address, PortMapping port, ErrnoException cause) {
        String what = port.hostPort() + "/" + port.transport().text() + " of " + AddressText.of(address);
        return cause.is(Errno.EADDRINUSE)
                ? taken(what, cause)
                : new NetworkException(
                        Code.PORT_REFUSED,
                        "port " + what + " cannot be had (" + Errno.name(cause.errno()) + "): choose another address",
                        cause);
    }

    private static NetworkException taken(String what, ErrnoException cause) {
        return new NetworkException(
                Code.PORT_TAKEN,
                "port " + what + " is in use on the host: stop what uses it, or choose another",
                cause);
    }

    List<Fd> of(ContainerId container) {
        return List.copyOf(sockets.getOrDefault(container, List.of()));
    }

    void release(ContainerId container) {
        List<Fd> own = sockets.remove(container);
        if (own != null) {
            own.forEach(Fd::close);
        }
    }

    @Override
    public void close() {
        sockets.values().forEach(own -> own.forEach(Fd::close));
        sockets.clear();
    }
}
