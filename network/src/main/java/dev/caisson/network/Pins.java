package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.SetElement;
import dev.caisson.network.nft.TableQueries;
import dev.caisson.spec.Destination;
import dev.caisson.spec.Egress;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Addresses that containers reach because a name has led to them: elements of [Sets#REACHED] that go by themselves,
/// whose comment is the name.
final class Pins {
    private final NetlinkSocket filter;
    private final Tables tables;

    Pins(NetlinkSocket filter, Tables tables) {
        this.filter = filter;
        this.tables = tables;
    }

    /// Returns all of a container.
    Map<Sets.Place, List<SetElement>> of(ContainerNetworks container) {
        return found(container, _ -> true);
    }

    /// Returns those that must go when a container's record comes into force: those whose name or port it does not
    /// allow, and those that it names by their address, which then do not go by themselves.
    Map<Sets.Place, List<SetElement>> outdated(ContainerNetworks container) {
        return switch (container.egress()) {
            case Egress.All _ -> of(container);
            case Egress.Listed listed -> {
                Map<Sets.Place, List<SetElement>> named = EgressElements.of(container);
                Set<SetElement> lasting = Stream.of(Sets.REACHED, Sets.REACHED6)
                        .flatMap(place -> named.getOrDefault(place, List.of()).stream())
                        .collect(Collectors.toSet());
                yield found(container, one -> !isAllowed(listed, one) || lasting.contains(SetElement.of(one.key())));
            }
        };
    }

    /// True if a list lets a name of it open an element's port.
    static boolean isAllowed(Egress.Listed listed, TableQueries.Element element) {
        return listed.of(element.comment()).stream()
                .anyMatch(one -> !one.greeted()
                        && Arrays.equals(
                                tail(element.key()), Elements.key(transport(one), Elements.number(one.port()))));
    }

    private static byte[] transport(Destination.Name name) {
        return new byte[] {(byte) name.transport().number()};
    }

    /// Returns the transport and port of a key.
    private static byte[] tail(byte[] key) {
        return Arrays.copyOfRange(key, key.length - 8, key.length);
    }

    private Map<Sets.Place, List<SetElement>> found(
            ContainerNetworks container, Predicate<TableQueries.Element> wanted) {
        var found = new LinkedHashMap<Sets.Place, List<SetElement>>();
        for (boolean six : new boolean[] {false, true}) {
            List<byte[]> sources =
                    container.addresses(six).map(InetAddress::getAddress).toList();
            Sets.Place place = place(six);
            List<SetElement> elements = sources.isEmpty()
                    ? List.of()
                    : elements(place, sources).stream()
                            .filter(one -> !one.comment().isEmpty())
                            .filter(wanted)
                            .map(one -> SetElement.of(one.key()))
                            .toList();
            if (!elements.isEmpty()) {
                found.put(place, elements);
            }
        }
        return found;
    }

    private List<TableQueries.Element> elements(Sets.Place place, List<byte[]> sources) {
        try {
            return tables.elements(filter, place, sources);
        } catch (NetlinkException e) {
            if (e.is(Errno.ENOENT)) {
                return List.of(); // somebody flushed the tables
            }
            throw e;
        }
    }

    /// Returns the keys, as hexadecimal digits, of those that a container's record allows.
    Set<String> allowed(ContainerNetworks container) {
        return switch (container.egress()) {
            case Egress.All _ -> Set.of();
            case Egress.Listed listed ->
                found(container, one -> isAllowed(listed, one)).values().stream()
                        .flatMap(List::stream)
                        .map(one -> HexFormat.of().formatHex(one.key()))
                        .collect(Collectors.toSet());
        };
    }

    /// Lets containers reach what names have led to. A pin that is there lasts as long as the new one.
    void put(Map<Sets.Place, List<SetElement>> elements) {
        tables.renew(filter, elements);
    }

    /// Takes some back, each of which is there.
    void remove(Map<Sets.Place, List<SetElement>> elements) {
        tables.remove(filter, elements);
    }

    static Sets.Place place(boolean six) {
        return six ? Sets.REACHED6 : Sets.REACHED;
    }

    static SetElement pin(InetAddress source, InetAddress target, Destination.Name by, String name, Duration lasting) {
        return SetElement.of(EgressElements.key(source, target, by.transport(), by.port()))
                .lasting(lasting)
                .saying(name);
    }
}
