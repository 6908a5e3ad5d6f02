package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.Verifier;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// `verify` reads a container's own network back: what somebody changes there by hand is told.
@Tag("root")
@Tag("netns")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class NetworkInsideTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("inside"), OwnDirectories.data("inside"));
    private static final ContainerSpec SLEEP =
            ContainerSpec.onHost("sleep", "60").name("inside");

    private NetworkBed bed;
    private Engine engine;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(new NetworkSpec("both", List.of(), false, true, true, 0, Map.of())));
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void close() {
        try {
            engine.close();
        } finally {
            bed.close();
        }
    }

    private static Stream<Arguments> changes() {
        return Stream.of(
                Arguments.of("ip link set eth0 mtu 1300", "link eth0", "packets of 1300 bytes"),
                Arguments.of("ip link set eth0 address 02:00:00:00:00:99", "link eth0", "02:00:00:00:00:99"),
                Arguments.of("ip link del eth0", "link eth0", "missing"),
                Arguments.of("ip link set eth0 down && ip link set eth0 name other", "net/ipv6/conf/eth0/", "missing"),
                Arguments.of("ip link add other type veth peer name further", "link other", "down"),
                Arguments.of("ip addr add 10.99.0.1/24 dev eth0", "addresses", "10.99.0.1"),
                Arguments.of("ip addr add fd99::1/64 dev eth0", "addresses", "fd99::1"),
                Arguments.of("ip route add 192.0.2.0/24 dev eth0", "routes", "192.0.2.0/24"),
                Arguments.of("ip -6 route add 2001:db8::/32 dev eth0", "routes", "2001:db8::/32"),
                Arguments.of("ip rule add from 10.0.0.0/8 table 7", "rules of routing", "32765:7?"),
                Arguments.of("sysctl -qw net.ipv6.conf.eth0.accept_ra=2", "net/ipv6/conf/eth0/accept_ra", "2"),
                Arguments.of("sysctl -qw net.ipv4.ip_unprivileged_port_start=9", "ip_unprivileged_port_start", "9"),
                Arguments.of("sysctl -qw \"net.ipv4.ping_group_range=1 0\"", "ping_group_range", ""),
                Arguments.of("nft add table inet others", "packet filter tables", "inet others"),
                Arguments.of("nft add table inet caisson \"{ flags dormant; }\"", "packet filter tables", "dormant"),
                Arguments.of("nft delete table ip caisson", "packet filter tables", "inet caisson"),
                Arguments.of("nft flush chain inet caisson neighbors", "chain neighbors", "0 rules"),
                Arguments.of("nft insert rule inet caisson neighbors accept", "chain neighbors", "6 rules"),
                Arguments.of(
                        "nft replace rule inet caisson neighbors handle"
                                + " $(nft -a list chain inet caisson neighbors | sed -n \"s/.*drop # handle //p\") accept",
                        "chain neighbors",
                        "number 5 is another"),
                Arguments.of("nft add chain inet caisson more", "chain more", "somebody else"),
                Arguments.of(
                        "nft add set inet caisson more \"{ type ipv4_addr; }\"", "set more", "made by somebody else"),
                Arguments.of(
                        "nft add element inet caisson neighbors \"{ 192.0.2.1 }\"",
                        "set neighbors",
                        "elements without an end: 1"));
    }

    private List<Verifier.Check> different() {
        return Verification.of("inside", OPTIONS).checks().stream()
                .filter(check -> !check.asPlanned())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("changes")
    void a_change_that_somebody_makes_inside_by_hand_is_told(String change, String subject, String found)
            throws Exception {
        Container container = engine.start(SLEEP.network(Network.on("both")), Streams.capture());
        assertThat(different()).isEmpty();

        NetworkBed.sh("nsenter -t " + container.pid() + " -n sh -c '" + change + "'");

        assertThat(different())
                .anySatisfy(check -> assertThat(check.subject()).contains(subject))
                .filteredOn(check -> check.subject().contains(subject))
                .allSatisfy(check -> assertThat(check.found()).contains(found));
    }

    @Test
    void all_that_a_network_has_inside_is_a_line() throws Exception {
        engine.start(SLEEP.network(Network.on("both")), Streams.capture());

        List<Verifier.Check> checks = Verification.of("inside", OPTIONS).checks();

        assertThat(checks)
                .extracting(Verifier.Check::subject)
                .contains(
                        "network inside, link lo",
                        "network inside, link eth0",
                        "network inside, rules of routing",
                        "network inside, setting net/ipv6/conf/eth0/accept_ra",
                        "network inside, packet filter tables",
                        "network inside, packet filter inet caisson, set neighbors",
                        "network inside, packet filter inet caisson, chain neighbors",
                        "network inside, packet filter ip caisson, chain questions",
                        "network inside, packet filter ip caisson, chain bound",
                        "network inside, packet filter ip caisson, chain others",
                        "network inside, packet filter ip caisson, chain arriving",
                        "network inside, sockets of a resolver");
        assertThat(checks).filteredOn(check -> !check.asPlanned()).isEmpty();
    }

    @Test
    void a_link_that_somebody_makes_in_a_container_with_loopback_alone_is_told() throws Exception {
        Container container = engine.start(SLEEP, Streams.capture());
        assertThat(different()).isEmpty();

        NetworkBed.sh("ip link add cvtest type veth peer name eth7 netns " + container.pid());

        try {
            assertThat(different())
                    .singleElement()
                    .satisfies(check -> assertThat(check.subject()).isEqualTo("network inside, link eth7"));
        } finally {
            NetworkBed.sh("ip link del cvtest");
        }
    }
}
