package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.SetElement;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import java.net.InetAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// What names have led the containers to that one process serves: bounded, because the kernel's memory for it is
/// nobody's. But for [#nameOf], for the resolver's thread.
final class PinBook implements AutoCloseable {
    /// Addresses with a port that names of one container keep open at a time.
    private static final int MOST_PINS = 4096;

    private static final int MOST_NAMES = 1024;
    private static final Duration SPARE = Duration.ofSeconds(30);

    private final RecordedNames records;
    private final Consumer<EgressDenial> denials;
    private final Duration shortest;
    private final NetlinkSocket filter = NetlinkSocket.open(NetlinkSocket.NETFILTER);
    private final HostAddresses host = new HostAddresses();
    private final Pins pins;
    private final Map<ContainerId, Map<SetElement, Long>> ends = new ConcurrentHashMap<>();
    private final Map<ContainerId, Map<InetAddress, String>> names = new ConcurrentHashMap<>();

    /// @param shortest how long a pin lasts at least
    PinBook(RecordedNames records, Tables tables, Consumer<EgressDenial> denials, Duration shortest) {
        this.records = records;
        this.denials = denials;
        this.shortest = shortest;
        this.pins = new Pins(filter, tables);
    }

    /// Returns how long a pin lasts whose answer may be known for some seconds: a program may go on with an address for
    /// longer than it should.
    Duration lasting(int seconds) {
        Duration told = Duration.ofSeconds(seconds);
        return told.compareTo(shortest) < 0 ? shortest : told.plus(SPARE);
    }

    boolean isOfHost(InetAddress address) {
        return host.contain(address);
    }

    /// Counts pins of a container; false, and none is counted, if there would be too many.
    boolean mayPin(ContainerId container, Map<Sets.Place, List<SetElement>> wanted, Duration lasting) {
        long now = System.nanoTime();
        Map<SetElement, Long> known = ends.computeIfAbsent(container, _ -> new HashMap<>());
        List<SetElement> all = wanted.values().stream().flatMap(List::stream).toList();
        if (known.size() + all.size() > MOST_PINS) {
            known.values().removeIf(end -> end - now < 0);
        }
        long more = all.stream().filter(one -> !known.containsKey(one)).count();
        if (known.size() + more > MOST_PINS) {
            return false;
        }
        all.forEach(one -> known.put(one, now + lasting.toNanos()));
        return true;
    }

    void put(Map<Sets.Place, List<SetElement>> elements) {
        pins.put(elements);
    }

    /// Takes pins back; those that are gone are no error.
    void remove(Map<Sets.Place, List<SetElement>> elements) {
        elements.forEach((place, list) -> list.forEach(one -> {
            try {
                pins.remove(Map.of(place, List.of(one)));
            } catch (NetlinkException e) {
                if (!e.is(Errno.ENOENT)) {
                    throw e;
                }
            }
        }));
    }

    /// Returns what is recorded at this moment; empty for a container that is gone.
    Optional<Egress> egressNow(ContainerId container) {
        return records.egressNow(container);
    }

    void remember(ContainerId container, InetAddress address, String name) {
        Map<InetAddress, String> known = names.computeIfAbsent(container, _ -> new LinkedHashMap<>());
        synchronized (known) {
            known.remove(address);
            known.put(address, name);
            if (known.size() > MOST_NAMES) {
                known.remove(known.keySet().iterator().next());
            }
        }
    }

    /// Returns the name that led a container to an address at last.
    Optional<String> nameOf(ContainerId container, InetAddress address) {
        Map<InetAddress, String> known = names.get(container);
        if (known == null) {
            return Optional.empty();
        }
        synchronized (known) {
            return Optional.ofNullable(known.get(address));
        }
    }

    void denied(EgressDenial denial) {
        denials.accept(denial);
    }

    /// Forgets a container that is not served any more.
    void forget(ContainerId container) {
        ends.remove(container);
        names.remove(container);
    }

    @Override
    public void close() {
        host.close();
        filter.close();
    }
}
