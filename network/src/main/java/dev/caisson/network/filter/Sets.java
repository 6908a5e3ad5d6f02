package dev.caisson.network.filter;

import static dev.caisson.network.nft.SetForm.Part.ETHERNET;
import static dev.caisson.network.nft.SetForm.Part.FAMILY;
import static dev.caisson.network.nft.SetForm.Part.INTERFACE;
import static dev.caisson.network.nft.SetForm.Part.IPV4;
import static dev.caisson.network.nft.SetForm.Part.IPV6;
import static dev.caisson.network.nft.SetForm.Part.PORT;
import static dev.caisson.network.nft.SetForm.Part.TRANSPORT;

import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.SetForm;
import java.util.ArrayList;
import java.util.List;

/// The sets and maps of our tables. Elements of the first group go with networks, of the second with containers and
/// their ports; the kernel adds those of the third itself.
public final class Sets {
    /// A set in its table.
    public record Place(Family family, SetForm form) {}

    /// Bridges of networks.
    public static final Place BRIDGES = inet(SetForm.set("bridges", INTERFACE));
    /// Bridges whose networks have no way out.
    public static final Place INTERNAL = inet(SetForm.set("internal", INTERFACE));
    /// A bridge and itself, where containers reach each other.
    public static final Place OPEN = inet(SetForm.set("open", INTERFACE, INTERFACE));
    /// A bridge and itself.
    public static final Place SAME = inet(SetForm.set("same", INTERFACE, INTERFACE));
    /// Bridges and their own hardware addresses: the host routes what is sent to these.
    public static final Place ROUTERS = inet(SetForm.set("routers", INTERFACE, ETHERNET));
    /// Bridges and the addresses of their networks.
    public static final Place SUBNETS =
            inet(SetForm.set("subnets", INTERFACE, IPV4).with(SetForm.Use.RANGES));

    public static final Place SUBNETS6 =
            inet(SetForm.set("subnets6", INTERFACE, IPV6).with(SetForm.Use.RANGES));
    /// The host's addresses on networks.
    public static final Place GATEWAYS = inet(SetForm.set("gateways", IPV4));

    public static final Place GATEWAYS6 = inet(SetForm.set("gateways6", IPV6));
    /// Families that this host forwards for our sake alone.
    public static final Place UNROUTED = inet(SetForm.set("unrouted", FAMILY));
    /// Bridges of others that were there before that: nobody relies on forwarding from or to them.
    public static final Place FORMER = inet(SetForm.set("former", INTERFACE));

    /// Published ports of one address of the host.
    public static final Place PUBLISHED =
            inet(SetForm.set("published", IPV4, TRANSPORT, PORT).to(IPV4, PORT));

    public static final Place PUBLISHED6 =
            inet(SetForm.set("published6", IPV6, TRANSPORT, PORT).to(IPV6, PORT));
    /// Published ports of all addresses of the host.
    public static final Place PUBLISHED_ANY =
            inet(SetForm.set("published-any", TRANSPORT, PORT).to(IPV4, PORT));

    public static final Place PUBLISHED_ANY6 =
            inet(SetForm.set("published-any6", TRANSPORT, PORT).to(IPV6, PORT));
    /// Published ports as containers send from them: a container's address and port, and the port of the host.
    public static final Place SENT =
            inet(SetForm.set("sent", IPV4, TRANSPORT, PORT).to(PORT));

    public static final Place SENT6 =
            inet(SetForm.set("sent6", IPV6, TRANSPORT, PORT).to(PORT));
    /// A container, another one of its network and a port of that one that it may connect to, where containers do not
    /// reach each other.
    public static final Place LINKED = inet(SetForm.set("linked", IPV4, IPV4, TRANSPORT, PORT));

    /// Addresses of containers that reach named destinations alone.
    public static final Place LIMITED = inet(SetForm.set("limited", IPV4));

    public static final Place LIMITED6 = inet(SetForm.set("limited6", IPV6));
    /// What these reach: their address, and the other's with a port. Those that a name led to go by themselves.
    public static final Place REACHED =
            inet(SetForm.set("reached", IPV4, IPV4, TRANSPORT, PORT).with(SetForm.Use.TIMEOUT));

    public static final Place REACHED6 =
            inet(SetForm.set("reached6", IPV6, IPV6, TRANSPORT, PORT).with(SetForm.Use.TIMEOUT));
    /// Subnets and ranges of ports that they reach.
    public static final Place REACHED_RANGES =
            inet(SetForm.set("reached-ranges", IPV4, IPV4, TRANSPORT, PORT).with(SetForm.Use.RANGES));

    public static final Place REACHED_RANGES6 =
            inet(SetForm.set("reached-ranges6", IPV6, IPV6, TRANSPORT, PORT).with(SetForm.Use.RANGES));
    /// Counts what they were denied.
    public static final Place DENIED = inet(SetForm.set("denied", IPV4).with(SetForm.Use.COUNTED));

    public static final Place DENIED6 = inet(SetForm.set("denied6", IPV6).with(SetForm.Use.COUNTED));
    /// Connections that are led to a gate: from a container's address, to the host's address and a port. An element
    /// goes by itself if the process that has the gate does not renew it.
    public static final Place GATED = inet(
            SetForm.set("gated", IPV4, IPV4, TRANSPORT, PORT).to(IPV4, PORT).with(SetForm.Use.TIMEOUT));

    /// A container's address and a port of the host that it reaches.
    public static final Place HOSTED = inet(SetForm.set("hosted", IPV4, TRANSPORT, PORT));

    public static final Place HOSTED6 = inet(SetForm.set("hosted6", IPV6, TRANSPORT, PORT));

    /// Ports of bridges that lead to containers.
    public static final Place PORTS = bridge(SetForm.set("ports", INTERFACE));
    /// What a container may call itself: its port, hardware address and address.
    public static final Place MEMBERS = bridge(SetForm.set("members", INTERFACE, ETHERNET, IPV4));

    public static final Place MEMBERS6 = bridge(SetForm.set("members6", INTERFACE, ETHERNET, IPV6));

    /// Ports of bridges and how many bytes in a second may leave by them, and come in.
    public static final Place RATE_IN = bridge(SetForm.set("rate-in", INTERFACE).with(SetForm.Use.RATED));

    public static final Place RATE_OUT =
            bridge(SetForm.set("rate-out", INTERFACE).with(SetForm.Use.RATED));
    /// Bridges and hardware addresses of containers, and how many bytes in a second these may send to the host
    /// and through it in packets that are put together here.
    public static final Place RATE_PARTS =
            inet(SetForm.set("rate-parts", INTERFACE, ETHERNET).with(SetForm.Use.RATED));

    /// Ports of bridges that sent too much in parts of late.
    public static final Place HELD = bridge(SetForm.set("held", INTERFACE).remembering(4096));

    /// Connections that each container has begun.
    public static final Place CONNECTIONS =
            inet(SetForm.set("connections", IPV4).with(SetForm.Use.BY_RULES));

    public static final Place CONNECTIONS6 =
            inet(SetForm.set("connections6", IPV6).with(SetForm.Use.BY_RULES));

    /// How often each container begins one by TCP.
    public static final Place BEGUN_RATE = inet(SetForm.set("begun-rate", IPV4).with(SetForm.Use.BY_RULES));

    public static final Place BEGUN_RATE6 =
            inet(SetForm.set("begun-rate6", IPV6).with(SetForm.Use.BY_RULES));

    /// How often each container's denials are told.
    public static final Place TOLD = inet(SetForm.set("told", IPV4).with(SetForm.Use.BY_RULES));

    public static final Place TOLD6 = inet(SetForm.set("told6", IPV6).with(SetForm.Use.BY_RULES));

    /// Containers and the neighbors of the host that their packets went to of late.
    public static final Place NEXT = inet(SetForm.set("next", IPV4, IPV4).remembering(65_536));

    public static final Place NEXT6 = inet(SetForm.set("next6", IPV6, IPV6).remembering(65_536));

    /// How often each container's packets go to another one of these.
    public static final Place NEXT_RATE = inet(SetForm.set("next-rate", IPV4).with(SetForm.Use.BY_RULES));

    public static final Place NEXT_RATE6 = inet(SetForm.set("next-rate6", IPV6).with(SetForm.Use.BY_RULES));

    /// Connections that were ended though the host may go on to send: a container's address, the transport, the host's
    /// port and the container's. They go by themselves.
    public static final Place SEVERED =
            inet(SetForm.set("severed", IPV4, TRANSPORT, PORT, PORT).with(SetForm.Use.TIMEOUT));

    public static final Place SEVERED6 =
            inet(SetForm.set("severed6", IPV6, TRANSPORT, PORT, PORT).with(SetForm.Use.TIMEOUT));

    /// Sets whose elements are written down.
    public static final List<Place> RECORDED = List.of(
            BRIDGES,
            INTERNAL,
            OPEN,
            SAME,
            ROUTERS,
            SUBNETS,
            SUBNETS6,
            GATEWAYS,
            GATEWAYS6,
            UNROUTED,
            FORMER,
            PUBLISHED,
            PUBLISHED6,
            PUBLISHED_ANY,
            PUBLISHED_ANY6,
            SENT,
            SENT6,
            LINKED,
            LIMITED,
            LIMITED6,
            REACHED,
            REACHED6,
            REACHED_RANGES,
            REACHED_RANGES6,
            DENIED,
            DENIED6,
            GATED,
            HOSTED,
            HOSTED6,
            PORTS,
            MEMBERS,
            MEMBERS6,
            RATE_IN,
            RATE_OUT,
            RATE_PARTS);

    private Sets() {}

    static List<Place> all() {
        var all = new ArrayList<>(RECORDED);
        all.addAll(List.of(
                HELD,
                CONNECTIONS,
                CONNECTIONS6,
                BEGUN_RATE,
                BEGUN_RATE6,
                TOLD,
                TOLD6,
                NEXT,
                NEXT6,
                NEXT_RATE,
                NEXT_RATE6,
                SEVERED,
                SEVERED6));
        return all;
    }

    private static Place inet(SetForm form) {
        return new Place(Family.INET, form);
    }

    private static Place bridge(SetForm form) {
        return new Place(Family.BRIDGE, form);
    }
}
