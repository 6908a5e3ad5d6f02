package dev.caisson.network;

import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.NetworkEndpoint;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Chooses the addresses of a container on each of its networks.
final class Settling {
    /// Networks that a container may be on.
    static final int MOST = 8;

    /// The first bytes of hardware addresses; those of the IPv4 address follow.
    private static final byte[] CARD = {0x02, (byte) 0xc5};

    private record Chosen(InetAddress ip4, Optional<InetAddress> ip6, MacAddress mac) {}

    private final NetworkRecords records;
    private final ContainerId container;
    private final String name;
    private final List<Attachment> attachments = new ArrayList<>();

    Settling(NetworkRecords records, ContainerId container, String name) {
        this.records = records;
        this.container = container;
        this.name = name;
    }

    /// Begins with places that it has.
    Settling with(List<Attachment> places) {
        attachments.addAll(places);
        return this;
    }

    List<Attachment> attachments() {
        return List.copyOf(attachments);
    }

    void add(NetworkEndpoint endpoint, NetworkInfo network) {
        if (attachments.stream().anyMatch(one -> one.networkId().equals(network.id()))) {
            throw new NetworkException(
                    Code.NETWORK_REFUSED, "network " + network.name() + " is named twice: name it once");
        }
        if (attachments.size() == MOST) {
            throw new NetworkException(Code.NETWORK_REFUSED, "a container may be on " + MOST + " networks: name fewer");
        }
        if (endpoint.ip6().isPresent() && !network.ipv6()) {
            throw new NetworkException(
                    Code.ADDRESS_REFUSED,
                    "network " + network.name() + " has no IPv6: leave out the IPv6 address, or make a network with"
                            + " --ipv6");
        }
        Chosen chosen;
        try {
            chosen = choose(endpoint, network, others(network, true));
        } catch (NetworkException e) {
            if (e.reason() != Code.ADDRESS_TAKEN && e.reason() != Code.NO_ADDRESS_LEFT) {
                throw e;
            }
            chosen = choose(endpoint, network, others(network, false));
        }
        attachments.add(Places.attachment(
                container,
                network,
                number(),
                chosen.mac(),
                Optional.of(chosen.ip4()),
                chosen.ip6(),
                aliases(endpoint, name),
                links(endpoint, network)));
    }

    private static Chosen choose(NetworkEndpoint endpoint, NetworkInfo network, List<Attachment> others) {
        Set<InetAddress> used = HashSet.newHashSet(2 * others.size());
        for (Attachment one : others) {
            one.ip4().ifPresent(ip -> used.add(ip.address()));
            one.ip6().ifPresent(ip -> used.add(ip.address()));
        }
        InetAddress ip4 = AddressPlan.address(network, false, endpoint.ip4().map(InetAddress.class::cast), used);
        Optional<InetAddress> ip6 = network.ipv6()
                ? Optional.of(AddressPlan.address(network, true, endpoint.ip6().map(InetAddress.class::cast), used))
                : Optional.empty();
        MacAddress mac = endpoint.mac().orElseGet(() -> mac(ip4));
        if (mac.equals(network.bridgeMac())
                || others.stream().anyMatch(one -> one.mac().equals(mac))) {
            throw new NetworkException(
                    Code.ADDRESS_TAKEN,
                    "MAC address " + mac + " is in use on network " + network.name() + ": choose another, or none");
        }
        return new Chosen(ip4, ip6, mac);
    }

    /// @param vacant true if places that no container has are others' too
    private List<Attachment> others(NetworkInfo network, boolean vacant) {
        var others = new ArrayList<Attachment>();
        for (ContainerNetworks other : records.containers().values()) {
            for (Attachment one : other.attachments()) {
                if (one.networkId().equals(network.id()) && (vacant || !other.vacant())) {
                    others.add(one);
                }
            }
        }
        return others;
    }

    /// Returns the lowest number that no link has.
    private int number() {
        Set<Integer> taken = attachments.stream()
                .map(one -> one.guestIndex() - Places.FIRST_INDEX)
                .collect(Collectors.toSet());
        int number = 0;
        while (taken.contains(number)) {
            number++;
        }
        return number;
    }

    /// Returns the names of a container on a network beside its own, the container's last.
    static List<String> aliases(NetworkEndpoint endpoint, String name) {
        var aliases = new ArrayList<>(endpoint.aliases());
        if (!name.isEmpty() && !aliases.contains(name)) {
            aliases.add(name);
        }
        return aliases;
    }

    private List<Attachment.Linked> links(NetworkEndpoint endpoint, NetworkInfo network) {
        return endpoint.links().stream()
                .map(link -> new LinkTargets(records, container).settled(link, network))
                .toList();
    }

    private static MacAddress mac(InetAddress ip4) {
        return MacAddress.of(
                ByteBuffer.allocate(6).put(CARD).put(ip4.getAddress()).array());
    }
}
