package dev.caisson.network;

import static dev.caisson.network.nft.Expressions.accept;
import static dev.caisson.network.nft.Expressions.back;
import static dev.caisson.network.nft.Expressions.connectionEnd;
import static dev.caisson.network.nft.Expressions.connectionPort;
import static dev.caisson.network.nft.Expressions.connectionProtocol;
import static dev.caisson.network.nft.Expressions.connectionState;
import static dev.caisson.network.nft.Expressions.connectionStatus;
import static dev.caisson.network.nft.Expressions.connectionTarget;
import static dev.caisson.network.nft.Expressions.connectionTarget6;
import static dev.caisson.network.nft.Expressions.counter;
import static dev.caisson.network.nft.Expressions.destinationType;
import static dev.caisson.network.nft.Expressions.destinationTypeThere;
import static dev.caisson.network.nft.Expressions.drop;
import static dev.caisson.network.nft.Expressions.equal;
import static dev.caisson.network.nft.Expressions.go;
import static dev.caisson.network.nft.Expressions.inSet;
import static dev.caisson.network.nft.Expressions.jump;
import static dev.caisson.network.nft.Expressions.limit;
import static dev.caisson.network.nft.Expressions.limitEach;
import static dev.caisson.network.nft.Expressions.load;
import static dev.caisson.network.nft.Expressions.log;
import static dev.caisson.network.nft.Expressions.map;
import static dev.caisson.network.nft.Expressions.mask;
import static dev.caisson.network.nft.Expressions.masquerade;
import static dev.caisson.network.nft.Expressions.meta;
import static dev.caisson.network.nft.Expressions.moreBytesThan;
import static dev.caisson.network.nft.Expressions.moreConnectionsThan;
import static dev.caisson.network.nft.Expressions.nextHop;
import static dev.caisson.network.nft.Expressions.notEqual;
import static dev.caisson.network.nft.Expressions.notInSet;
import static dev.caisson.network.nft.Expressions.payload;
import static dev.caisson.network.nft.Expressions.reject;
import static dev.caisson.network.nft.Expressions.remember;
import static dev.caisson.network.nft.Expressions.set;
import static dev.caisson.network.nft.Expressions.translate;
import static dev.caisson.network.nft.Expressions.translatePort;
import static dev.caisson.network.nft.Expressions.untracked;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.nft.Batch;
import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.Expression;
import dev.caisson.network.nft.Expressions;
import dev.caisson.network.nft.Expressions.Header;
import dev.caisson.network.nft.Expressions.Meta;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Each of our expressions is what nft(8) makes of a rule that says the same, as the kernel then has both.
@Tag("root")
class NftOracleTest extends OnAHost {
    private static final String SETS = """
            set names { type ifname; }
            set pairs { type ifname . ifname; }
            set v4 { type ipv4_addr; }
            set v6 { type ipv6_addr; }
            set each { type ipv4_addr; size 1000; flags dynamic; }
            set held { type ipv4_addr; size 1000; flags dynamic; }
            set seen { type ipv4_addr; size 1000; flags dynamic,timeout; }
            set seen6 { type ipv6_addr; size 1000; flags dynamic,timeout; }
            map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
            map ports6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
            ct timeout brief { protocol tcp; l3proto ip; policy = { time_wait: 10, close: 10 }; }
            chain to { }
            """;

    /// Rules in the words of nft, with ours.
    private static final Map<String, List<Expression>> RULES = Map.ofEntries(
            Map.entry("ct timeout set brief", List.of(Expressions.timeouts("brief"))),
            Map.entry("iifname @names accept", List.of(meta(Meta.INPUT_NAME, 0), inSet(0, "names"), accept())),
            Map.entry("oifname != @names drop", List.of(meta(Meta.OUTPUT_NAME, 0), notInSet(0, "names"), drop())),
            Map.entry(
                    "iifname . oifname @pairs return",
                    List.of(meta(Meta.INPUT_NAME, 0), meta(Meta.OUTPUT_NAME, 4), inSet(0, "pairs"), back())),
            Map.entry(
                    "meta nfproto ipv4 ip saddr @v4 jump to",
                    List.of(
                            meta(Meta.FAMILY, 0),
                            equal(0, bytes("02")),
                            payload(Header.NETWORK, 12, 4, 0),
                            inSet(0, "v4"),
                            jump("to"))),
            Map.entry(
                    "meta nfproto ipv6 ip6 daddr @v6 goto to",
                    List.of(
                            meta(Meta.FAMILY, 0),
                            equal(0, bytes("0a")),
                            payload(Header.NETWORK, 24, 16, 0),
                            inSet(0, "v6"),
                            go("to"))),
            Map.entry(
                    "meta l4proto tcp th dport 80 accept",
                    List.of(
                            meta(Meta.TRANSPORT, 0),
                            equal(0, bytes("06")),
                            payload(Header.TRANSPORT, 2, 2, 0),
                            equal(0, bytes("0050")),
                            accept())),
            Map.entry(
                    "meta l4proto ipv6-icmp icmpv6 type nd-router-advert drop",
                    List.of(
                            meta(Meta.TRANSPORT, 0),
                            equal(0, bytes("3a")),
                            payload(Header.TRANSPORT, 0, 1, 0),
                            equal(0, bytes("86")),
                            drop())),
            Map.entry("meta l4proto != udp drop", List.of(meta(Meta.TRANSPORT, 0), notEqual(0, bytes("11")), drop())),
            Map.entry(
                    "ct state established,related accept",
                    List.of(
                            connectionState(0),
                            mask(0, number(Expressions.ESTABLISHED | Expressions.RELATED)),
                            notEqual(0, number(0)),
                            accept())),
            Map.entry(
                    "ct state ! new drop",
                    List.of(connectionState(0), mask(0, number(Expressions.NEW)), equal(0, number(0)), drop())),
            Map.entry(
                    "ct status dnat accept",
                    List.of(
                            connectionStatus(0),
                            mask(0, number(Expressions.TRANSLATED)),
                            notEqual(0, number(0)),
                            accept())),
            Map.entry("ct protocol tcp accept", List.of(connectionProtocol(0), equal(0, bytes("06")), accept())),
            Map.entry("ct original ip daddr @v4 accept", List.of(connectionTarget(0), inSet(0, "v4"), accept())),
            Map.entry("ct original ip6 daddr @v6 accept", List.of(connectionTarget6(0), inSet(0, "v6"), accept())),
            Map.entry(
                    "ct original ip saddr @v4 accept",
                    List.of(connectionEnd(0, false, false), inSet(0, "v4"), accept())),
            Map.entry("ct reply ip6 saddr @v6 accept", List.of(connectionEnd(0, true, true), inSet(0, "v6"), accept())),
            Map.entry("ct original proto-dst 80 accept", List.of(connectionPort(0), equal(0, bytes("0050")), accept())),
            Map.entry("fib daddr type local drop", List.of(destinationType(0), equal(0, number(2)), drop())),
            Map.entry("fib daddr . iif type local drop", List.of(destinationTypeThere(0), equal(0, number(2)), drop())),
            Map.entry(
                    "meta l4proto udp masquerade to :32768-60999",
                    List.of(
                            meta(Meta.TRANSPORT, 0),
                            equal(0, bytes("11")),
                            load(0, bytes("8000")),
                            load(4, bytes("ee47")),
                            masquerade(0, 4))),
            Map.entry("counter drop", List.of(counter(), drop())),
            Map.entry("reject with icmpx admin-prohibited", List.of(reject())),
            Map.entry("log prefix \"x y\" group 7 snaplen 96", List.of(log(7, "x y", 96))),
            Map.entry("limit rate 10/second burst 20 packets accept", List.of(limit(10, 20), accept())),
            Map.entry(
                    "limit rate over 1000 bytes/second burst 256 bytes drop",
                    List.of(moreBytesThan(1000, 256), drop())),
            Map.entry(
                    "meta nfproto ipv4 add @each { ip saddr limit rate 10/second burst 20 packets } accept",
                    List.of(
                            meta(Meta.FAMILY, 0),
                            equal(0, bytes("02")),
                            payload(Header.NETWORK, 12, 4, 0),
                            limitEach(0, "each", 10, 20),
                            accept())),
            Map.entry(
                    "meta nfproto ipv4 add @held { ip saddr ct count over 4096 } drop",
                    List.of(
                            meta(Meta.FAMILY, 0),
                            equal(0, bytes("02")),
                            payload(Header.NETWORK, 12, 4, 0),
                            moreConnectionsThan(0, "held", 4096),
                            drop())),
            Map.entry(
                    "update @seen { rt ip nexthop timeout 5s } accept",
                    List.of(nextHop(2, 0), remember(0, "seen", Duration.ofSeconds(5)), accept())),
            Map.entry(
                    "update @seen6 { rt ip6 nexthop timeout 5s } accept",
                    List.of(nextHop(10, 0), remember(0, "seen6", Duration.ofSeconds(5)), accept())),
            Map.entry("ct count over 8192 drop", List.of(moreConnectionsThan(8192), drop())),
            Map.entry("notrack", List.of(untracked())),
            Map.entry(
                    "meta l4proto udp dnat to :5353",
                    List.of(
                            meta(Meta.TRANSPORT, 0),
                            equal(0, bytes("11")),
                            load(0, bytes("14e9")),
                            translatePort(1, 0))),
            Map.entry(
                    "meta priority set meta priority and 0xffff or 0xca150000",
                    List.of(
                            meta(Meta.PRIORITY, 0),
                            mask(0, number(0xffff), number(0xca15_0000)),
                            set(Meta.PRIORITY, 0))),
            Map.entry(
                    "dnat ip to meta l4proto . th dport map @ports",
                    List.of(
                            meta(Meta.TRANSPORT, 0),
                            payload(Header.TRANSPORT, 2, 2, 1),
                            map(0, "ports", 0),
                            translate(2, 0, 1))),
            Map.entry(
                    "dnat ip6 to meta l4proto . th dport map @ports6",
                    List.of(
                            meta(Meta.TRANSPORT, 0),
                            payload(Header.TRANSPORT, 2, 2, 1),
                            map(0, "ports6", 0),
                            translate(10, 0, 4))));

    @Test
    void each_expression_is_what_nft_makes_of_the_same_rule() {
        List<String> texts = RULES.keySet().stream().sorted().toList();
        var theirs = new StringBuilder("table inet theirs {\n" + SETS);
        var ours = new StringBuilder("table inet ours {\n" + SETS);
        var batch = new Batch();
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i);
            theirs.append("chain c").append(i).append(" { ").append(text).append("; }\n");
            ours.append("chain c").append(i).append(" { }\n");
            batch.rule(Family.INET, "ours", "c" + i, Objects.requireNonNull(RULES.get(text)));
        }
        bed.host.sh("nft -f - <<'E'\n" + theirs + "}\n" + ours + "}\nE");

        bed.host.call(() -> {
            try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER)) {
                batch.commit(socket, "rules of a test");
            }
            return null;
        });

        for (int i = 0; i < texts.size(); i++) {
            assertThat(expressions("ours", i)).as(texts.get(i)).isNotEmpty().isEqualTo(expressions("theirs", i));
        }
    }

    /// Returns what the kernel has in a chain, an expression a line, as nft prints it for those who debug.
    private List<String> expressions(String table, int chain) {
        return bed.host
                .sh("nft --debug=netlink list chain inet " + table + " c" + chain)
                .lines()
                .filter(line -> line.startsWith("  ["))
                .toList();
    }

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }
}
