package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.SetElement;
import dev.caisson.network.nft.TableQueries;
import dev.caisson.network.route.RouteQueries;
import dev.caisson.network.route.RouteQueries.HostAddress;
import dev.caisson.network.route.RouteQueries.Route;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Subnet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What the kernel has of our networks, brought to what the records say. In the network namespace of the thread that
/// uses it first.
final class KernelNetworks implements AutoCloseable {
    private final NetworkRecords records;
    private final NetlinkSocket route = NetlinkSocket.open(NetlinkSocket.ROUTE);
    private final NetlinkSocket filter;
    private final Bridges bridges;
    private final EndingLinks ending = new EndingLinks();
    private final Tables tables;
    private final RulesWatch rules;
    private final Standby standby;

    KernelNetworks(NetworkRecords records, String identity) {
        this.records = records;
        try {
            this.filter = NetlinkSocket.open(NetlinkSocket.NETFILTER);
        } catch (RuntimeException e) {
            route.close();
            throw e;
        }
        this.bridges = new Bridges(route, "caisson " + identity + " ");
        this.tables = new Tables("caisson-" + identity);
        this.rules = new RulesWatch(filter, tables, records);
        this.standby = new Standby(tables.name());
    }

    /// Makes what a network needs and is not there: its bridge, our tables, forwarding.
    ///
    /// @return the bridge's index
    int require(NetworkInfo network) {
        if (network.ipv6() && !Forwarding.hasIpv6()) {
            throw new NetworkException(
                    Code.NETWORK_REFUSED,
                    "network " + network.name() + " has IPv6, which this host has not: make it without --ipv6");
        }
        if (!network.internal()) {
            forward(false);
            if (network.ipv6()) {
                forward(true);
            }
        }
        if (!rules.areWhole()) {
            replaceTables();
        }
        return bridges.require(network);
    }

    private void forward(boolean six) {
        Forwarding.Changed before = records.forwarding();
        if (Forwarding.isOn(six)) {
            return;
        }
        Forwarding.Changed after = Forwarding.planned(before, six, route);
        if (!after.equals(before)) {
            records.put(after);
            if (tables.areThere(filter)) {
                tables.add(filter, new Elements().forwarding(after).all());
            } else {
                replaceTables();
            }
        }
        Forwarding.turnOn(after, six);
    }

    /// Removes what a network has, and the tables and forwarding if it was the last.
    void remove(NetworkInfo network) {
        bridges.remove(network.bridge());
        if (records.networks().size() > 1) {
            removeElements(new Elements().network(network).all());
        } else {
            tables.remove(filter);
            if (!records.forwarding().equals(Forwarding.Changed.nothing(Forwarding.boot()))) {
                Forwarding.undo(records.forwarding());
                records.put(Forwarding.Changed.nothing(Forwarding.boot()));
            }
        }
    }

    /// Adds elements; if others with the same keys are there, which nobody recorded, all are made anew.
    void addElements(Map<Sets.Place, List<SetElement>> elements) {
        try {
            rules.change(() -> tables.add(filter, elements));
        } catch (NetlinkException e) {
            if (!e.is(Errno.EEXIST) && !e.is(Errno.ENOENT)) {
                throw e;
            }
            replaceTables();
        }
    }

    /// Removes elements. Those that are gone already are no error. A transaction that fails has the kernel wait for all
    /// processors, so each that would is one too many.
    void removeElements(Map<Sets.Place, List<SetElement>> elements) {
        try {
            rules.change(() -> tables.removeIfThere(filter, elements));
        } catch (NetlinkException e) { // before Linux 6.3, or the tables are not there
            if (!e.is(Errno.EINVAL) && !e.is(Errno.EOPNOTSUPP) && !e.is(Errno.ENOENT)) {
                throw e;
            }
            removeThere(elements);
        }
    }

    private void removeThere(Map<Sets.Place, List<SetElement>> elements) {
        try {
            tables.remove(filter, elements);
        } catch (NetlinkException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
            elements.forEach(this::removeOneByOne);
        }
    }

    private void removeOneByOne(Sets.Place place, List<SetElement> elements) {
        for (SetElement one : elements) {
            try {
                tables.remove(filter, Map.of(place, List.of(one)));
            } catch (NetlinkException e) {
                if (!e.is(Errno.ENOENT)) {
                    throw e;
                }
            }
        }
    }

    /// Replaces the elements of a container by those of another record of it, in one transaction. Addresses that names
    /// have led to go with them if their names do.
    void replaceElements(ContainerNetworks before, ContainerNetworks after) {
        Map<Sets.Place, List<SetElement>> former =
                new Elements().container(before).leads(before).all();
        Map<Sets.Place, List<SetElement>> next =
                new Elements().container(after).leads(after).all();
        var removed = new LinkedHashMap<>(less(former, next));
        pins().outdated(after).forEach((place, list) -> removed.merge(place, list, KernelNetworks::joined));
        try {
            rules.change(() -> tables.change(filter, removed, less(next, former)));
        } catch (NetlinkException e) {
            if (!e.is(Errno.EEXIST) && !e.is(Errno.ENOENT)) {
                throw e;
            }
            replaceTables();
        }
    }

    /// Has what leads containers to their gates last longer, or makes it.
    void renewLeads(List<ContainerNetworks> containers) {
        var elements = new Elements();
        containers.forEach(elements::leads);
        try {
            rules.change(() -> tables.renew(filter, elements.all()));
        } catch (NetlinkException e) {
            if (!e.is(Errno.EEXIST) && !e.is(Errno.ENOENT)) {
                throw e;
            }
            replaceTables();
            tables.renew(filter, elements.all());
        }
    }

    private static Map<Sets.Place, List<SetElement>> less(
            Map<Sets.Place, List<SetElement>> all, Map<Sets.Place, List<SetElement>> without) {
        var left = new LinkedHashMap<Sets.Place, List<SetElement>>();
        all.forEach((place, elements) -> {
            var others = new HashMap<SetElement, SetElement>();
            without.getOrDefault(place, List.of()).forEach(one -> others.put(one, one));
            List<SetElement> rest = elements.stream()
                    .filter(one -> !others.containsKey(one) || !others.get(one).leadsLike(one))
                    .toList();
            if (!rest.isEmpty()) {
                left.put(place, rest);
            }
        });
        return left;
    }

    private static List<SetElement> joined(List<SetElement> one, List<SetElement> other) {
        return Stream.concat(one.stream(), other.stream()).toList();
    }

    /// Returns what the packet filter has of containers that are limited.
    Pins pins() {
        return new Pins(filter, tables);
    }

    /// Makes the link of a place in a network namespace of a container that runs, down inside.
    void link(Attachment place, Fd namespace) {
        new Links(route).make(place, namespace);
    }

    /// True if the link of a place is there, and up on the host.
    boolean hasLink(Attachment place) {
        return bridges.isUp(place.hostLink());
    }

    /// Removes the link of a place, if it is there.
    void unlink(Attachment place) {
        bridges.remove(place.hostLink());
    }

    /// Takes back what the kernel counts for addresses that a container has no more.
    void forget(ContainerNetworks left) {
        removeElements(Elements.madeByKernel(left));
    }

    /// Returns how many connections of a container were denied, since our tables were made.
    long denied(ContainerNetworks container) {
        return denied(container, Sets.DENIED, false) + denied(container, Sets.DENIED6, true);
    }

    private long denied(ContainerNetworks container, Sets.Place place, boolean six) {
        Set<String> addresses = container
                .addresses(six)
                .map(address -> HexFormat.of().formatHex(address.getAddress()))
                .collect(Collectors.toSet());
        if (addresses.isEmpty() || !hasTables()) {
            return 0;
        }
        return tables.elements(filter, place).stream()
                .filter(one -> addresses.contains(HexFormat.of().formatHex(one.key())))
                .mapToLong(TableQueries.Element::packets)
                .sum();
    }

    /// Takes back what names have led the last user of a container's addresses to.
    void clearPins(ContainerNetworks container) {
        if (container.egress() instanceof Egress.Listed) {
            removeElements(pins().of(container));
        }
    }

    /// Ends connections that a container has begun and that its present record does not allow.
    void cut(ContainerNetworks container) {
        Cut.byNamesThen(filter, pins(), container).end();
    }

    /// Ends the links of a container, if they are there, and takes back what it may call itself.
    void release(ContainerNetworks container) {
        container.attachments().forEach(one -> bridges.remove(one.hostLink()));
        removeElementsOf(container);
    }

    /// The same for one whose network namespace ends, and its links with it: they pass nothing from here on.
    void detach(ContainerNetworks container) {
        container.attachments().forEach(one -> bridges.shut(one.hostLink()).ifPresent(ending::add));
        removeElementsOf(container);
    }

    private void removeElementsOf(ContainerNetworks container) {
        var all = new LinkedHashMap<Sets.Place, List<SetElement>>();
        if (container.egress() instanceof Egress.Listed) {
            all.putAll(pins().of(container));
        }
        new Elements()
                .container(container)
                .leads(container)
                .all()
                .forEach((place, list) -> all.merge(place, list, KernelNetworks::joined));
        Elements.madeByKernel(container).forEach((place, list) -> all.merge(place, list, KernelNetworks::joined));
        removeElements(all);
    }

    /// Makes our tables anew with all that is recorded but what leads to gates: who has a gate renews that. What was
    /// begun while somebody had taken them ends, unless it is allowed.
    private void replaceTables() {
        boolean wereGone = !rules.areWhole();
        var severance = new Severance(filter, tables);
        var elements = new LinkedHashMap<>(recorded().all());
        if (tables.areThere(filter)) {
            elements.putAll(severance.former());
        }
        tables.replace(filter, elements);
        records.putRules(tables.fingerprints(filter));
        if (wereGone) {
            severance.end(records.containers().values());
        }
    }

    private Elements recorded() {
        var elements = new Elements();
        records.networks().values().forEach(elements::network);
        records.containers().values().forEach(elements::container);
        return elements.forwarding(records.forwarding());
    }

    /// Brings all to what is recorded: nothing of ours is there beside.
    void repair() {
        if (records.networks().isEmpty()) {
            tables.remove(filter);
            Forwarding.undo(records.forwarding());
        } else {
            replaceTables();
        }
        removeUnrecorded();
        records.networks().values().forEach(bridges::require);
    }

    /// Does the same, perhaps after a change of what a container may send to.
    ///
    /// @param limited empty if it was another change
    void repair(Optional<ContainerNetworks> limited) {
        Optional<Cut> cut =
                limited.map(container -> Cut.byNamesNow(filter, pins(), container)); // knows what names had opened
        repair();
        cut.ifPresent(Cut::end);
    }

    /// Removes links of ours that no record has, as those of a process that was killed before they were gone.
    void removeUnrecorded() {
        Set<String> links = new HashSet<>();
        Set<String> ports = new HashSet<>();
        records.networks().values().forEach(network -> links.add(network.bridge()));
        records.containers()
                .values()
                .forEach(container -> container.attachments().forEach(one -> ports.add(one.hostLink())));
        bridges.removeOthers(links, ports);
    }

    /// Reads what the host has for a container.
    List<HostCheck> checks(ContainerNetworks container) {
        Elements all = recorded();
        records.containers().values().forEach(all::leads);
        return new HostSide(route, filter, tables, records).of(container, all.all());
    }

    /// Keeps containers closed while somebody has taken our tables, until this is closed or there are no networks.
    void standBy() {
        if (records.networks().isEmpty()) {
            standby.close();
        } else if (rules.areWhole()) {
            standby.open();
        }
    }

    /// Returns a number that changes with each change of the packet filter, ours and others'.
    int generation() {
        return TableQueries.generation(filter);
    }

    /// True if our tables are there with the rules that they were made with.
    boolean hasRules() {
        return rules.areWhole();
    }

    /// Returns how many bytes the kernel has answered with.
    long answered() {
        return route.received() + filter.received();
    }

    boolean hasTables() {
        return tables.areThere(filter);
    }

    /// Returns the subnets that the host has on its links, but ours.
    List<Subnet> hostSubnets() {
        return addresses().map(HostAddress::subnet).toList();
    }

    /// Returns the interface of the host, not one of ours, on which a subnet or a part of it is.
    Optional<String> linkOf(Subnet subnet) {
        return addresses()
                .filter(address -> address.subnet().overlaps(subnet))
                .findFirst()
                .flatMap(address -> RouteQueries.links(route).stream()
                        .filter(link -> link.index() == address.link())
                        .map(RouteQueries.Link::name)
                        .findFirst());
    }

    private Stream<HostAddress> addresses() {
        return RouteQueries.addresses(route).stream();
    }

    /// Returns the subnets to which the host has routes.
    List<Subnet> routes() {
        return RouteQueries.routes(route).stream().map(Route::subnet).toList();
    }

    /// Returns what finds rules of others that keep packets of containers from passing.
    ForeignRules foreignRules() {
        return new ForeignRules(filter, tables.name(), records);
    }

    @Override
    public void close() {
        ending.close();
        standby.close();
        filter.close();
        route.close();
    }
}
