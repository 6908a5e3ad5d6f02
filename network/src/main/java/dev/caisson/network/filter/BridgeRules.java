package dev.caisson.network.filter;

import static dev.caisson.network.filter.Match.icmp;
import static dev.caisson.network.filter.Match.name;
import static dev.caisson.network.filter.Match.rule;
import static dev.caisson.network.filter.Match.then;
import static dev.caisson.network.filter.Match.transport;
import static dev.caisson.network.nft.Expressions.accept;
import static dev.caisson.network.nft.Expressions.drop;

import dev.caisson.network.nft.Batch;
import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.Batch.Hook;
import dev.caisson.network.nft.Expression;
import dev.caisson.network.nft.Expressions;
import dev.caisson.network.nft.Expressions.Header;
import dev.caisson.network.nft.Expressions.Meta;
import java.time.Duration;
import java.util.List;

/// The rules for frames that come from containers: nobody sends in the name of another, and nobody is a router or a
/// server of addresses to the others. Frames of other bridges' ports pass.
final class BridgeRules {
    /// Before the bridge learns which port a hardware address is at.
    static final int FIRST = -300;

    private static final int SOURCE = 6;
    private static final int DHCP_SERVER = 67;
    private static final int DHCPV6_SERVER_HIGH = 2;
    private static final int DHCPV6_SERVER_LOW = 35;
    private static final int ROUTER_SOLICITATION = 133;
    private static final int ROUTER_ADVERTISEMENT = 134;
    private static final int NEIGHBOR_SOLICITATION = 135;
    private static final int NEIGHBOR_ADVERTISEMENT = 136;
    private static final int REDIRECT = 137;
    private static final int REDIRECT_4 = 5;
    private static final int IPV6_SOURCE = 8;
    private static final int ADDRESS_REGISTER = Match.NAME_REGISTERS + 2;

    /// The kernel waits 30 seconds for parts that are missing.
    private static final Duration HOLD = Duration.ofSeconds(4);

    private final Batch batch;
    private final String table;

    BridgeRules(Batch batch, String table) {
        this.batch = batch;
        this.table = table;
    }

    void write() {
        for (String chain : List.of("guest", "arp", "ip4", "ip6", "neighbor")) {
            batch.chain(Family.BRIDGE, table, chain);
        }
        add("guest", Seen.sign(Seen.BRIDGE));
        // A part that is dropped leaves the others in the memory of whoever puts the packet together. So on the way to
        // the host all parts pass, and the whole packet is bounded there; between containers see parts().
        add("guest", Match.part4(), Seen.sign(Seen.BRIDGE_PART), then(Expressions.go("ip4")));
        add("guest", Match.part6(), Seen.sign(Seen.BRIDGE_PART), then(Expressions.go("ip6")));
        add("guest", Match.from(Sets.RATE_OUT), then(drop())); // an element is found while there is too much
        add("guest", Match.frame4(), then(Expressions.go("ip4")));
        add("guest", Match.frame6(), then(Expressions.go("ip6")));
        add("guest", Match.is(link(Match.TYPE, 2), 0x08, 0x06), then(Expressions.go("arp")));
        add("guest", then(drop()));
        ip4();
        arp();
        ip6();
        neighbor();
        batch.chain(Family.BRIDGE, table, "prerouting", "filter", Hook.PREROUTING, FIRST);
        add("prerouting", Match.from(Sets.PORTS), then(Expressions.go("guest")));
        batch.chain(Family.BRIDGE, table, "postrouting", "filter", Hook.POSTROUTING, FIRST);
        add("postrouting", Match.to(Sets.RATE_IN), then(drop()));
        parts();
        redirects();
    }

    /// Parts between containers are held back for a while where they are too many, so that few packets are left
    /// of which some parts came through. The host takes no parts of packets that are for all or many: of a
    /// flood of them some are lost before it.
    private void parts() {
        batch.chain(Family.BRIDGE, table, "forward", "filter", Hook.FORWARD, FIRST);
        batch.chain(Family.BRIDGE, table, "input", "filter", Hook.INPUT, FIRST);
        byte[] group = Match.bytes(1);
        for (List<Expression> part : List.of(Match.part4(), Match.part6())) {
            add("forward", part, Match.from(Sets.HELD), then(drop()));
            add(
                    "forward",
                    part,
                    Match.from(Sets.RATE_OUT),
                    then(Expressions.remember(0, name(Sets.HELD), HOLD)),
                    then(drop()));
            add(
                    "input",
                    part,
                    List.of(link(0, 1), Expressions.mask(0, group), Expressions.equal(0, group)),
                    Match.from(Sets.PORTS),
                    then(drop()));
        }
    }

    /// The host does not say that containers are on one link: on isolated ports they are not.
    private void redirects() {
        batch.chain(Family.BRIDGE, table, "output", "filter", Hook.OUTPUT, FIRST);
        add("output", Match.to(Sets.PORTS), Match.frame4(), icmp(Match.ICMP, REDIRECT_4), then(drop()));
        add("output", Match.to(Sets.PORTS), Match.frame6(), icmp(Match.ICMPV6, REDIRECT), then(drop()));
    }

    private void ip4() {
        int protocol = 9;
        int source = 12;
        add(
                "ip4",
                Match.is(network(protocol, 1), Match.UDP),
                Match.is(Expressions.payload(Header.TRANSPORT, 0, 2, 0), 0, DHCP_SERVER),
                then(drop()));
        add("ip4", icmp(Match.ICMP, REDIRECT_4), then(drop()));
        add(
                "ip4",
                sender(Header.LINK, SOURCE),
                address(Header.NETWORK, source, 4),
                member(Sets.MEMBERS),
                then(accept()));
        add("ip4", then(drop()));
    }

    /// Ethernet and IPv4 alone; the sender must be right in the frame as well as in the message.
    private void arp() {
        int senderHardware = 8;
        int sender = 14;
        add(
                "arp",
                Match.is(network(0, 6), 0, 1, 8, 0, 6, 4),
                sender(Header.LINK, SOURCE),
                address(Header.NETWORK, sender, 4),
                member(Sets.MEMBERS),
                sender(Header.NETWORK, senderHardware),
                member(Sets.MEMBERS),
                then(accept()));
        add("arp", then(drop()));
    }

    private void ip6() {
        for (int type : new int[] {ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, REDIRECT}) {
            add("ip6", icmp(Match.ICMPV6, type), then(drop()));
        }
        add(
                "ip6",
                transport(Match.UDP),
                Match.is(Expressions.payload(Header.TRANSPORT, 0, 2, 0), DHCPV6_SERVER_HIGH, DHCPV6_SERVER_LOW),
                then(drop()));
        add("ip6", icmp(Match.ICMPV6, NEIGHBOR_SOLICITATION), then(Expressions.go("neighbor")));
        add("ip6", icmp(Match.ICMPV6, NEIGHBOR_ADVERTISEMENT), then(Expressions.go("neighbor")));
        add(
                "ip6",
                sender(Header.LINK, SOURCE),
                address(Header.NETWORK, IPV6_SOURCE, 16),
                member(Sets.MEMBERS6),
                then(accept()));
        add("ip6", then(drop()));
    }

    /// Messages of neighbor discovery, RFC 4861: without extension headers, with at most one option, which is the
    /// sender's hardware address; who advertises an address has it.
    private void neighbor() {
        int nextHeader = 6;
        int length = 4;
        int target = 8;
        int optionHardware = 26;
        int bare = 24;
        int withOption = 32;
        List<Expression> direct = Match.is(network(nextHeader, 1), Match.ICMPV6);
        List<Expression> honest =
                rule(sender(Header.LINK, SOURCE), address(Header.NETWORK, IPV6_SOURCE, 16), member(Sets.MEMBERS6));
        List<Expression> own = rule(address(Header.TRANSPORT, target, 16), member(Sets.MEMBERS6));
        List<Expression> option = rule(sender(Header.TRANSPORT, optionHardware), member(Sets.MEMBERS6));
        for (int type : new int[] {NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT}) {
            var claims = type == NEIGHBOR_ADVERTISEMENT ? own : List.<Expression>of();
            var kind = Match.is(Expressions.payload(Header.TRANSPORT, 0, 1, 0), type);
            add("neighbor", direct, kind, Match.is(network(length, 2), 0, bare), honest, claims, then(accept()));
            add(
                    "neighbor",
                    direct,
                    kind,
                    Match.is(network(length, 2), 0, withOption),
                    honest,
                    claims,
                    option,
                    then(accept()));
        }
        add("neighbor", then(drop()));
    }

    /// Reads the input port and the hardware address at an offset into the first registers.
    private static List<Expression> sender(Header header, int offset) {
        return List.of(
                Expressions.meta(Meta.INPUT_NAME, 0), Expressions.payload(header, offset, 6, Match.NAME_REGISTERS));
    }

    private static List<Expression> address(Header header, int offset, int length) {
        return List.of(Expressions.payload(header, offset, length, ADDRESS_REGISTER));
    }

    private static List<Expression> member(Sets.Place set) {
        return List.of(Expressions.inSet(0, name(set)));
    }

    private static Expression link(int offset, int length) {
        return Expressions.payload(Header.LINK, offset, length, 0);
    }

    private static Expression network(int offset, int length) {
        return Expressions.payload(Header.NETWORK, offset, length, 0);
    }

    @SafeVarargs
    private void add(String chain, List<Expression>... parts) {
        batch.rule(Family.BRIDGE, table, chain, rule(parts));
    }
}
