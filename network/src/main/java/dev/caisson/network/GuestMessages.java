package dev.caisson.network;

import dev.caisson.linux.NetlinkWriter;
import dev.caisson.network.nft.Batch;
import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.Batch.Hook;
import dev.caisson.network.nft.Expression;
import dev.caisson.network.nft.Expressions;
import dev.caisson.network.nft.Expressions.Header;
import dev.caisson.network.nft.Expressions.Meta;
import dev.caisson.network.nft.SetForm;
import dev.caisson.network.route.RouteMessages;
import dev.caisson.spec.Subnet;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Netlink messages that a container's first process sends within its own network namespace. They are made ahead, as
/// bytes: who sends them decides nothing.
public final class GuestMessages {
    /// The address at which programs of a container find their resolver.
    public static final InetAddress RESOLVER = AddressText.parse("127.0.0.11").orElseThrow();

    private static final int DNS = 53;
    private static final Subnet EVERYWHERE_4 = Subnet.parse("0.0.0.0/0");
    private static final Subnet EVERYWHERE_6 = Subnet.parse("::/0");
    private static final String TABLE = "caisson";
    private static final String QUESTIONS = "questions";
    private static final String OTHERS = "others";
    private static final String ARRIVING = "arriving";
    private static final String BOUND = "bound";
    private static final String TIMES = "net/netfilter/nf_conntrack_";
    private static final String ANSWER_TIME = "6";
    private static final int MOST_QUESTIONS = 8192;
    /// Before the kernel tracks connections, if rules of the container have it do that.
    private static final int RAW = -300;
    /// After that.
    private static final int MANGLE = -150;
    private static final int NAT = -100;
    private static final int FILTER = 0;
    private static final int IPV4 = 2;
    private static final int IPV6 = 10;
    private static final int IPV4_SOURCE = 12;
    private static final int IPV4_DESTINATION = 16;
    private static final int IPV6_DESTINATION = 24;
    private static final int SOURCE_PORT = 0;
    private static final int DESTINATION_PORT = 2;
    private static final byte[] STATE_NEW = ByteBuffer.allocate(4)
            .order(ByteOrder.nativeOrder())
            .putInt(Expressions.NEW)
            .array();
    private static final byte MULTICAST_6 = (byte) 0xff;
    private static final String NEIGHBORS = "neighbors";
    private static final int MOST_NEIGHBORS = 256;
    private static final Duration NEIGHBOR_TIME = Duration.ofSeconds(5);

    private GuestMessages() {}

    /// Returns requests of rtnetlink(7) that set up the links of a container: RTM_NEWADDR, RTM_SETLINK and
    /// RTM_NEWROUTE, each to be acknowledged. The first network of a family that leads out has the default
    /// route.
    public static byte[] links(List<Attachment> attachments) {
        var messages = new RouteMessages();
        for (Attachment one : attachments) {
            one.ip6().ifPresent(address -> address(messages, one, address));
            one.ip4().ifPresent(address -> address(messages, one, address));
            messages.up(one.guestIndex());
        }
        for (boolean six : new boolean[] {false, true}) {
            Optional<Attachment> leading = leadingOut(attachments, six);
            for (Attachment one : attachments) {
                of(one, six)
                        .ifPresent(address -> routes(
                                messages,
                                one,
                                address,
                                leading.filter(one::equals).isPresent()));
            }
        }
        return messages.messages().toBytes();
    }

    /// Returns requests that set up the link of one place of a container that runs.
    ///
    /// @param attachments all of its places, with that one
    public static byte[] linked(List<Attachment> attachments, Attachment added) {
        var messages = new RouteMessages();
        added.ip6().ifPresent(address -> address(messages, added, address));
        added.ip4().ifPresent(address -> address(messages, added, address));
        messages.up(added.guestIndex());
        for (boolean six : new boolean[] {false, true}) {
            of(added, six)
                    .ifPresent(address -> routes(
                            messages,
                            added,
                            address,
                            leadingOut(attachments, six).filter(added::equals).isPresent()));
        }
        return messages.messages().toBytes();
    }

    /// Returns requests that lead a container that runs out by another network, once the link of one place is gone;
    /// empty if none leads elsewhere than before.
    ///
    /// @param attachments all of its places, with that one
    public static Optional<byte[]> unlinked(List<Attachment> attachments, Attachment removed) {
        List<Attachment> left =
                attachments.stream().filter(one -> !one.equals(removed)).toList();
        var messages = new RouteMessages();
        for (boolean six : new boolean[] {false, true}) {
            Optional<Attachment> next = leadingOut(left, six);
            if (next.isPresent()
                    && leadingOut(attachments, six).filter(removed::equals).isPresent()) {
                messages.replaceRoute(
                        next.get().guestIndex(),
                        six ? EVERYWHERE_6 : EVERYWHERE_4,
                        of(next.get(), six).orElseThrow().gateway());
            }
        }
        return Optional.of(messages.messages())
                .filter(made -> made.messages() > 0)
                .map(NetlinkWriter::toBytes);
    }

    /// Returns the place that has the default route of a family.
    private static Optional<Attachment> leadingOut(List<Attachment> attachments, boolean six) {
        return attachments.stream()
                .filter(one -> !one.internal() && of(one, six).isPresent())
                .findFirst();
    }

    private static Optional<Attachment.Address> of(Attachment place, boolean six) {
        return six ? place.ip6() : place.ip4();
    }

    private static void address(RouteMessages messages, Attachment one, Attachment.Address address) {
        messages.address(one.guestIndex(), address.address(), one.prefix(address), !one.isolated());
    }

    private static void routes(RouteMessages messages, Attachment one, Attachment.Address address, boolean leadsOut) {
        if (one.isolated()) {
            messages.routeOnLink(one.guestIndex(), Subnet.around(address.gateway(), one.prefix(address)));
            messages.routeThrough(one.guestIndex(), address.subnet(), address.gateway());
        }
        if (leadsOut) {
            messages.routeThrough(
                    one.guestIndex(), address.subnet().isIpv6() ? EVERYWHERE_6 : EVERYWHERE_4, address.gateway());
        }
    }

    /// Returns one batch of nfnetlink that drops what a container sends to more than 256 neighbors of a family
    /// within five seconds. The kernel has one table of neighbors for all namespaces, the host's too, of 1,024
    /// entries as a rule (`gc_thresh3`, arp(7)): one that sends to addresses that nobody has would fill it, and
    /// then nobody finds a neighbor any more. Multicast of IPv6, by which neighbors are found, takes no place
    /// there that the kernel would not take back. For a namespace that has no such rules yet.
    public static byte[] neighbors() {
        return neighbors(new Batch());
    }

    /// The same for a container that runs and may have such rules: they are replaced. Whoever closes the socket by
    /// which a table was removed waits until the kernel has cleared it up, which takes ten milliseconds.
    public static byte[] neighborsAgain() {
        return neighbors(new Batch().table(Family.INET, TABLE).deleteTable(Family.INET, TABLE));
    }

    private static byte[] neighbors(Batch batch) {
        var near = SetForm.set(NEIGHBORS, SetForm.Part.IPV4).remembering(MOST_NEIGHBORS);
        var near6 = SetForm.set(NEIGHBORS + "6", SetForm.Part.IPV6).remembering(MOST_NEIGHBORS);
        batch.table(Family.INET, TABLE)
                .set(Family.INET, TABLE, near)
                .set(Family.INET, TABLE, near6)
                .chain(Family.INET, TABLE, NEIGHBORS, "filter", Hook.OUTPUT, FILTER);
        neighbors(batch, Expressions.withoutNeighbors(0));
        neighbors(
                batch,
                List.of(
                        Expressions.meta(Meta.FAMILY, 0),
                        Expressions.equal(0, new byte[] {IPV6}),
                        Expressions.payload(Header.NETWORK, IPV6_DESTINATION, 1, 0),
                        Expressions.equal(0, new byte[] {MULTICAST_6})));
        neighbors(batch, List.of(Expressions.nextHop(IPV4, 0), Expressions.remember(0, near.name(), NEIGHBOR_TIME)));
        neighbors(batch, List.of(Expressions.nextHop(IPV6, 0), Expressions.remember(0, near6.name(), NEIGHBOR_TIME)));
        batch.rule(Family.INET, TABLE, NEIGHBORS, List.of(Expressions.drop()));
        return batch.toBytes();
    }

    private static void neighbors(Batch batch, List<Expression> match) {
        batch.rule(Family.INET, TABLE, NEIGHBORS, with(match, Expressions.accept()));
    }

    /// Returns one batch of nfnetlink that leads what is sent to port 53 of [#RESOLVER], by UDP and TCP, to other
    /// ports of it, so that a container can have a server of its own at port 53. That is translation (nat), for
    /// which the kernel keeps an entry of each connection, in memory that nobody is charged for: of questions it
    /// keeps 8,192 at most, and those beyond are dropped. A kernel may refuse to write into packets within a user
    /// namespace, so that translation without entries is not for containers.
    ///
    /// @param tracks true if the container may have rules of its own, which track all its connections; else nothing
    ///     but questions to the resolver and their answers is tracked
    public static byte[] resolver(int udpPort, int tcpPort, boolean tracks) {
        var batch = new Batch().table(Family.IPV4, TABLE);
        if (!tracks) {
            batch.chain(Family.IPV4, TABLE, OTHERS, "filter", Hook.OUTPUT, RAW);
            for (Transport transport : Transport.values()) {
                accept(batch, question(transport));
                accept(batch, answer(transport, transport == Transport.UDP ? udpPort : tcpPort));
            }
            batch.rule(Family.IPV4, TABLE, OTHERS, List.of(Expressions.untracked()))
                    .chain(Family.IPV4, TABLE, ARRIVING, "filter", Hook.PREROUTING, RAW)
                    .rule(Family.IPV4, TABLE, ARRIVING, List.of(Expressions.untracked()));
        }
        batch.chain(Family.IPV4, TABLE, BOUND, "filter", Hook.OUTPUT, MANGLE)
                .chain(Family.IPV4, TABLE, QUESTIONS, "nat", Hook.OUTPUT, NAT);
        for (Transport transport : Transport.values()) {
            bound(batch, transport);
            lead(batch, transport, transport == Transport.UDP ? udpPort : tcpPort);
        }
        return batch.toBytes();
    }

    /// Returns for how many seconds the kernel keeps what [#resolver] has it track, by the setting's path below
    /// /proc/sys: no longer than somebody waits for an answer, nor than the connection is there.
    public static Map<String, String> resolverTimes() {
        return Map.of(
                TIMES + "udp_timeout", ANSWER_TIME,
                TIMES + "udp_timeout_stream", ANSWER_TIME,
                TIMES + "tcp_timeout_time_wait", "1");
    }

    private static void accept(Batch batch, List<Expression> match) {
        batch.rule(Family.IPV4, TABLE, OTHERS, with(match, Expressions.accept()));
    }

    private static void bound(Batch batch, Transport transport) {
        var rule = new ArrayList<>(question(transport));
        rule.add(Expressions.connectionState(0));
        rule.add(Expressions.mask(0, STATE_NEW));
        rule.add(Expressions.notEqual(0, new byte[STATE_NEW.length]));
        rule.add(Expressions.moreConnectionsThan(MOST_QUESTIONS));
        batch.rule(Family.IPV4, TABLE, BOUND, with(rule, Expressions.drop()));
    }

    private static void lead(Batch batch, Transport transport, int port) {
        var rule = new ArrayList<>(question(transport));
        rule.add(Expressions.load(0, port(port)));
        batch.rule(Family.IPV4, TABLE, QUESTIONS, with(rule, Expressions.translatePort(IPV4, 0)));
    }

    private static List<Expression> question(Transport transport) {
        return resolverAt(transport, IPV4_DESTINATION, DESTINATION_PORT, DNS);
    }

    private static List<Expression> answer(Transport transport, int port) {
        return resolverAt(transport, IPV4_SOURCE, SOURCE_PORT, port);
    }

    /// Goes on where the resolver's address and a port of it are at one end of a packet.
    private static List<Expression> resolverAt(Transport transport, int address, int offset, int port) {
        return List.of(
                Expressions.payload(Header.NETWORK, address, 4, 0),
                Expressions.equal(0, RESOLVER.getAddress()),
                Expressions.meta(Meta.TRANSPORT, 0),
                Expressions.equal(0, new byte[] {(byte) transport.number()}),
                Expressions.payload(Header.TRANSPORT, offset, 2, 0),
                Expressions.equal(0, port(port)));
    }

    private static List<Expression> with(List<Expression> match, Expression verdict) {
        var rule = new ArrayList<>(match);
        rule.add(verdict);
        return rule;
    }

    private static byte[] port(int port) {
        return new byte[] {(byte) (port >> 8), (byte) port};
    }
}
