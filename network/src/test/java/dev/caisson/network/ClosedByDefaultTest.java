package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.HostServices;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Each way that is closed by default, tried with packets; beside each stands one that is open, so that a test whose
/// packets go nowhere fails.
@Tag("root")
class ClosedByDefaultTest extends OnAHost {
    @Test
    void containers_of_different_networks_do_not_reach_each_other() {
        create(spec("one", false, true, true));
        create(spec("two", false, true, true));
        Guest one = bed.guest("one");
        Guest same = bed.guest("one");
        Guest two = bed.guest("two");
        bed.listen(same.namespace(), 80);
        bed.listen(two.namespace(), 80);

        assertThat(Bed.connects(one.namespace(), same.ip4(), 80)).isTrue();
        assertThat(Bed.connects(one.namespace(), same.ip6(), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), two.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), two.ip6(), 80)).isTrue();
        assertThat(Bed.pings(one.namespace(), two.ip4())).isFalse();
    }

    @Test
    void a_neighbor_that_routes_to_the_bridge_reaches_no_port_that_is_not_published() {
        create(spec("net", false, true, true));
        Guest guest = bed.guest("net");
        bed.listen(guest.namespace(), 80);
        bed.listen(guest.namespace(), 81);
        bed.on(all ->
                Bed.publish(all, guest.id(), List.of(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP))));
        bed.neighbor.sh("ip route add 172.28.0.0/16 via " + Bed.HOST + "; ip -6 route add fd00::/8 via 2001:db8::1");

        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.connects(bed.neighbor, Bed.ip("2001:db8::1"), 8080)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, guest.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, guest.ip4(), 81)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, guest.ip6(), 80)).isTrue();
        assertThat(Bed.pings(bed.neighbor, guest.ip4())).isFalse();
    }

    @Test
    void a_neighbor_does_not_reach_the_host_by_its_addresses_on_networks() {
        create(spec("net", false, true, true));
        Guest guest = bed.guest("net");
        bed.listen(bed.host, 22);
        bed.neighbor.sh("ip route add 172.28.0.0/16 via " + Bed.HOST + "; ip -6 route add fd00::/8 via 2001:db8::1");

        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 22)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, guest.gateway(), 22)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, gateway6(guest), 22)).isTrue();
    }

    @Test
    void services_of_the_host_are_closed_to_containers_by_each_of_its_addresses() {
        create(spec("net", false, true, true));
        Guest guest = bed.guest("net");
        bed.listen(bed.host, 22);
        bed.listen(bed.neighbor, 22);
        guest.namespace().sh("ip route add 127.0.0.0/9 via " + guest.gateway().getHostAddress() + " || true");

        assertThat(Bed.connects(guest.namespace(), Bed.ip(Bed.NEIGHBOR), 22)).isTrue();
        assertThat(Bed.pings(guest.namespace(), guest.gateway())).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 22)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), Bed.ip(Bed.HOST), 22)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), gateway6(guest), 22)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), Bed.ip("2001:db8::1"), 22)).isTrue();
        assertThat(Bed.pings(guest.namespace(), Bed.ip(Bed.HOST))).isFalse();
        // by the bridge's link-local address
        String bridge = bed.host
                .sh("ip -6 -o addr show scope link dev "
                        + guest.attachments().getFirst().bridge() + " | tr -s ' ' | cut -d' ' -f4 | cut -d/ -f1")
                .strip();
        assertThat(bridge).startsWith("fe80");
        assertThat(guest.namespace().status("timeout 1 bash -c '</dev/tcp/" + bridge + "%eth0/22'"))
                .isNotZero();
    }

    @Test
    void a_service_of_the_host_is_open_to_who_names_its_port_by_the_host_s_address_there() {
        create(spec("net", false, true, true));
        create(spec("inside", true, true, false));
        var id = ContainerId.random();
        Network.Joined joined = Network.on("net")
                .and(NetworkEndpoint.on("inside"))
                .egress(Egress.parse("none"))
                .hostServices(HostServices.of("5432", "53/udp"));
        Guest guest = bed.started(id, bed.on(all -> all.attach(id, "", joined, ExposedPorts.NONE)));
        Guest other = bed.guest("net");
        bed.listen(bed.host, 5432);
        bed.listen(bed.host, 5433);
        InetAddress inside = guest.attachments().getLast().ip4().orElseThrow().gateway();

        assertThat(Bed.connects(guest.namespace(), guest.gateway(), 5432)).isTrue();
        assertThat(Bed.connects(guest.namespace(), gateway6(guest), 5432)).isTrue();
        assertThat(Bed.connects(guest.namespace(), inside, 5432)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 5433)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 53)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), Bed.ip(Bed.HOST), 5432)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), Bed.ip("2001:db8::1"), 5432)).isTrue();
        assertThat(Bed.isClosed(other.namespace(), other.gateway(), 5432)).isTrue();
        assertThat(bed.host.sh("nft list tables | wc -l").strip()).isEqualTo("2");
        assertThat(bed.on(all -> all.verify(id)).stream().allMatch(HostCheck::asPlanned))
                .isTrue();

        bed.reopen();
        bed.host.sh("nft flush ruleset");
        bed.on(all -> all.attach(id, "", List.of()));
        assertThat(Bed.connects(guest.namespace(), guest.gateway(), 5432)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 5433)).isTrue();
        bed.on(all -> {
            all.release(id);
            return null;
        });
        String table = bed.host.sh("nft list tables inet").strip().split(" ", -1)[2];
        assertThat(bed.host.sh("nft list set inet " + table + " hosted; nft list set inet " + table + " hosted6"))
                .doesNotContain("5432");
    }

    @Test
    void a_network_without_ipv6_gives_the_host_no_address_of_it() {
        Guest guest = bed.guest("bridge");

        assertThat(bed.host.sh(
                        "ip -6 addr show dev " + guest.attachments().getFirst().bridge()))
                .isBlank();
    }

    @Test
    void metadata_addresses_are_closed() {
        Guest guest = bed.guest("bridge");
        bed.neighbor.sh("ip addr add 169.254.169.254/32 dev lan0; ip addr add 192.0.2.9/32 dev lan0");
        bed.host.sh("ip route add 169.254.169.254/32 dev lan0");
        bed.listen(bed.neighbor, 80);

        assertThat(Bed.connects(bed.host, Bed.ip("169.254.169.254"), 80)).isTrue();
        assertThat(Bed.connects(guest.namespace(), Bed.ip("192.0.2.9"), 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), Bed.ip("169.254.169.254"), 80))
                .isTrue();
    }

    /// The packet is for the gateway until the host has let it pass.
    @Test
    void a_route_that_a_packet_brings_along_leads_nowhere() {
        bed.host.sh("sysctl -qw net.ipv4.conf.all.accept_source_route=1 net.ipv4.conf.default.accept_source_route=1");
        bed.host.sh("ip route add 169.254.169.254 via " + Bed.NEIGHBOR);
        bed.neighbor.sh("ip addr add 169.254.169.254/32 dev lan0; nft 'add table ip seen; add chain ip seen in"
                + " { type filter hook prerouting priority -300; };"
                + " add rule ip seen in ip daddr 169.254.169.254 counter; add rule ip seen in ip daddr " + Bed.NEIGHBOR
                + " udp dport 9 counter'");
        Guest guest = bed.guest("bridge");

        guest.namespace().sh("""
                /usr/bin/python3 -c 'import socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.sendto(b"x", ("%2$s", 9))
                s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([131, 7, 4]) + socket.inet_aton("%1$s") + b"\\1")
                s.sendto(b"x", ("169.254.169.254", 9))'; sleep 0.2
                """.formatted(AddressText.of(guest.gateway()), Bed.NEIGHBOR));

        assertThat(bed.neighbor.sh("nft list chain ip seen in"))
                .contains("daddr " + Bed.NEIGHBOR + " udp dport 9 counter packets 1 ")
                .contains("daddr 169.254.169.254 counter packets 0 ");
    }

    @Test
    void an_internal_network_has_no_way_out_and_none_in() {
        create(spec("inside", true, true, true));
        Guest one = bed.guest("inside");
        Guest two = bed.guest("inside");
        Guest outward = bed.guest("bridge");
        bed.listen(two.namespace(), 80);
        bed.listen(bed.neighbor, 80);
        bed.listen(outward.namespace(), 80);
        bed.on(all ->
                Bed.publish(all, outward.id(), List.of(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP))));
        one.namespace().sh("ip route add default via " + one.gateway().getHostAddress());
        one.namespace().sh("ip -6 route add default via " + gateway6(one).getHostAddress());

        assertThat(Bed.connects(one.namespace(), two.ip4(), 80)).isTrue();
        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), Bed.ip("2001:db8::2"), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), outward.ip4(), 80)).isTrue();
    }

    @Test
    void containers_without_icc_reach_the_outside_and_not_each_other() {
        create(spec("apart", false, true, false));
        Guest one = bed.guest("apart");
        Guest two = bed.guest("apart");
        bed.listen(two.namespace(), 80);
        bed.listen(bed.neighbor, 80);
        bed.on(all -> Bed.publish(all, two.id(), List.of(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP))));

        assertThat(Bed.connects(one.namespace(), Bed.ip(Bed.NEIGHBOR), 80)).isTrue();
        assertThat(Bed.connects(one.namespace(), Bed.ip("2001:db8::2"), 80)).isTrue();
        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), two.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), two.ip6(), 80)).isTrue();
        // a bridge that asks iptables leads what is sent to a published port from port to port
        bed.host.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0");
        assertThat(Bed.connects(one.namespace(), Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), two.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), two.ip6(), 80)).isTrue();
        // a container that says its subnet is on the link
        one.namespace()
                .sh("ip addr add " + one.ip4().getHostAddress() + "/22 dev eth0 || true;" + " ip route replace "
                        + two.ip4().getHostAddress() + "/32 dev eth0");
        assertThat(Bed.isClosed(one.namespace(), two.ip4(), 80)).isTrue();
    }

    @Test
    void a_host_that_forwarded_nothing_forwards_nothing_for_others() {
        var far = new Namespace();
        bed.host.sh("ip link add far0 type veth peer name far0 netns " + Bed.thread(far)
                + "; ip addr add 198.51.100.1/24 dev far0; ip link set far0 up");
        far.sh("ip addr add 198.51.100.2/24 dev far0; ip link set far0 up; ip route add default via 198.51.100.1");
        bed.neighbor.sh("ip route add 198.51.100.0/24 via " + Bed.HOST);
        bed.listen(far, 80);
        Guest guest = bed.guest("bridge");

        assertThat(Bed.connects(guest.namespace(), Bed.ip("198.51.100.2"), 80)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, Bed.ip("198.51.100.2"), 80)).isTrue();
        far.close();
    }

    @Test
    void a_host_that_forwarded_goes_on_to_do_so() {
        bed.host.sh("sysctl -qw net.ipv4.ip_forward=1");
        var far = new Namespace();
        bed.host.sh("ip link add far0 type veth peer name far0 netns " + Bed.thread(far)
                + "; ip addr add 198.51.100.1/24 dev far0; ip link set far0 up");
        far.sh("ip addr add 198.51.100.2/24 dev far0; ip link set far0 up; ip route add default via 198.51.100.1");
        bed.neighbor.sh("ip route add 198.51.100.0/24 via " + Bed.HOST);
        bed.listen(far, 80);
        bed.guest("bridge");

        assertThat(Bed.connects(bed.neighbor, Bed.ip("198.51.100.2"), 80)).isTrue();
        bed.on(all -> {
            all.recover(_ -> false);
            all.remove("bridge");
            return null;
        });
        assertThat(bed.host.sh("sysctl -n net.ipv4.ip_forward").strip()).isEqualTo("1");
        far.close();
    }

    @Test
    void nobody_reaches_loopback_of_the_host_from_outside() {
        bed.guest("bridge");
        bed.host.sh("sysctl -qw net.ipv4.conf.all.route_localnet=1");
        bed.listen(bed.host, 22);
        String counted = "nft add table inet seen; nft add chain inet seen c '{ type filter hook input priority 10; }';"
                + " nft add rule inet seen c iifname lan0 ip daddr 127.0.0.1 counter";
        bed.host.sh(counted);
        bed.neighbor.sh(
                "sysctl -qw net.ipv4.conf.all.route_localnet=1; ip route add table 7 127.0.0.1/32 via "
                        + Bed.HOST + " dev lan0 src " + Bed.NEIGHBOR
                        + "; ip rule add pref 0 table 7; ip rule add pref 1 table local; ip rule del pref 0 table local || true");

        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 22)).isTrue();
        String attempt = "timeout 1 /usr/bin/python3 -c 'import socket; s=socket.socket(); s.settimeout(.6);"
                + " s.bind((\"" + Bed.NEIGHBOR + "\",0)); s.connect((\"127.0.0.1\",22))'";
        bed.neighbor.status(attempt);
        assertThat(bed.host.sh("nft list chain inet seen c")).contains("packets 0");
        bed.host.sh("nft flush chain inet $(nft list tables inet | grep -o 'caisson.*') raw");
        bed.neighbor.status(attempt);
        assertThat(bed.host.sh("nft list chain inet seen c")).doesNotContain("packets 0");
    }

    private void create(NetworkSpec spec) {
        bed.on(all -> all.create(spec));
    }

    private static NetworkSpec spec(String name, boolean internal, boolean ipv6, boolean icc) {
        return new NetworkSpec(name, List.of(), internal, ipv6, icc, 0, Map.of());
    }

    private static InetAddress gateway6(Guest guest) {
        return guest.attachments().getFirst().ip6().orElseThrow().gateway();
    }
}
