package dev.caisson.network;

import dev.caisson.network.filter.Sets;
import dev.caisson.network.nft.SetElement;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Elements of the packet filter's sets, put together of networks, containers and ports.
final class Elements {
    private static final int INTERFACE_NAME = 16;
    private static final int BITS = 8;

    private final Map<Sets.Place, List<SetElement>> all = new LinkedHashMap<>();

    Map<Sets.Place, List<SetElement>> all() {
        return all;
    }

    Elements network(NetworkInfo network) {
        byte[] bridge = name(network.bridge());
        put(Sets.BRIDGES, bridge);
        put(Sets.SAME, key(bridge, bridge));
        put(Sets.ROUTERS, key(bridge, network.bridgeMac().bytes()));
        network.pools()
                .forEach(pool -> list(pool.subnet().isIpv6() ? Sets.SUBNETS6 : Sets.SUBNETS)
                        .add(SetElement.range(
                                key(bridge, pool.subnet().base().getAddress()),
                                key(bridge, pool.subnet().last().getAddress()))));
        if (network.betweenContainers()) {
            put(Sets.OPEN, key(bridge, bridge));
        }
        if (network.internal()) {
            put(Sets.INTERNAL, bridge);
        }
        network.gateway(false).ifPresent(address -> put(Sets.GATEWAYS, address.getAddress()));
        network.gateway(true).ifPresent(address -> put(Sets.GATEWAYS6, address.getAddress()));
        return this;
    }

    /// Marks the families that are forwarded for our sake alone.
    Elements forwarding(Forwarding.Changed changed) {
        changed.bridges().forEach(bridge -> put(Sets.FORMER, name(bridge)));
        if (changed.four()) {
            unrouted(false);
        }
        return changed.six() ? unrouted(true) : this;
    }

    /// Marks a family as forwarded for our sake alone.
    Elements unrouted(boolean six) {
        int family = six ? 10 : 2;
        put(Sets.UNROUTED, new byte[] {(byte) family});
        return this;
    }

    Elements container(ContainerNetworks container) {
        container.attachments().forEach(this::attachment);
        container.ports().forEach(port -> port(container, port));
        container.hostPorts().forEach(port -> hosted(container, port));
        container.attachments().forEach(one -> bounded(one, container.bandwidth()));
        EgressElements.of(container).forEach((place, elements) -> list(place).addAll(elements));
        return this;
    }

    /// Leads a container to its gates for a while. Only who serves them adds that: the record may have ports
    /// of a process that was killed.
    Elements leads(ContainerNetworks container) {
        container.gates().forEach(gate -> gate(container, gate));
        return this;
    }

    Elements attachment(Attachment one) {
        byte[] port = name(one.hostLink());
        byte[] mac = one.mac().bytes();
        put(Sets.PORTS, port);
        one.ip4().ifPresent(ip -> put(Sets.MEMBERS, key(port, mac, ip.address().getAddress())));
        one.ip6().ifPresent(ip -> {
            put(Sets.MEMBERS6, key(port, mac, ip.address().getAddress()));
            put(Sets.MEMBERS6, key(port, mac, linkLocal(one.mac())));
        });
        if (one.isolated()) {
            one.links().forEach(link -> link(one, link));
        }
        return this;
    }

    /// Two names of one container are one link.
    private void link(Attachment one, Attachment.Linked link) {
        if (one.ip4().isEmpty() || link.ip4().isEmpty()) {
            return;
        }
        byte[] from = one.ip4().get().address().getAddress();
        byte[] to = link.ip4().get().getAddress();
        for (ContainerPort port : link.exposed()) {
            byte[] transport = {(byte) port.transport().number()};
            SetElement element = SetElement.of(key(from, to, transport, number(port.number())));
            if (!list(Sets.LINKED).contains(element)) {
                list(Sets.LINKED).add(element);
            }
        }
    }

    /// The address that the kernel gives an interface by itself, RFC 4291 appendix A.
    private static byte[] linkLocal(MacAddress mac) {
        byte[] card = mac.bytes();
        return ByteBuffer.allocate(16)
                .putLong(0xfe80L << 48)
                .put((byte) (card[0] ^ 2))
                .put(card, 1, 2)
                .put((byte) 0xff)
                .put((byte) 0xfe)
                .put(card, 3, 3)
                .array();
    }

    /// Adds the rates of a port. Packets that leave the host by it are those that the container receives.
    private void bounded(Attachment one, Bandwidth bandwidth) {
        if (bandwidth.in() != 0) {
            list(Sets.RATE_IN).add(SetElement.of(name(one.hostLink())).atMost(bandwidth.in() / BITS));
        }
        if (bandwidth.out() != 0) {
            long rate = bandwidth.out() / BITS;
            list(Sets.RATE_OUT).add(SetElement.of(name(one.hostLink())).atMost(rate));
            list(Sets.RATE_PARTS)
                    .add(SetElement.of(key(name(one.bridge()), one.mac().bytes()))
                            .atMost(rate));
        }
    }

    private void hosted(ContainerNetworks container, ContainerPort port) {
        byte[] transport = {(byte) port.transport().number()};
        container
                .addresses(false)
                .forEach(from -> put(Sets.HOSTED, key(from.getAddress(), transport, number(port.number()))));
        container
                .addresses(true)
                .forEach(from -> put(Sets.HOSTED6, key(from.getAddress(), transport, number(port.number()))));
    }

    /// Two hosts with the same port have one element.
    private void gate(ContainerNetworks container, GateLead gate) {
        if (gate.gatePort() == 0) {
            return;
        }
        container.outward(false).ifPresent(place -> {
            byte[] gateway = place.gateway().getAddress();
            byte[] tcp = {(byte) Transport.TCP.number()};
            SetElement element = SetElement.of(key(place.address().getAddress(), gateway, tcp, number(gate.port())))
                    .to(key(gateway, number(gate.gatePort())))
                    .lasting(GateLead.LASTING);
            if (!list(Sets.GATED).contains(element)) {
                list(Sets.GATED).add(element);
            }
        });
    }

    /// A port of loopback is led to its container by a relay and not by the packet filter.
    Elements port(ContainerNetworks container, PortMapping port) {
        if (port.isLoopback()) {
            return this;
        }
        for (boolean six : new boolean[] {false, true}) {
            boolean concerned = port.address()
                    .map(six ? Inet6Address.class::isInstance : Inet4Address.class::isInstance)
                    .orElse(true);
            if (concerned) {
                container.outward(six).ifPresent(target -> port(port, target.address(), six));
            }
        }
        return this;
    }

    private void port(PortMapping port, InetAddress target, boolean six) {
        byte[] transport = {(byte) port.transport().number()};
        byte[] value = key(target.getAddress(), number(port.containerPort()));
        boolean any = port.address().map(InetAddress::isAnyLocalAddress).orElse(true);
        byte[] key = any
                ? key(transport, number(port.hostPort()))
                : key(port.address().orElseThrow().getAddress(), transport, number(port.hostPort()));
        Sets.Place place =
                any ? (six ? Sets.PUBLISHED_ANY6 : Sets.PUBLISHED_ANY) : (six ? Sets.PUBLISHED6 : Sets.PUBLISHED);
        list(place).add(SetElement.of(key).to(value));
        sent(
                six ? Sets.SENT6 : Sets.SENT,
                SetElement.of(key(target.getAddress(), transport, number(port.containerPort())))
                        .to(number(port.hostPort())));
    }

    /// Leads what is sent from a port out by the host's port that leads to it, by the first if there are several.
    private void sent(Sets.Place place, SetElement element) {
        if (!list(place).contains(element)) {
            list(place).add(element);
        }
    }

    /// Returns the elements that the kernel made to count a container's connections, reports and neighbors.
    static Map<Sets.Place, List<SetElement>> madeByKernel(ContainerNetworks container) {
        var elements = new Elements();
        container.addresses(false).map(InetAddress::getAddress).forEach(address -> {
            elements.put(Sets.CONNECTIONS, address);
            elements.put(Sets.BEGUN_RATE, address);
            elements.put(Sets.TOLD, address);
            elements.put(Sets.NEXT_RATE, address);
        });
        container.addresses(true).map(InetAddress::getAddress).forEach(address -> {
            elements.put(Sets.CONNECTIONS6, address);
            elements.put(Sets.BEGUN_RATE6, address);
            elements.put(Sets.TOLD6, address);
            elements.put(Sets.NEXT_RATE6, address);
        });
        return elements.all();
    }

    private void put(Sets.Place place, byte[] key) {
        list(place).add(SetElement.of(key));
    }

    private List<SetElement> list(Sets.Place place) {
        return all.computeIfAbsent(place, _ -> new ArrayList<>());
    }

    static byte[] number(int port) {
        return new byte[] {(byte) (port >> 8), (byte) port};
    }

    static byte[] name(String link) {
        return ByteBuffer.allocate(INTERFACE_NAME)
                .put(link.getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    /// Parts of a key are aligned to 4 bytes.
    static byte[] key(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += (part.length + 3) & ~3;
        }
        ByteBuffer key = ByteBuffer.allocate(length);
        for (byte[] part : parts) {
            int start = key.position();
            key.put(part).position(start + ((part.length + 3) & ~3));
        }
        return key.array();
    }
}
