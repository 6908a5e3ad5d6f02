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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
    private static final String ANSWERS = "answers";
    /// Before the kernel tracks connections, if rules of the container have it do that.
    private static final int RAW = -300;
    /// After that.
    private static final int MANGLE = -150;
    private static final int FILTER = 0;
    private static final int IPV4 = 2;
    private static final int IPV6 = 10;
    private static final int IPV4_SOURCE = 12;
    private static final int IPV4_DESTINATION = 16;
    private static final int IPV6_DESTINATION = 24;
    private static final int SOURCE_PORT = 0;
    private static final int DESTINATION_PORT = 2;
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
        var rule = new ArrayList<>(match);
        rule.add(Expressions.accept());
        batch.rule(Family.INET, TABLE, NEIGHBORS, rule);
    }

    /// Returns one batch of nfnetlink that leads what is sent to port 53 of [#RESOLVER], by UDP and TCP, to other
    /// ports of it, so that a container can have a server of its own at port 53. Ports are written into each
    /// packet, there and back: translation (nat) would have the kernel keep an entry for each connection of the
    /// container, those to itself too, in memory that nobody is charged for. A container that tracks connections
    /// itself sees both ways with port 53, as one connection.
    public static byte[] resolver(int udpPort, int tcpPort) {
        var batch = new Batch()
                .table(Family.IPV4, TABLE)
                .chain(Family.IPV4, TABLE, QUESTIONS, "filter", Hook.OUTPUT, MANGLE)
                .chain(Family.IPV4, TABLE, ANSWERS, "filter", Hook.OUTPUT, RAW);
        redirect(batch, Transport.UDP, udpPort);
        redirect(batch, Transport.TCP, tcpPort);
        return batch.toBytes();
    }

    private static void redirect(Batch batch, Transport transport, int port) {
        rewrite(batch, QUESTIONS, transport, IPV4_DESTINATION, DESTINATION_PORT, DNS, port);
        rewrite(batch, ANSWERS, transport, IPV4_SOURCE, SOURCE_PORT, port, DNS);
    }

    /// Writes another port where the resolver's address is at one end of a packet.
    private static void rewrite(
            Batch batch, String chain, Transport transport, int address, int offset, int port, int written) {
        var rule = new ArrayList<Expression>();
        rule.add(Expressions.payload(Header.NETWORK, address, 4, 0));
        rule.add(Expressions.equal(0, RESOLVER.getAddress()));
        rule.add(Expressions.meta(Meta.TRANSPORT, 0));
        rule.add(Expressions.equal(0, new byte[] {(byte) transport.number()}));
        rule.add(Expressions.payload(Header.TRANSPORT, offset, 2, 0));
        rule.add(Expressions.equal(0, port(port)));
        rule.add(Expressions.load(0, port(written)));
        rule.add(Expressions.write(0, offset, 2));
        batch.rule(Family.IPV4, TABLE, chain, rule);
    }

    private static byte[] port(int port) {
        return new byte[] {(byte) (port >> 8), (byte) port};
    }
}
