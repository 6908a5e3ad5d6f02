package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.network.route.RouteMessages;
import dev.caisson.network.route.RouteQueries;
import dev.caisson.network.route.RouteQueries.Link;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/// The bridges of networks, told from those of others by the text that their links have, `ip link` shows it as alias.
final class Bridges {
    /// A bridge has at most 1,023 ports; each has one hardware address.
    private static final int MOST_LEARNED = 4096;

    private static final String KIND = "bridge";

    private final NetlinkSocket socket;
    private final String mark;
    /// Indices of bridges that were found to be ours, by their names.
    private final Map<String, Integer> known = new HashMap<>();

    /// @param mark beginning of the alias of each bridge of ours
    Bridges(NetlinkSocket socket, String mark) {
        this.socket = socket;
        this.mark = mark;
    }

    /// Makes a network's bridge unless it is there, up. One that is known already is looked at without waiting for
    /// those who change links, as the kernel while it clears up after other containers.
    ///
    /// @return its index, which no bridge has that was there before or comes after it
    int require(NetworkInfo network) {
        OptionalInt up = socket.indexOfUp(network.bridge());
        if (up.isPresent() && Integer.valueOf(up.getAsInt()).equals(known.get(network.bridge()))) {
            return up.getAsInt();
        }
        requireUnknown(network);
        int index = RouteQueries.link(socket, network.bridge()).orElseThrow().index();
        known.put(network.bridge(), index);
        return index;
    }

    private void requireUnknown(NetworkInfo network) {
        Optional<Link> there = RouteQueries.link(socket, network.bridge());
        if (there.filter(this::isOurs).filter(Link::isUp).isPresent()) {
            return;
        }
        if (there.isPresent()) {
            if (!isOurs(there.get())) {
                throw new NetworkException(
                        Code.NETWORK_REFUSED,
                        "link " + network.bridge() + " belongs to somebody else: remove it, or make a new network");
            }
            setUp(network, there.get().index());
            return;
        }
        make(network);
    }

    private boolean isOurs(Link link) {
        return link.kind().equals(KIND) && link.alias().startsWith(mark);
    }

    private void make(NetworkInfo network) {
        socket.request(
                "bridge " + network.bridge(),
                new RouteMessages()
                        .bridge(
                                network.bridge(),
                                network.bridgeMac().bytes(),
                                network.mtu(),
                                MOST_LEARNED,
                                mark + network.name())
                        .messages());
        try {
            int index =
                    RouteQueries.link(socket, network.bridge()).orElseThrow().index();
            setUp(network, index);
        } catch (RuntimeException e) {
            remove(network.bridge());
            throw e;
        }
    }

    private void setUp(NetworkInfo network, int index) {
        settings(network);
        var messages = new RouteMessages();
        network.pools()
                .forEach(pool -> pool.gateway()
                        .ifPresent(gateway ->
                                messages.address(index, gateway, pool.subnet().prefix(), true)));
        socket.request(
                "addresses of bridge " + network.bridge(), messages.up(index).messages());
    }

    /// Before it is up: a bridge without IPv6 is never reached by it, and one answers for its own addresses alone.
    private static void settings(NetworkInfo network) {
        String four = "ipv4/conf/" + network.bridge() + "/";
        Sysctl.set(four + "arp_ignore", "1");
        Sysctl.set(four + "rp_filter", "1");
        Sysctl.set(four + "send_redirects", "0");
        Sysctl.set(four + "accept_source_route", "0"); // the packet filter sees the gateway as their destination
        String six = "ipv6/conf/" + network.bridge() + "/";
        String disabled = six + "disable_ipv6";
        if (Sysctl.read(disabled).isEmpty()) {
            return;
        }
        Sysctl.set(disabled, network.ipv6() ? "0" : "1");
        Sysctl.set(six + "accept_ra", "0");
        Sysctl.set(six + "autoconf", "0");
    }

    /// True if a link is there and up.
    boolean isUp(String name) {
        return socket.indexOfUp(name).isPresent();
    }

    /// Has a port of a bridge pass no frame any more, in either direction, and has the bridge forget who was behind it.
    /// The kernel waits for all processors when it removes a link, and does not for this.
    ///
    /// @return the link, if it is still there; it may be removed at any time
    Optional<Link> shut(String name) {
        Optional<Link> there = RouteQueries.link(socket, name);
        if (there.isEmpty()) {
            return there;
        }
        try {
            socket.request(
                    "the end of port " + name,
                    new RouteMessages().shut(there.get().index()).messages());
            return there;
        } catch (NetlinkException e) {
            if (e.is(Errno.ENODEV)) {
                return Optional.empty();
            }
            if (e.is(Errno.ENETDOWN)) {
                return there;
            }
            remove(name); // it is no port, or its bridge runs the spanning tree protocol
            return Optional.empty();
        }
    }

    /// Removes a link, if it is there.
    void remove(String name) {
        try {
            socket.request(
                    "the removal of link " + name,
                    new RouteMessages().deleteLink(name).messages());
        } catch (NetlinkException e) {
            if (!e.is(Errno.ENODEV)) {
                throw e;
            }
        }
    }

    /// Removes bridges of ours that no network has, and ports of ours that no container has.
    void removeOthers(Set<String> bridges, Set<String> ports) {
        List<Link> links = RouteQueries.links(socket);
        List<Link> ours = links.stream().filter(this::isOurs).toList();
        Set<Integer> masters = ours.stream().map(Link::index).collect(Collectors.toSet());
        links.stream()
                .filter(link -> masters.contains(link.master()) && !ports.contains(link.name()))
                .forEach(link -> remove(link.name()));
        ours.stream().filter(link -> !bridges.contains(link.name())).forEach(link -> remove(link.name()));
    }
}
