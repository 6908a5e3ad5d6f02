package dev.caisson.engine;

import dev.caisson.launch.ResolverSockets;
import dev.caisson.linux.Fd;
import dev.caisson.network.Attachment;
import dev.caisson.network.NameService;
import dev.caisson.network.Networks;
import dev.caisson.network.PortRelay;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortMapping;
import java.io.IOException;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/// The containers whose questions for names this process answers, and whose published ports of loopback it relays.
final class ServedNetworks implements AutoCloseable {
    private final EngineOptions options;
    private final Map<String, NameService.Served> served = new HashMap<>();
    private final Map<String, Relayed> relayed = new HashMap<>();
    private volatile @Nullable NameService names;
    private @Nullable PortRelay relay;
    private @Nullable EgressDenials denials;
    private @Nullable GuestGates gates;
    private Optional<KnownHost> known = Optional.empty();
    private @Nullable GuestGreetings greetings;
    private boolean closed;

    /// Ports of a container that are relayed, and what to.
    private record Relayed(List<Attachment> places, List<PortMapping> published, PortRelay.Relayed ports) {
        boolean isOf(List<Attachment> otherPlaces, List<PortMapping> otherPorts) {
            return places.equals(otherPlaces) && published.equals(otherPorts);
        }
    }

    ServedNetworks(EngineOptions options) {
        this.options = options;
    }

    /// Answers a container's questions until [#rest].
    ///
    /// @param sockets stay the caller's
    synchronized void begin(ContainerId id, ContainerSpec spec, ResolverSockets sockets) {
        if (closed) {
            return;
        }
        rest(id.value());
        Fd udp = sockets.udp().duplicate();
        Fd tcp = null;
        try {
            tcp = sockets.tcp().duplicate();
            served.put(id.value(), names().serve(id, udp, tcp, servers(spec)));
        } catch (RuntimeException e) {
            udp.close();
            if (tcp != null) {
                tcp.close();
            }
            throw e;
        }
    }

    /// Has gates that are opened from now on find a host and trust it.
    synchronized void know(KnownHost host) {
        known = Optional.of(host);
    }

    /// Opens the gates of a container, until [#end].
    ///
    /// @param values is asked for them if they are not open
    void gate(ContainerId id, List<Attachment> places, Networks networks, Callable<GateSecrets> values)
            throws IOException {
        GuestGates open;
        synchronized (this) {
            if (closed) {
                return;
            }
            open = gates;
            if (open == null) {
                open = new GuestGates(options, denials()::add, known);
                gates = open;
            }
        }
        open.begin(id, places, networks, values); // which starts a process, and nothing else waits for that
    }

    /// Reads the greetings of a container's TLS, until [#end].
    synchronized void greet(ContainerId id, List<Attachment> places, Networks networks) throws IOException {
        if (closed) {
            return;
        }
        GuestGreetings known = greetings;
        if (known == null) {
            known = new GuestGreetings(options, denials()::add);
            greetings = known;
        }
        known.begin(id, places, networks);
    }

    /// Reads none any more.
    synchronized void greetNone(ContainerId id) {
        if (greetings != null) {
            greetings.end(id.value());
        }
    }

    /// Relays those of a container's ports that need it, until [#rest].
    ///
    /// @param reserved sockets of the ports, which stay the caller's; none to bind others
    synchronized void relay(ContainerId id, List<Attachment> places, List<PortMapping> ports, List<Fd> reserved) {
        Relayed before = relayed.get(id.value());
        if (closed || (before == null ? ports.isEmpty() : before.isOf(places, ports))) {
            return;
        }
        PortRelay known = relay;
        if (known == null) {
            known = new PortRelay();
            relay = known;
        }
        if (before != null) {
            before.ports().close(); // its sockets have the ports
        }
        relayed.put(id.value(), new Relayed(places, ports, known.relay(places, ports, reserved)));
    }

    private NameService names() {
        NameService known = names;
        if (known == null) {
            known = new NameService(options.networks(), denials()::add);
            names = known;
        }
        return known;
    }

    /// Notes what containers are denied, from now on.
    synchronized void noteDenials() {
        if (!closed) {
            denials();
        }
    }

    /// Networks have changed: the kernel may have a log of what they deny.
    synchronized void lookAtDenials() {
        if (denials != null) {
            denials.wake();
        }
    }

    private EgressDenials denials() {
        EgressDenials known = denials;
        if (known == null) {
            known = new EgressDenials(options, this::nameOf);
            denials = known;
            known.begin();
        }
        return known;
    }

    private Optional<String> nameOf(ContainerId container, InetAddress address) {
        NameService known = names;
        return known == null ? Optional.empty() : known.nameOf(container, address);
    }

    private static List<InetAddress> servers(ContainerSpec spec) {
        return switch (spec.network()) {
            case Network.None _, Network.OfContainer _, Network.Host _ -> List.of();
            case Network.Joined joined -> joined.names().servers();
        };
    }

    /// Ends all of it.
    void end(String id) {
        GuestGates known;
        synchronized (this) {
            rest(id);
            if (greetings != null) {
                greetings.end(id);
            }
            known = gates;
        }
        if (known != null) {
            known.forget(id); // which waits for gates that are opened meanwhile
        }
    }

    /// Ends what belongs to one run, and closes its sockets, which keep its network namespace. Gates stay open: the
    /// container has its address in the next run too.
    synchronized void rest(String id) {
        NameService.Served one = served.remove(id);
        if (one != null) {
            one.close();
        }
        Relayed before = relayed.remove(id);
        if (before != null) {
            before.ports().close();
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (gates != null) {
            gates.close();
            gates = null;
        }
        if (greetings != null) {
            greetings.close();
            greetings = null;
        }
        NameService asked = names;
        if (asked != null) {
            asked.close();
        }
        served.clear();
        relayed.values().forEach(one -> one.ports().close());
        relayed.clear();
        if (relay != null) {
            relay.close();
            relay = null;
        }
        if (denials != null) {
            denials.close();
            denials = null;
        }
        names = null;
    }
}
