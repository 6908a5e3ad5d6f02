package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.Subnet;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A container's place on one network, settled to the last bit: what its link is called on either side, and what it is
/// set to. It is on disk before the kernel is asked for anything, and stays the same over restarts of the container.
///
/// @param network the network's name
/// @param networkId 64 hexadecimal digits
/// @param hostLink name of the link's end on the host, a port of `bridge`
/// @param isolated true if the port exchanges frames with the bridge itself alone, never with another such port
/// @param guestName name of the link's end in the container, `eth0`
/// @param guestIndex its interface index in the container's namespace
/// @param internal true if no route leads out
/// @param aliases further names on this network, beside the container's own
/// @param links containers of this network that it reaches by names of its own
public record Attachment(
        ContainerId container,
        String network,
        String networkId,
        String hostLink,
        String bridge,
        boolean isolated,
        String guestName,
        int guestIndex,
        MacAddress mac,
        int mtu,
        Optional<Address> ip4,
        Optional<Address> ip6,
        boolean internal,
        List<String> aliases,
        List<Linked> links) {
    /// An address of the container.
    ///
    /// @param subnet of the network
    /// @param gateway the host's address on the network
    public record Address(InetAddress address, Subnet subnet, InetAddress gateway) {}

    /// A container that is reached by a name of the other's choice.
    ///
    /// @param name of the container
    /// @param exposed ports that it is known to serve
    public record Linked(
            ContainerId container,
            String name,
            String alias,
            Optional<InetAddress> ip4,
            Optional<InetAddress> ip6,
            List<ContainerPort> exposed) {
        public Linked {
            exposed = exposed.stream().sorted().distinct().toList();
        }
    }

    public Attachment {
        aliases = List.copyOf(aliases);
        links = List.copyOf(links);
    }

    /// Makes an attachment without links.
    public Attachment(
            ContainerId container,
            String network,
            String networkId,
            String hostLink,
            String bridge,
            boolean isolated,
            String guestName,
            int guestIndex,
            MacAddress mac,
            int mtu,
            Optional<Address> ip4,
            Optional<Address> ip6,
            boolean internal,
            List<String> aliases) {
        this(
                container,
                network,
                networkId,
                hostLink,
                bridge,
                isolated,
                guestName,
                guestIndex,
                mac,
                mtu,
                ip4,
                ip6,
                internal,
                aliases,
                List.of());
    }

    /// Returns the same for a container with another name, which is the last alias.
    Attachment renamed(String former, String name) {
        var renamed = new ArrayList<>(aliases);
        if (!renamed.isEmpty() && renamed.getLast().equals(former)) {
            renamed.removeLast();
        }
        renamed.remove(name);
        renamed.add(name);
        return with(renamed, links);
    }

    /// Returns the same with other names.
    Attachment aliases(List<String> value) {
        return with(value, links);
    }

    /// Returns the same with other links.
    public Attachment links(List<Linked> value) {
        return with(aliases, value);
    }

    private Attachment with(List<String> names, List<Linked> linked) {
        return new Attachment(
                container,
                network,
                networkId,
                hostLink,
                bridge,
                isolated,
                guestName,
                guestIndex,
                mac,
                mtu,
                ip4,
                ip6,
                internal,
                names,
                linked);
    }

    /// Returns the prefix that the address has inside: where ports are isolated, nobody but the gateway is on the link.
    public int prefix(Address address) {
        return isolated
                ? address.address().getAddress().length * 8
                : address.subnet().prefix();
    }
}
