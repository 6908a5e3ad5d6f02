package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.PortSockets;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Sockets that keep published ports from others on the host, as long as this process lives.
final class PortReservations implements AutoCloseable {
    private static final InetAddress ANY = AddressText.parse("0.0.0.0").orElseThrow();
    private static final InetAddress ANY_6 = AddressText.parse("::").orElseThrow();
    /// A port that is free for one family may be taken for the other.
    private static final int MOST_TRIES = 32;

    private final Map<ContainerId, List<Fd>> sockets = new HashMap<>();

    /// Binds all ports or none; chooses those that are 0.
    List<PortMapping> reserve(ContainerId container, List<PortMapping> ports) {
        var bound = new ArrayList<Fd>();
        var chosen = new ArrayList<PortMapping>();
        try {
            for (PortMapping port : ports) {
                chosen.add(port.withHostPort(reserve(port, bound)));
            }
        } catch (RuntimeException e) {
            bound.forEach(Fd::close);
            throw e;
        }
        sockets.computeIfAbsent(container, _ -> new ArrayList<>()).addAll(bound);
        return List.copyOf(chosen);
    }

    private static int reserve(PortMapping port, List<Fd> bound) {
        List<InetAddress> addresses = port.address().map(List::of).orElse(List.of(ANY, ANY_6));
        for (int tried = 1; ; tried++) {
            Optional<Integer> number = bind(addresses, port, bound, port.hostPort() == 0 && tried < MOST_TRIES);
            if (number.isPresent()) {
                return number.get();
            }
        }
    }

    /// @param again true to try another port if the one that the kernel chose is taken in the other family
    private static Optional<Integer> bind(
            List<InetAddress> addresses, PortMapping port, List<Fd> bound, boolean again) {
        var own = new ArrayList<Fd>();
        int number = port.hostPort();
        for (InetAddress address : addresses) {
            try {
                PortSockets.Bound one = PortSockets.bind(address, number, port.transport() == Transport.UDP);
                own.add(one.socket());
                number = one.port();
            } catch (ErrnoException e) {
                if (e.is(Errno.EAFNOSUPPORT) && !own.isEmpty()) {
                    continue; // a host without IPv6
                }
                own.forEach(Fd::close);
                if (e.is(Errno.EADDRINUSE) && again && !own.isEmpty()) {
                    return Optional.empty();
                }
                throw refused(address, number, port, e);
            }
        }
        bound.addAll(own);
        return Optional.of(number);
    }

    private static NetworkException refused(InetAddress address, int number, PortMapping port, ErrnoException cause) {
        String what = "port " + number + "/" + port.transport().text() + " of " + AddressText.of(address);
        return cause.is(Errno.EADDRINUSE)
                ? new NetworkException(
                        Code.PORT_TAKEN, what + " is in use on the host: stop what uses it, or choose another", cause)
                : new NetworkException(
                        Code.PORT_REFUSED,
                        what + " cannot be had (" + Errno.name(cause.errno()) + "): choose another address",
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
