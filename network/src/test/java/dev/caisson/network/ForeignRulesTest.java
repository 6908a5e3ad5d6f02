package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.spec.Egress;
import dev.caisson.spec.HostServices;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Packet filters of others on the host that have the last word over packets of containers.
@Tag("root")
class ForeignRulesTest {
    private static final String FORWARD = "add table ip filter; add chain ip filter FORWARD { type filter hook forward"
            + " priority 0; policy %s; }; ";

    private static final PortMapping PUBLISHED = new PortMapping(Optional.empty(), 8080, 80, Transport.TCP);

    @TempDir
    private Path directory;

    private Bed bed;

    @BeforeEach
    void makeAHost() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        bed.on(all -> all.create(new NetworkSpec("web", List.of(), false, true, true, 0, Map.of())));
        bed.on(all -> all.create(new NetworkSpec("inside", List.of(), true, true, true, 0, Map.of())));
    }

    @AfterEach
    void leave() {
        bed.close();
    }

    private void nft(String commands) {
        bed.host.sh("nft '" + commands + "'");
    }

    private List<String> warnings(Network.Joined joined) {
        return bed.on(all -> all.warnings(joined));
    }

    @Test
    void what_others_route_by_bridges_that_they_made_after_us_passes_and_the_host_is_no_router_for_the_rest() {
        bed.host.sh("ip link add br0 type bridge");
        bed.on(all -> {
            all.remove("web");
            all.remove("inside");
            return all.create(NetworkSpec.of("web")); // the host did not forward until now
        });
        bed.host.sh("ip link add br1 type bridge");
        for (int i = 0; i < 2; i++) {
            try (var behind = new Namespace()) {
                String net = "10.99." + i + ".";
                behind.sh("ip link add eth0 type veth peer name peer" + i + " netns " + Bed.thread(bed.host)
                        + "; ip addr add " + net + "2/24 dev eth0; ip link set eth0 up; ip route add default via " + net
                        + "1");
                bed.host.sh("ip link set peer" + i + " master br" + i + "; ip link set peer" + i + " up; ip addr add "
                        + net + "1/24 dev br" + i + "; ip link set br" + i + " up");
                bed.neighbor.sh("ip route add " + net + "0/24 via " + Bed.HOST);

                assertThat(Bed.pings(behind, Bed.ip(net + "1"))).isTrue();
                assertThat(Bed.pings(behind, Bed.ip(Bed.NEIGHBOR))).isEqualTo(i == 1);
                assertThat(Bed.pings(bed.neighbor, Bed.ip(net + "2"))).isEqualTo(i == 1);
            }
        }
        bed.reopen();
        assertThat(bed.host.sh("nft list set inet $(nft list tables inet | grep -o 'caisson-.*') former"))
                .contains("\"br0\"")
                .doesNotContain("br1");
    }

    @Test
    void a_setting_that_keeps_containers_apart_from_a_published_port_is_named_with_the_remedy() {
        bed.on(all -> all.create(new NetworkSpec("apart", List.of(), false, false, false, 0, Map.of())));
        String setting = "sysctl -qw net.bridge.bridge-nf-call-iptables=";
        assumeTrue(bed.host.status(setting + "1") == 0, "the kernel has no module br_netfilter");
        Network.Joined apart = Network.on("apart").publish(PUBLISHED);

        assertThat(warnings(apart))
                .containsExactly("net.bridge.bridge-nf-call-iptables is 1, so no container of network apart reaches the"
                        + " published ports by an address of the host: link them to the container, or set it to 0 if"
                        + " nothing else on the host needs it");
        assertThat(warnings(Network.on("apart"))).isEmpty();
        assertThat(warnings(Network.on("web").publish(PUBLISHED))).isEmpty();
        bed.host.sh(setting + "0");
        assertThat(warnings(apart)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "add rule ip filter FORWARD ct state established accept",
                "add rule ip filter FORWARD iifname \"cn*\" drop",
                "add rule ip filter FORWARD iifname \"eth0\" accept",
                "add chain ip filter user; add rule ip filter user iifname \"cn*\" accept" // nobody comes there
            })
    void a_chain_that_drops_what_is_forwarded_is_named(String rules) {
        assertThat(warnings(Network.on("web"))).isEmpty();

        nft(FORWARD.formatted("drop") + rules);

        assertThat(warnings(Network.on("web")))
                .singleElement()
                .asString()
                .startsWith(
                        "chain FORWARD of table ip filter drops what is forwarded and has no rule for interfaces cn*");
        assertThat(warnings(Network.on("made-later"))).hasSize(1);
        assertThat(warnings(Network.on("inside"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "add rule ip filter FORWARD drop",
                "add rule ip filter FORWARD counter reject",
                "add rule ip filter FORWARD log prefix \"gone \" counter drop"
            })
    void a_chain_whose_last_rule_is_for_all_packets_and_drops_them_is_named(String rules) {
        nft(FORWARD.formatted("accept") + rules);

        assertThat(warnings(Network.on("web"))).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "add rule ip filter FORWARD iifname \"cn*\" accept; add rule ip filter FORWARD oifname \"cn*\" accept",
                "add chain ip filter user; add rule ip filter FORWARD jump user; add rule ip filter user oifname"
                        + " \"cn*\" counter accept"
            })
    void a_chain_that_lets_our_links_pass_is_not_named(String rules) {
        nft(FORWARD.formatted("drop") + rules);

        assertThat(warnings(Network.on("web"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "add rule ip filter FORWARD iifname \"eth0\" drop",
                "add rule ip filter FORWARD drop; add rule ip filter FORWARD accept",
                "add chain ip filter user; add rule ip filter user drop"
            })
    void a_chain_that_drops_some_packets_is_not_named(String rules) {
        nft(FORWARD.formatted("accept") + rules);

        assertThat(warnings(Network.on("web"))).isEmpty();
    }

    @Test
    void what_iptables_was_told_is_understood() {
        bed.host.sh(
                "iptables-nft -P FORWARD DROP; iptables-nft -N DOCKER-USER; iptables-nft -A FORWARD -j DOCKER-USER");
        assertThat(warnings(Network.on("web"))).hasSize(1);

        bed.host.sh("iptables-nft -I DOCKER-USER -i cn+ -j ACCEPT; iptables-nft -I DOCKER-USER -o cn+ -j ACCEPT");

        assertThat(warnings(Network.on("web"))).isEmpty();
    }

    @Test
    void a_chain_that_drops_what_comes_to_the_host_is_named_to_who_asks_for_its_services() {
        nft("add table inet host; add chain inet host input { type filter hook input priority 0; policy drop; }");

        assertThat(warnings(Network.on("inside"))).isEmpty();
        assertThat(warnings(Network.on("inside").hostServices(HostServices.of("5432"))))
                .singleElement()
                .asString()
                .startsWith("chain input of table inet host drops what comes to the host and has no rule for"
                        + " interfaces cn*: let the ports of --allow host-services pass");
    }

    @Test
    void a_chain_that_drops_what_comes_to_the_host_is_named_to_who_is_led_by_greetings() {
        nft("add table inet host; add chain inet host input { type filter hook input priority 0; policy drop; }");
        Network.Joined limited = Network.on("web").egress(Egress.only("example.com:443"));

        assertThat(warnings(limited)).isEmpty();
        assertThat(warnings(limited.egress(limited.egress().greeted())))
                .singleElement()
                .asString()
                .contains("chain input of table inet host", "let TCP pass from there");
    }

    @Test
    void verify_says_what_is_in_the_way() {
        Bed.Guest guest = bed.guest("web");
        assertThat(failed(guest)).isEmpty();

        nft(FORWARD.formatted("drop"));

        assertThat(failed(guest)).singleElement().satisfies(check -> {
            assertThat(check.subject()).isEqualTo("what it sends out");
            assertThat(check.found()).startsWith("chain FORWARD of table ip filter drops it");
        });
    }

    private List<HostCheck> failed(Bed.Guest guest) {
        return bed.<List<HostCheck>>on(all -> all.verify(guest.id())).stream()
                .filter(check -> !check.asPlanned())
                .toList();
    }
}
