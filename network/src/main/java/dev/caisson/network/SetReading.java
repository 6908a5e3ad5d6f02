package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.SetElement;
import dev.caisson.network.nft.TableQueries;
import dev.caisson.spec.Egress;
import dev.caisson.spec.PortMapping;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Compares the elements of the packet filter's sets that concern a container with what is recorded.
final class SetReading {
    private static final String AS_RECORDED = "as recorded";
    private static final int IN_A_SENTENCE = 3;
    private static final List<Sets.Place> PUBLISHED =
            List.of(Sets.PUBLISHED, Sets.PUBLISHED6, Sets.PUBLISHED_ANY, Sets.PUBLISHED_ANY6);

    private final NetlinkSocket filter;
    private final Tables tables;
    private final Egress egress;
    private final Set<String> sources;
    private final Set<String> own;
    private final Set<String> ports;

    SetReading(NetlinkSocket filter, Tables tables, ContainerNetworks container) {
        this.filter = filter;
        this.tables = tables;
        this.egress = container.egress();
        this.sources = Stream.concat(container.addresses(false), container.addresses(true))
                .map(address -> hex(address.getAddress()))
                .collect(Collectors.toSet());
        this.own = new HashSet<>(sources);
        container.attachments().forEach(one -> {
            own.add(hex(Elements.name(one.hostLink())));
            own.add(hex(Elements.name(one.bridge())));
        });
        this.ports = container.ports().stream()
                .filter(port -> !port.isLoopback())
                .map(SetReading::key)
                .collect(Collectors.toSet());
    }

    private static String key(PortMapping port) {
        return hex(Elements.key(new byte[] {(byte) port.transport().number()}, Elements.number(port.hostPort())));
    }

    /// @param wanted elements that the container needs
    /// @param recorded elements of all networks and containers
    List<HostCheck> compare(Map<Sets.Place, List<SetElement>> wanted, Map<Sets.Place, List<SetElement>> recorded) {
        var checks = new ArrayList<HostCheck>();
        for (Sets.Place place : Sets.RECORDED) {
            List<TableQueries.Element> found = tables.elements(filter, place);
            List<SetElement> needed = wanted.getOrDefault(place, List.of());
            if (!needed.isEmpty()) {
                checks.add(needed(place, needed, found));
            }
            unrecorded(place, needed, recorded.getOrDefault(place, List.of()), found)
                    .ifPresent(checks::add);
        }
        return checks;
    }

    private static HostCheck needed(Sets.Place place, List<SetElement> wanted, List<TableQueries.Element> found) {
        var values = new HashMap<SetElement, TableQueries.Element>();
        found.forEach(one -> values.put(element(one), one));
        var wrong = new ArrayList<String>();
        for (SetElement one : wanted) {
            TableQueries.Element there = values.get(one);
            if (there == null) {
                wrong.add("without " + place.form().text(one.key()));
            } else if (!one.leadsTo(there.value())) {
                wrong.add("with " + text(place, there));
            }
        }
        return new HostCheck("set " + place.form().name(), AS_RECORDED, wrong.isEmpty() ? AS_RECORDED : some(wrong));
    }

    private static SetElement element(TableQueries.Element one) {
        return one.end().length == 0 ? SetElement.of(one.key()) : SetElement.range(one.key(), one.end());
    }

    private static String text(Sets.Place place, TableQueries.Element one) {
        if (place.form().value().isEmpty() && one.value().length > 0) {
            return place.form().text(one.key()) + " of another rate";
        }
        return place.form().text(one.key(), one.value());
    }

    /// Returns what is there for the container and nobody recorded: a further address, link, destination or port.
    private Optional<HostCheck> unrecorded(
            Sets.Place place,
            Collection<SetElement> needed,
            Collection<SetElement> recorded,
            List<TableQueries.Element> found) {
        var known = new HashMap<SetElement, SetElement>();
        recorded.forEach(one -> known.put(one, one));
        Set<SetElement> compared = Set.copyOf(needed);
        List<String> further = found.stream()
                .filter(one -> concerns(place, one) && !compared.contains(element(one)) && !isPin(place, one))
                .filter(one -> Optional.ofNullable(known.get(element(one)))
                        .filter(same -> same.leadsTo(one.value()))
                        .isEmpty())
                .map(one -> text(place, one))
                .sorted()
                .toList();
        return further.isEmpty()
                ? Optional.empty()
                : Optional.of(new HostCheck(
                        "set " + place.form().name() + ", elements that nobody recorded", "none", some(further)));
    }

    /// True if an element is about the container, its networks, or ports of the host that are published to it.
    private boolean concerns(Sets.Place place, TableQueries.Element one) {
        if (place.equals(Sets.UNROUTED)) {
            return true;
        }
        if (PUBLISHED.contains(place)) {
            String key = hex(one.key());
            return ports.stream().anyMatch(key::endsWith)
                    || place.form().valueParts(one.value()).stream().anyMatch(part -> own.contains(hex(part)));
        }
        return place.form().parts(one.key()).stream().anyMatch(part -> own.contains(hex(part)));
    }

    /// True for what a name of the container's list has opened for a while, and for what a name of another container's
    /// list has opened to that one.
    private boolean isPin(Sets.Place place, TableQueries.Element one) {
        boolean mayBe = (place.equals(Sets.REACHED) || place.equals(Sets.REACHED6))
                && !one.comment().isEmpty()
                && one.expires();
        if (!mayBe) {
            return false;
        }
        return switch (egress) {
            case Egress.All _ -> !isFromHere(place, one);
            case Egress.Listed listed -> !isFromHere(place, one) || Pins.isAllowed(listed, one);
        };
    }

    private boolean isFromHere(Sets.Place place, TableQueries.Element one) {
        return sources.contains(hex(place.form().parts(one.key()).getFirst()));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static String some(List<String> all) {
        String first = String.join(", ", all.subList(0, Math.min(IN_A_SENTENCE, all.size())));
        return all.size() <= IN_A_SENTENCE ? first : first + " and " + (all.size() - IN_A_SENTENCE) + " more";
    }
}
