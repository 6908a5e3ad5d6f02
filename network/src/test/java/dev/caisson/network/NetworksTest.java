package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.network.Bed.Guest;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Subnet;
import dev.caisson.spec.Transport;
import java.net.Inet4Address;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Networks as the kernel has them, with packets.
@Tag("root")
class NetworksTest extends OnAHost {
    /// They are answers to --network, and nothing that could be made, as the sentence for other names says.
    @Test
    void modes_of_containers_are_no_networks_to_be_found_and_it_is_said_what_to_do() {
        for (String mode : List.of("host", "none")) {
            assertThatThrownBy(() -> bed.on(all -> all.get(mode)))
                    .isInstanceOf(NetworkException.class)
                    .hasMessage(mode + " is no network that can be shown or changed: give --network " + mode
                            + " to 'caisson run' or 'create'");
        }
    }

    @Test
    void a_network_is_recorded_and_has_a_bridge_with_its_gateway() {
        NetworkInfo made = bed.on(all -> all.create(NetworkSpec.of("net1")));

        assertThat(bed.host.sh("ip -br addr show " + made.bridge())).contains("172.28.0.1/22");
        assertThat(bed.host.sh("ip -d link show " + made.bridge()))
                .contains("bridge")
                .contains("alias caisson ");
        bed.reopen();
        assertThat(bed.<NetworkInfo>on(all -> all.get("net1"))).isEqualTo(made);
        assertThat(bed.<NetworkInfo>on(all -> all.get(made.shortId()))).isEqualTo(made);
        assertThat(bed.host.sh("nft list ruleset")).contains(made.bridge());
    }

    @Test
    void nothing_stays_of_a_host_without_networks() {
        String state = "(ip -o link; nft list ruleset; sysctl net.ipv4.ip_forward net.ipv6.conf)";
        String before = bed.host.sh(state);
        bed.on(all -> all.create(new NetworkSpec("six", List.of(), false, true, true, 0, Map.of())));
        assertThat(bed.host.sh(state)).isNotEqualTo(before);

        bed.on(all -> {
            all.remove("six");
            return null;
        });

        assertThat(bed.host.sh(state)).isEqualTo(before);
    }

    @Test
    void containers_reach_each_other_and_the_outside() {
        Guest one = bed.guest("bridge");
        Guest two = bed.guest("bridge");
        bed.listen(two.namespace(), 80);
        bed.listen(bed.neighbor, 81);

        assertThat(Bed.connects(one.namespace(), two.ip4(), 80)).isTrue();
        assertThat(Bed.pings(one.namespace(), two.ip4())).isTrue();
        assertThat(Bed.connects(one.namespace(), Bed.ip(Bed.NEIGHBOR), 81)).isTrue();
        assertThat(Bed.pings(one.namespace(), one.gateway())).isTrue();
    }

    @Test
    void both_families_lead_out() {
        bed.on(all -> all.create(new NetworkSpec("six", List.of(), false, true, true, 0, Map.of())));
        Guest one = bed.guest("six");
        Guest two = bed.guest("six");
        bed.listen(two.namespace(), 80);
        bed.listen(bed.neighbor, 81);

        assertThat(Bed.connects(one.namespace(), two.ip6(), 80)).isTrue();
        assertThat(Bed.connects(one.namespace(), Bed.ip("2001:db8::2"), 81)).isTrue();
        assertThat(Bed.pings(
                        one.namespace(),
                        one.attachments().getFirst().ip6().orElseThrow().gateway()))
                .isTrue();
    }

    @Test
    void a_published_port_is_reached_from_outside_from_the_host_and_from_other_networks() {
        bed.on(all -> all.create(NetworkSpec.of("other")));
        Guest server = bed.guest("bridge");
        Guest beside = bed.guest("bridge");
        Guest elsewhere = bed.guest("other");
        bed.listen(server.namespace(), 80);

        List<PortMapping> chosen = bed.on(all -> Bed.publish(
                all,
                server.id(),
                List.of(
                        new PortMapping(Optional.empty(), 8080, 80, Transport.TCP),
                        new PortMapping(Optional.empty(), 0, 80, Transport.TCP))));

        assertThat(chosen.getLast().hostPort()).isPositive();
        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), chosen.getLast().hostPort()))
                .isTrue();
        assertThat(Bed.connects(bed.host, Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.connects(elsewhere.namespace(), Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.connects(beside.namespace(), Bed.ip(Bed.HOST), 8080)).isTrue();
        // a bridge that asks iptables sends a frame back by no port that it came in by
        bed.host.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0");
        assertThat(Bed.connects(server.namespace(), Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, Bed.ip(Bed.HOST), 80)).isTrue();
    }

    @Test
    void a_port_that_somebody_has_is_refused_and_nothing_of_it_stays() {
        Guest server = bed.guest("bridge");
        bed.listen(bed.host, 8081);
        String before = bed.host.sh("nft list ruleset");

        refused(
                Code.PORT_TAKEN,
                () -> bed.on(all -> Bed.publish(
                        all, server.id(), List.of(new PortMapping(Optional.empty(), 8081, 80, Transport.TCP)))));

        assertThat(bed.host.sh("nft list ruleset")).isEqualTo(before);
        assertThat(bed.<List<PortMapping>>on(all -> all.published(server.id()))).isEmpty();
    }

    @Test
    void addresses_are_given_once_and_again_after_a_release() {
        Inet4Address wanted = (Inet4Address) Bed.ip("172.28.0.77");
        var endpoint = new NetworkEndpoint(
                "bridge",
                Optional.of(wanted),
                Optional.empty(),
                Optional.of(MacAddress.parse("02:00:00:00:00:07")),
                List.of("web"));
        Guest one = bed.guest(List.of(endpoint));

        assertThat(one.ip4()).isEqualTo(wanted);
        refused(Code.ADDRESS_TAKEN, () -> bed.guest(List.of(endpoint)));
        refused(
                Code.NETWORK_IN_USE,
                () -> bed.on(all -> {
                    all.remove("bridge");
                    return null;
                }));
        bed.on(all -> {
            all.release(one.id());
            return null;
        });
        assertThat(bed.host.sh("ip -o link"))
                .doesNotContain(one.attachments().getFirst().hostLink());
        assertThat(bed.host.sh("nft list ruleset")).doesNotContain("172.28.0.77");
        assertThat(bed.guest(List.of(endpoint)).ip4()).isEqualTo(wanted);
    }

    @Test
    void a_subnet_of_the_host_or_of_another_network_is_refused() {
        bed.on(all -> all.create(spec("one", "10.9.0.0/16")));

        refused(Code.SUBNET_TAKEN, () -> bed.on(all -> all.create(spec("two", "10.9.3.0/24"))));
        refused(Code.SUBNET_TAKEN, () -> bed.on(all -> all.create(spec("two", "192.0.2.0/25"))));
        refused(Code.NETWORK_REFUSED, () -> bed.on(all -> all.create(spec("two", "224.0.0.0/24"))));
        refused(Code.NETWORK_EXISTS, () -> bed.on(all -> all.create(NetworkSpec.of("one"))));
        assertThat(bed.host.sh("ip -o link").lines().filter(line -> line.contains(" cn")))
                .hasSize(1);
    }

    @Test
    void a_chosen_subnet_keeps_off_the_hosts_routes() {
        bed.host.sh("ip route add 172.28.0.0/16 via " + Bed.NEIGHBOR);

        NetworkInfo made = bed.on(all -> all.create(NetworkSpec.of("one")));

        assertThat(made.subnet(false)).contains(Subnet.parse("172.29.0.0/22"));
    }

    @Test
    void what_a_flush_took_is_there_after_the_next_start() {
        Guest server = bed.guest("bridge");
        bed.listen(server.namespace(), 80);
        bed.on(all ->
                Bed.publish(all, server.id(), List.of(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP))));
        String before = bed.host.sh("nft list ruleset");
        bed.host.sh("nft flush ruleset");

        bed.on(all -> all.attach(server.id(), "", List.of()));

        assertThat(bed.host.sh("nft list ruleset")).isEqualTo(before);
        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 8080)).isTrue();
    }

    @Test
    void containers_that_are_gone_are_released_and_tables_of_others_stay() {
        bed.host.sh("nft add table inet other; nft add chain inet other c; ip link add cnotours type bridge");
        Guest gone = bed.guest("bridge");
        Guest stays = bed.guest("bridge");

        bed.on(all -> {
            all.recover(stays.id()::equals);
            return null;
        });

        assertThat(bed.<List<Attachment>>on(all -> all.attachments(gone.id()))).isEmpty();
        assertThat(bed.<List<Attachment>>on(all -> all.attachments(stays.id()))).hasSize(1);
        assertThat(bed.host.sh("nft list ruleset"))
                .contains("table inet other")
                .doesNotContain(gone.ip4().getHostAddress() + " ");
        assertThat(bed.host.sh("ip -o link")).contains("cnotours");
    }

    private static NetworkSpec spec(String name, String subnet) {
        return new NetworkSpec(
                name,
                List.of(new NetworkSpec.Pool(Subnet.parse(subnet), Optional.empty(), Optional.empty())),
                false,
                false,
                true,
                0,
                Map.of());
    }

    private static void refused(Code code, Runnable task) {
        assertThatExceptionOfType(NetworkException.class)
                .isThrownBy(task::run)
                .satisfies(refused -> assertThat(refused.reason()).isEqualTo(code));
    }
}
