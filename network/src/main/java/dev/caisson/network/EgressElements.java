package dev.caisson.network;

import dev.caisson.network.filter.Sets;
import dev.caisson.network.nft.SetElement;
import dev.caisson.spec.Destination;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Subnet;
import dev.caisson.spec.Transport;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Elements for what a container may send to: its addresses, and each destination that has no name.
final class EgressElements {
    private record Ports(int first, int last) {}

    private final Map<Sets.Place, Set<SetElement>> all = new LinkedHashMap<>();

    private EgressElements() {}

    static Map<Sets.Place, List<SetElement>> of(ContainerNetworks container) {
        var made = new EgressElements();
        switch (container.egress()) {
            case Egress.All _ -> {}
            case Egress.Listed listed -> {
                made.family(container, listed, false);
                made.family(container, listed, true);
            }
        }
        var lists = new LinkedHashMap<Sets.Place, List<SetElement>>();
        made.all.forEach((place, elements) -> lists.put(place, List.copyOf(elements)));
        return lists;
    }

    private void family(ContainerNetworks container, Egress.Listed listed, boolean six) {
        List<Destination.Addresses> destinations = listed.addresses().stream()
                .filter(one -> one.subnet().isIpv6() == six)
                .toList();
        container.addresses(six).forEach(source -> {
            byte[] address = source.getAddress();
            add(six ? Sets.LIMITED6 : Sets.LIMITED, SetElement.of(address));
            add(six ? Sets.DENIED6 : Sets.DENIED, SetElement.of(address));
            for (Destination.Addresses one : destinations) {
                if (isExact(one)) {
                    add(
                            six ? Sets.REACHED6 : Sets.REACHED,
                            SetElement.of(key(source, one.subnet().base(), one.transport(), one.firstPort())));
                }
            }
            for (Transport transport : Transport.values()) {
                ranges(source, destinations, transport, six ? Sets.REACHED_RANGES6 : Sets.REACHED_RANGES);
            }
        });
    }

    private static boolean isExact(Destination.Addresses one) {
        return one.isSingle() && one.firstPort() == one.lastPort();
    }

    /// Ranges of one set must not overlap: a subnet has the ports that no wider one around it has.
    private void ranges(
            InetAddress source, List<Destination.Addresses> destinations, Transport transport, Sets.Place place) {
        var wanted = new TreeMap<Subnet, List<Ports>>(
                Comparator.comparingInt(Subnet::prefix).thenComparing(Subnet::toString));
        destinations.stream()
                .filter(one -> one.transport() == transport && !isExact(one))
                .forEach(one -> wanted.computeIfAbsent(one.subnet(), _ -> new ArrayList<>())
                        .add(new Ports(one.firstPort(), one.lastPort())));
        var done = new LinkedHashMap<Subnet, List<Ports>>();
        wanted.forEach((subnet, ports) -> {
            List<Ports> left = merged(ports);
            for (Map.Entry<Subnet, List<Ports>> wider : done.entrySet()) {
                if (wider.getKey().contains(subnet)) {
                    left = without(left, wider.getValue());
                }
            }
            done.put(subnet, left);
            left.forEach(one -> add(
                    place,
                    SetElement.range(
                            key(source, subnet.base(), transport, one.first()),
                            key(source, subnet.last(), transport, one.last()))));
        });
    }

    private static List<Ports> merged(List<Ports> ports) {
        var merged = new ArrayList<Ports>();
        ports.stream().sorted(Comparator.comparingInt(Ports::first)).forEach(one -> {
            Ports before = merged.isEmpty() ? null : merged.getLast();
            if (before != null && one.first() <= before.last() + 1) {
                merged.set(merged.size() - 1, new Ports(before.first(), Math.max(before.last(), one.last())));
            } else {
                merged.add(one);
            }
        });
        return merged;
    }

    private static List<Ports> without(List<Ports> ports, List<Ports> removed) {
        List<Ports> left = ports;
        for (Ports gone : removed) {
            var rest = new ArrayList<Ports>();
            for (Ports one : left) {
                if (one.last() < gone.first() || one.first() > gone.last()) {
                    rest.add(one);
                    continue;
                }
                if (one.first() < gone.first()) {
                    rest.add(new Ports(one.first(), gone.first() - 1));
                }
                if (one.last() > gone.last()) {
                    rest.add(new Ports(gone.last() + 1, one.last()));
                }
            }
            left = rest;
        }
        return left;
    }

    /// Returns the key of [Sets#REACHED].
    static byte[] key(InetAddress source, InetAddress target, Transport transport, int port) {
        return Elements.key(
                source.getAddress(),
                target.getAddress(),
                new byte[] {(byte) transport.number()},
                Elements.number(port));
    }

    private void add(Sets.Place place, SetElement element) {
        all.computeIfAbsent(place, _ -> new LinkedHashSet<>()).add(element);
    }
}
