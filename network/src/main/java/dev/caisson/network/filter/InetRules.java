package dev.caisson.network.filter;

import static dev.caisson.network.filter.Match.IPV4;
import static dev.caisson.network.filter.Match.IPV6;
import static dev.caisson.network.filter.Match.family;
import static dev.caisson.network.filter.Match.fromAndTo;
import static dev.caisson.network.filter.Match.icmp;
import static dev.caisson.network.filter.Match.name;
import static dev.caisson.network.filter.Match.notFromLoopback;
import static dev.caisson.network.filter.Match.notState;
import static dev.caisson.network.filter.Match.notTo;
import static dev.caisson.network.filter.Match.published;
import static dev.caisson.network.filter.Match.rule;
import static dev.caisson.network.filter.Match.state;
import static dev.caisson.network.filter.Match.then;
import static dev.caisson.network.filter.Match.to;
import static dev.caisson.network.filter.Match.toHost;
import static dev.caisson.network.filter.Match.toHostThere;
import static dev.caisson.network.nft.Expressions.ESTABLISHED;
import static dev.caisson.network.nft.Expressions.NEW;
import static dev.caisson.network.nft.Expressions.RELATED;
import static dev.caisson.network.nft.Expressions.accept;
import static dev.caisson.network.nft.Expressions.drop;

import dev.caisson.network.nft.Batch;
import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.Batch.Hook;
import dev.caisson.network.nft.Expression;
import dev.caisson.network.nft.Expressions;
import dev.caisson.network.nft.Expressions.Header;
import dev.caisson.network.nft.Expressions.Meta;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/// The rules for packets that the host routes or takes itself. Packets that have nothing to do with our bridges pass
/// as if the table were not there, but those of families that are forwarded for our sake alone.
final class InetRules {
    private static final int KIND_BYTES = 16;
    private static final int RAW = -300;
    private static final int DESTINATION_NAT = -100;
    private static final int FILTER = 0;
    private static final int SOURCE_NAT = 100;
    private static final int LINK_SOURCE = 6;
    private static final int IPV4_SOURCE = 12;
    private static final int IPV4_DESTINATION = 16;
    private static final int IPV6_SOURCE = 8;
    private static final int IPV6_DESTINATION = 24;
    private static final int SOURCE_PORT = 0;
    private static final int DESTINATION_PORT = 2;
    /// Ports of the host that packets of containers leave by. One that a server of the host or another container has
    /// would lead to the container what the other machine sends there, CVE-2021-3773.
    private static final int FIRST_PORT = 32_768;

    private static final int LAST_PORT = 60_999;
    private static final int TCP = 6;
    /// TCP, UDP, ICMP and ICMPv6, whose echoes have numbers, and SCTP.
    private static final int[] WITH_PORTS = {6, 17, 1, 58, 132};
    private static final int ECHO = 8;
    private static final int ECHO_6 = 128;
    private static final int NEIGHBOR_SOLICITATION = 135;
    private static final int NEIGHBOR_ADVERTISEMENT = 136;
    private static final int NEIGHBORS_PER_SECOND = 20;
    private static final int CONNECTIONS_PER_SECOND = 1000;
    private static final int CONNECTIONS_AT_ONCE = 4096;
    private static final int NEIGHBORS_AT_ONCE = 128;
    private static final Duration NEIGHBOR_TIME = Duration.ofSeconds(5);

    private final Batch batch;
    private final String table;
    private final int mostConnections;
    private final boolean forgetful;
    private final EgressRules egress;

    /// @param forgetful true if the table has [Tables#CLOSED]
    InetRules(Batch batch, String table, int mostConnections, boolean forgetful, EgressRules egress) {
        this.batch = batch;
        this.table = table;
        this.mostConnections = mostConnections;
        this.forgetful = forgetful;
        this.egress = egress;
    }

    void write() {
        chain("leaving");
        chain("entering");
        chain("host");
        errors();
        egress.write();
        neighbors("next", IPV4, IPV4_SOURCE, 4, Sets.NEXT, Sets.NEXT_RATE);
        neighbors("next6", IPV6, IPV6_SOURCE, 16, Sets.NEXT6, Sets.NEXT_RATE6);
        begun("begun", IPV4_SOURCE, 4, Sets.CONNECTIONS, Sets.BEGUN_RATE);
        begun("begun6", IPV6_SOURCE, 16, Sets.CONNECTIONS6, Sets.BEGUN_RATE6);
        portless();
        leaving();
        entering();
        host();
        base("raw", "filter", Hook.PREROUTING, RAW);
        add("raw", notFromLoopback(), family(IPV4), Match.is(payload(IPV4_DESTINATION, 1), 127), then(drop()));
        add(
                "raw",
                Seen.inParts(),
                List.of(
                        Expressions.meta(Meta.INPUT_NAME, 0),
                        Expressions.payload(Header.LINK, LINK_SOURCE, 6, Match.NAME_REGISTERS),
                        Expressions.inSet(0, name(Sets.RATE_PARTS))),
                then(drop()));
        base("forward", "filter", Hook.FORWARD, FILTER);
        add("forward", Match.from(Sets.BRIDGES), Seen.sign(Seen.INET));
        add("forward", to(Sets.BRIDGES), Seen.sign(Seen.INET));
        add("forward", Match.from(Sets.BRIDGES), then(Expressions.go("leaving")));
        add("forward", to(Sets.BRIDGES), then(Expressions.go("entering")));
        add("forward", laterBridge(Meta.INPUT_LINK_KIND, Meta.INPUT_NAME), then(accept()));
        add("forward", laterBridge(Meta.OUTPUT_LINK_KIND, Meta.OUTPUT_NAME), then(accept()));
        add(
                "forward",
                List.of(Expressions.meta(Meta.FAMILY, 0), Expressions.inSet(0, name(Sets.UNROUTED))),
                then(drop()));
        base("forwarded", "filter", Hook.FORWARD, Seen.UNSIGNED);
        add("forwarded", Match.from(Sets.BRIDGES), Seen.unsign());
        add("forwarded", to(Sets.BRIDGES), Seen.unsign());
        base("input", "filter", Hook.INPUT, FILTER);
        add("input", Match.from(Sets.BRIDGES), Seen.sign(Seen.INET));
        add("input", Match.from(Sets.BRIDGES), then(Expressions.go("host")));
        add("input", notFromLoopback(), family(IPV4), in(Sets.GATEWAYS, IPV4_DESTINATION, 4), then(drop()));
        add("input", notFromLoopback(), family(IPV6), in(Sets.GATEWAYS6, IPV6_DESTINATION, 16), then(drop()));
        base("sent", "filter", Hook.OUTPUT, FILTER);
        add(
                "sent",
                to(Sets.BRIDGES),
                state(NEW),
                family(IPV4),
                severed(IPV4_DESTINATION, 4, Sets.SEVERED),
                then(drop()));
        add(
                "sent",
                to(Sets.BRIDGES),
                state(NEW),
                family(IPV6),
                severed(IPV6_DESTINATION, 16, Sets.SEVERED6),
                then(drop()));
        base("prerouting", "nat", Hook.PREROUTING, DESTINATION_NAT);
        add("prerouting", gated(), then(Expressions.translate(IPV4, 0, 1)));
        translations("prerouting");
        base("output", "nat", Hook.OUTPUT, DESTINATION_NAT);
        translations("output");
        base("postrouting", "nat", Hook.POSTROUTING, SOURCE_NAT);
        add("postrouting", fromAndTo(Sets.SAME), published(), fromAnyPort());
        leavesByThePublishedPort(IPV4, IPV4_SOURCE, 4, Sets.SENT);
        leavesByThePublishedPort(IPV6, IPV6_SOURCE, 16, Sets.SENT6);
        add("postrouting", Match.from(Sets.BRIDGES), notTo(Sets.BRIDGES), fromAnyPort());
    }

    private static List<Expression> fromAnyPort() {
        return List.of(
                Expressions.load(0, port(FIRST_PORT)),
                Expressions.load(4, port(LAST_PORT)),
                Expressions.masquerade(0, 4));
    }

    private void leavesByThePublishedPort(int family, int source, int length, Sets.Place sent) {
        int next = length / 4;
        add(
                "postrouting",
                Match.from(Sets.BRIDGES),
                notTo(Sets.BRIDGES),
                family(family),
                List.of(
                        Expressions.payload(Header.NETWORK, source, length, 0),
                        Expressions.meta(Meta.TRANSPORT, next),
                        Expressions.payload(Header.TRANSPORT, SOURCE_PORT, 2, next + 1),
                        Expressions.map(0, name(sent), 0),
                        Expressions.masquerade(0, 0)));
    }

    private static byte[] port(int number) {
        return Match.bytes(number >> 8, number);
    }

    /// What the host sends as if to begin a connection: for one that was ended it is the middle, and would be answered.
    private static List<Expression> severed(int target, int length, Sets.Place set) {
        int next = length / 4;
        return List.of(
                Expressions.payload(Header.NETWORK, target, length, 0),
                Expressions.meta(Meta.TRANSPORT, next),
                Expressions.payload(Header.TRANSPORT, SOURCE_PORT, 2, next + 1),
                Expressions.payload(Header.TRANSPORT, DESTINATION_PORT, 2, next + 2),
                Expressions.inSet(0, name(set)));
    }

    /// Bridges that others made after forwarding was turned on, as another engine's, which relies on it.
    private static List<Expression> laterBridge(Meta kind, Meta link) {
        byte[] bridge = ByteBuffer.allocate(KIND_BYTES)
                .put("bridge".getBytes(StandardCharsets.US_ASCII))
                .array();
        return List.of(
                Expressions.meta(kind, 0),
                Expressions.equal(0, bridge),
                Expressions.meta(link, 0),
                Expressions.notInSet(0, name(Sets.FORMER)));
    }

    /// What containers send to somewhere else.
    private void leaving() {
        String chain = "leaving";
        add(
                chain,
                family(IPV4),
                Match.is(payload(IPV4_DESTINATION, 2), 169, 254),
                EgressRules.target(),
                then(Expressions.notInSet(0, name(Sets.REACHED))),
                then(drop()));
        add(chain, state(ESTABLISHED), then(accept()));
        add(chain, state(RELATED), then(Expressions.go("errors")));
        // what the host routes back to the network that it came from
        add(chain, fromAndTo(Sets.OPEN), routed(), family(IPV4), then(Expressions.jump("next")));
        add(chain, fromAndTo(Sets.OPEN), routed(), family(IPV6), then(Expressions.jump("next6")));
        // with bridge-nf-call-iptables, frames between ports come here too; neighbor discovery is in no state
        add(chain, fromAndTo(Sets.OPEN), notState(NEW), then(accept()));
        add(chain, notState(NEW), then(drop()));
        egress.calls().forEach(call -> batch.rule(Family.INET, table, chain, call));
        add(chain, family(IPV4), then(Expressions.jump("begun")));
        add(chain, family(IPV6), then(Expressions.jump("begun6")));
        add(chain, fromAndTo(Sets.OPEN), then(accept()));
        add(
                chain,
                fromAndTo(Sets.SAME),
                family(IPV4),
                List.of(
                        Expressions.payload(Header.NETWORK, IPV4_SOURCE, 4, 0),
                        Expressions.payload(Header.NETWORK, IPV4_DESTINATION, 4, 1)),
                transportAndPort(2),
                then(Expressions.inSet(0, name(Sets.LINKED))),
                then(accept()));
        add(chain, Match.from(Sets.INTERNAL), then(drop()));
        add(chain, to(Sets.INTERNAL), then(drop()));
        add(chain, family(IPV4), then(Expressions.jump("next")));
        add(chain, family(IPV6), then(Expressions.jump("next6")));
        add(chain, published(), then(accept()));
        add(chain, to(Sets.BRIDGES), then(drop()));
        add(chain, then(Expressions.go("portless")));
    }

    /// Drops what leaves by a protocol without ports, as GRE, ESP and IP in IP: under the host's address it would be
    /// the
    /// host's own, and all that the other machine sends to a tunnel of the host's would be the answer to it.
    private void portless() {
        chain("portless");
        for (int protocol : WITH_PORTS) {
            add("portless", Match.transport(protocol), then(Expressions.back()));
        }
        add("portless", then(drop()));
    }

    /// Comes back with what a container sends to few neighbors of the host: all namespaces share one table of
    /// neighbors, which one that asks for addresses that nobody has would fill.
    private void neighbors(String chain, int family, int source, int length, Sets.Place next, Sets.Place rate) {
        chain(chain);
        add(chain, Expressions.withoutNeighbors(0), then(Expressions.back()));
        int behind = length / 4;
        List<Expression> sender = then(Expressions.payload(Header.NETWORK, source, length, 0));
        List<Expression> sent = rule(sender, then(Expressions.nextHop(family, behind)));
        add(chain, sent, then(Expressions.inSet(0, name(next))), then(Expressions.back()));
        add(
                chain,
                sender,
                then(Expressions.limitEach(0, name(rate), NEIGHBORS_PER_SECOND, NEIGHBORS_AT_ONCE)),
                then(Expressions.nextHop(family, behind)),
                then(Expressions.remember(0, name(next), NEIGHBOR_TIME)),
                then(Expressions.back()));
        add(chain, then(drop()));
    }

    /// Frames that were sent to the bridge itself, and not to another port of it.
    private static List<Expression> routed() {
        return List.of(
                Expressions.meta(Meta.INPUT_NAME, 0),
                Expressions.payload(Header.LINK, 0, 6, Match.NAME_REGISTERS),
                Expressions.inSet(0, name(Sets.ROUTERS)));
    }

    /// Lets pass what containers say of connections, as that packets are too big, if an address of their network is an
    /// end of it: whoever may send raw packets would tell the host and other networks of theirs.
    private void errors() {
        chain("errors");
        for (boolean six : new boolean[] {false, true}) {
            for (boolean answers : new boolean[] {false, true}) {
                add(
                        "errors",
                        family(six ? IPV6 : IPV4),
                        List.of(
                                Expressions.meta(Meta.INPUT_NAME, 0),
                                Expressions.connectionEnd(Match.NAME_REGISTERS, six, answers),
                                Expressions.inSet(0, name(six ? Sets.SUBNETS6 : Sets.SUBNETS))),
                        then(accept()));
            }
        }
        add("errors", then(drop()));
    }

    /// Comes back with a connection that its container may begin. Those of TCP that are closed the kernel does not
    /// count, but keeps: so they are begun at a rate, and kept for less long. A rate of datagrams would bound those
    /// that nobody answers, each of which is as if the first.
    private void begun(String chain, int source, int length, Sets.Place connections, Sets.Place rate) {
        chain(chain);
        List<Expression> sender = then(Expressions.payload(Header.NETWORK, source, length, 0));
        add(chain, sender, then(Expressions.moreConnectionsThan(0, name(connections), mostConnections)), then(drop()));
        add(
                chain,
                List.of(Expressions.meta(Meta.TRANSPORT, 0), Expressions.notEqual(0, Match.bytes(TCP))),
                then(Expressions.back()));
        add(
                chain,
                sender,
                then(Expressions.limitEach(0, name(rate), CONNECTIONS_PER_SECOND, CONNECTIONS_AT_ONCE)),
                forgetful ? then(Expressions.timeouts(Tables.CLOSED)) : List.of(),
                then(Expressions.back()));
        add(chain, then(drop()));
    }

    /// What others send to containers.
    private void entering() {
        String chain = "entering";
        add(chain, state(ESTABLISHED | RELATED), then(accept()));
        add(chain, notState(NEW), then(drop()));
        add(chain, to(Sets.INTERNAL), then(drop()));
        add(chain, published(), then(accept()));
        add(chain, then(drop()));
    }

    /// Lets containers send to the host an ICMP echo, what IPv6 finds its neighbors by, and what was led to a gate.
    private void host() {
        String chain = "host";
        add(chain, state(ESTABLISHED), then(accept()));
        add(chain, state(RELATED), then(Expressions.go("errors")));
        add(chain, icmp(Match.ICMPV6, NEIGHBOR_SOLICITATION), then(accept()));
        add(chain, icmp(Match.ICMPV6, NEIGHBOR_ADVERTISEMENT), then(accept()));
        add(chain, gated(), published(), then(Expressions.jump("begun")));
        add(chain, gated(), published(), then(accept()));
        add(chain, family(IPV4), hosted(4, IPV4_SOURCE, Sets.HOSTED), then(Expressions.jump("begun")));
        add(chain, family(IPV4), hosted(4, IPV4_SOURCE, Sets.HOSTED), toHostThere(), then(accept()));
        add(chain, family(IPV6), hosted(16, IPV6_SOURCE, Sets.HOSTED6), then(Expressions.jump("begun6")));
        add(chain, family(IPV6), hosted(16, IPV6_SOURCE, Sets.HOSTED6), toHostThere(), then(accept()));
        // each identifier of an echo is a connection
        add(chain, family(IPV4), then(Expressions.jump("begun")));
        add(chain, family(IPV6), then(Expressions.jump("begun6")));
        add(chain, family(IPV4), icmp(Match.ICMP, ECHO), toHostThere(), then(accept()));
        add(chain, family(IPV6), icmp(Match.ICMPV6, ECHO_6), toHostThere(), then(accept()));
        add(chain, then(drop()));
    }

    /// Accepts packets of a container to a port of the host that it may reach.
    private static List<Expression> hosted(int length, int source, Sets.Place set) {
        int next = length / 4;
        return List.of(
                Expressions.payload(Header.NETWORK, source, length, 0),
                Expressions.meta(Meta.TRANSPORT, next),
                Expressions.payload(Header.TRANSPORT, DESTINATION_PORT, 2, next + 1),
                Expressions.inSet(0, name(set)));
    }

    /// Connections that a container has begun to one of its gates. Leaves where they are led in the registers.
    private static List<Expression> gated() {
        return rule(family(IPV4), EgressRules.target(), then(Expressions.map(0, name(Sets.GATED), 0)));
    }

    /// Leads what is sent to a published port to its container.
    private void translations(String chain) {
        translation(chain, IPV4, IPV4_DESTINATION, 4, Sets.PUBLISHED);
        translation(chain, IPV6, IPV6_DESTINATION, 16, Sets.PUBLISHED6);
        var notLoopback = List.of(payload(IPV4_DESTINATION, 1), Expressions.notEqual(0, Match.bytes(127)));
        add(chain, family(IPV4), notLoopback, toHost(), transportAndPort(0), toMapped(IPV4, 0, 1, Sets.PUBLISHED_ANY));
        byte[] loopback = new byte[16];
        loopback[15] = 1;
        add(
                chain,
                family(IPV6),
                List.of(
                        Expressions.payload(Header.NETWORK, IPV6_DESTINATION, 16, 0),
                        Expressions.notEqual(0, loopback)),
                toHost(),
                transportAndPort(0),
                toMapped(IPV6, 0, 4, Sets.PUBLISHED_ANY6));
    }

    private void translation(String chain, int family, int offset, int length, Sets.Place map) {
        add(
                chain,
                family(family),
                List.of(Expressions.payload(Header.NETWORK, offset, length, 0)),
                transportAndPort(length / 4),
                toMapped(family, 0, length / 4, map));
    }

    private static List<Expression> transportAndPort(int register) {
        return List.of(
                Expressions.meta(Meta.TRANSPORT, register),
                Expressions.payload(Header.TRANSPORT, DESTINATION_PORT, 2, register + 1));
    }

    private static List<Expression> toMapped(int family, int address, int port, Sets.Place map) {
        return List.of(
                Expressions.map(address, name(map), address), Expressions.translate(family, address, address + port));
    }

    private static Expression payload(int offset, int length) {
        return Expressions.payload(Header.NETWORK, offset, length, 0);
    }

    private static List<Expression> in(Sets.Place set, int offset, int length) {
        return List.of(payload(offset, length), Expressions.inSet(0, name(set)));
    }

    private void chain(String name) {
        batch.chain(Family.INET, table, name);
    }

    private void base(String name, String type, Hook hook, int priority) {
        batch.chain(Family.INET, table, name, type, hook, priority);
    }

    @SafeVarargs
    private void add(String chain, List<Expression>... parts) {
        batch.rule(Family.INET, table, chain, rule(parts));
    }
}
