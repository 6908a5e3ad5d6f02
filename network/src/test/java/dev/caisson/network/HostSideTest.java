package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.Egress;
import dev.caisson.spec.HostServices;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
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

/// Changes of the host's side of a container's networks, made by `nft`, `ip`, `bridge` and `sysctl`, are seen.
@Tag("root")
class HostSideTest {
    @TempDir
    private Path directory;

    private Bed bed;
    private Guest web;
    private Attachment place;
    private String tables;

    @BeforeEach
    void makeAHost() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        bed.on(all -> all.create(new NetworkSpec("apart", List.of(), false, true, false, 0, Map.of())));
        var db = ContainerId.random();
        bed.started(db, bed.on(all -> all.attach(db, "db", List.of(NetworkEndpoint.on("apart")))));
        var id = ContainerId.random();
        NetworkEndpoint endpoint = NetworkEndpoint.on("apart").link(ContainerLink.parse("db"));
        Egress egress = Egress.only("192.0.2.7:80", "192.0.2.0/24:90-99");
        Network.Joined joined = Network.on("apart")
                .endpoints(List.of(endpoint))
                .egress(egress)
                .hostServices(HostServices.of("5432"))
                .bandwidth(Bandwidth.parse("in=1gbit,out=20mbit"));
        web = bed.started(id, bed.on(all -> all.attach(id, "web", joined, ExposedPorts.NONE)));
        place = web.attachments().getFirst();
        bed.on(all -> Bed.publish(all, id, List.of(new PortMapping(Optional.empty(), 8080, 80, Transport.TCP))));
        tables = bed.host.sh("nft list tables inet").strip().split(" ", -1)[2];
    }

    @AfterEach
    void leave() {
        bed.close();
    }

    private List<String> differences() {
        List<HostCheck> checks = bed.on(all -> all.verify(web.id()));
        assertThat(checks).hasSizeGreaterThan(8);
        return checks.stream()
                .filter(check -> !check.asPlanned())
                .map(check -> check.subject() + " is " + check.found())
                .toList();
    }

    @Test
    void what_is_as_it_was_made_differs_in_nothing() {
        assertThat(differences()).isEmpty();
        List<HostCheck> nobody = bed.on(all -> all.verify(ContainerId.random()));
        assertThat(nobody).isEmpty();
    }

    @Test
    void an_element_that_is_gone_is_named() {
        String address = web.ip4().getHostAddress();
        bed.host.sh("nft delete element inet " + tables + " reached '{ " + address + " . 192.0.2.7 . tcp . 80 }'");
        bed.host.sh("nft delete element inet " + tables + " limited '{ " + address + " }'");
        bed.host.sh("nft delete element bridge " + tables + " members '{ " + place.hostLink() + " . " + place.mac()
                + " . " + address + " }'");
        bed.host.sh("nft flush set inet " + tables + " reached-ranges");
        bed.host.sh("nft flush set inet " + tables + " hosted");
        bed.host.sh("nft flush set bridge " + tables + " rate-in; nft delete element bridge " + tables
                + " rate-out '{ " + place.hostLink() + " }'; nft add element bridge " + tables + " rate-out '{ "
                + place.hostLink() + " limit rate over 90 mbytes/second burst 256 kbytes }'");

        assertThat(differences())
                .containsExactlyInAnyOrder(
                        "set reached is without " + address + " . 192.0.2.7 . 6 . 80",
                        "set limited is without " + address,
                        "set members is without " + place.hostLink() + " . " + place.mac() + " . " + address,
                        "set rate-in is without " + place.hostLink(),
                        "set rate-out is with " + place.hostLink() + " of another rate",
                        "set hosted is without " + address + " . 6 . 5432",
                        "set reached-ranges is without " + address + " . 192.0.2.0 . 6 . 90");
    }

    @Test
    void an_element_that_nobody_recorded_and_a_port_that_leads_elsewhere_are_named() {
        String address = web.ip4().getHostAddress();
        bed.host.sh("nft add element inet " + tables + " reached '{ " + address + " . 198.51.100.7 . tcp . 443 }'");
        bed.host.sh("nft add element inet " + tables + " hosted '{ " + address + " . tcp . 22 }'");
        bed.host.sh("nft add element bridge " + tables + " members '{ " + place.hostLink() + " . " + place.mac()
                + " . 10.0.0.1 }'");
        bed.host.sh("nft delete element inet " + tables + " published-any '{ tcp . 8080 }'; nft add element inet "
                + tables + " published-any '{ tcp . 8080 : 10.0.0.1 . 80, tcp . 9090 : " + address + " . 22 }'");

        bed.host.sh("nft add element inet " + tables + " published '{ 192.0.2.1 . tcp . 8080 : 10.0.0.1 . 80 }'");
        bed.host.sh("nft add element inet " + tables + " open '{ " + place.bridge() + " . " + place.bridge() + " }'");
        bed.host.sh("nft add element inet " + tables + " linked '{ 10.0.0.1 . " + address + " . tcp . 80 }'");
        bed.host.sh("nft add element bridge " + tables + " members '{ cw0 . " + place.mac() + " . " + address + " }'");

        String unrecorded = ", elements that nobody recorded is ";
        assertThat(differences())
                .containsExactlyInAnyOrder(
                        "set published-any is with 6 . 8080 : 10.0.0.1 . 80",
                        "set published-any" + unrecorded + "6 . 9090 : " + address + " . 22",
                        "set published" + unrecorded + "192.0.2.1 . 6 . 8080 : 10.0.0.1 . 80",
                        "set open" + unrecorded + place.bridge() + " . " + place.bridge(),
                        "set linked" + unrecorded + "10.0.0.1 . " + address + " . 6 . 80",
                        "set members" + unrecorded + place.hostLink() + " . " + place.mac() + " . 10.0.0.1, cw0 . "
                                + place.mac() + " . " + address,
                        "set hosted" + unrecorded + address + " . 6 . 22",
                        "set reached" + unrecorded + address + " . 198.51.100.7 . 6 . 443");
    }

    @Test
    void an_address_is_open_by_a_name_only_if_the_list_has_the_name_and_it_goes_by_itself() {
        String reached =
                "nft add element inet " + tables + " reached '{ " + web.ip4().getHostAddress() + " . ";
        bed.on(all -> {
            all.limit(web.id(), Egress.only("192.0.2.7:80", "192.0.2.0/24:90-99", "api.example:443"));
            return 0;
        });
        bed.host.sh(reached + "198.51.100.7 . tcp . 443 timeout 60s comment \"api.example\" }'");
        assertThat(differences()).isEmpty();

        bed.host.sh(reached + "198.51.100.8 . tcp . 443 timeout 60s comment \"other.example\" }'");
        bed.host.sh(reached + "198.51.100.9 . tcp . 22 timeout 60s comment \"api.example\" }'");
        bed.host.sh(reached + "198.51.100.10 . tcp . 443 comment \"api.example\" }'");

        assertThat(differences())
                .singleElement()
                .asString()
                .contains("198.51.100.8 . 6 . 443", "198.51.100.9 . 6 . 22", "198.51.100.10 . 6 . 443")
                .doesNotContain("198.51.100.7 ");
    }

    @Test
    void rules_that_somebody_else_changed_are_named_by_their_chain() {
        bed.host.sh("nft insert rule inet " + tables + " forward accept; nft flush chain bridge " + tables
                + " guest; nft add chain inet " + tables + " mine; nft add chain inet " + tables
                + " input '{ policy drop; }'");

        assertThat(differences())
                .containsExactlyInAnyOrder(
                        "chain forward of family inet is changed by somebody else",
                        "chain input of family inet is changed by somebody else",
                        "chain guest of family bridge is changed by somebody else",
                        "chain mine of family inet is made by somebody else");

        bed.host.sh("nft add table inet " + tables + " '{ flags dormant; }'");
        assertThat(differences()).contains("table of family inet is changed by somebody else");
    }

    @Test
    void routes_to_the_subnet_and_forwarding_for_others_are_read_back() {
        String subnet = place.ip4().orElseThrow().subnet().toString();
        assertThat(bed.<List<HostCheck>>on(all -> all.verify(web.id())))
                .contains(new HostCheck("route to " + subnet, "by " + place.bridge(), "by " + place.bridge()));
        bed.host.sh(
                "ip route add " + web.ip4().getHostAddress() + " dev lan0; nft flush set inet " + tables + " unrouted");

        assertThat(differences())
                .containsExactlyInAnyOrder(
                        "route to " + subnet + " is " + web.ip4().getHostAddress() + "/32 by lan0, by "
                                + place.bridge(),
                        "set unrouted is without 2, without 10");
        bed.host.sh("ip route del " + subnet + "; ip route del " + web.ip4().getHostAddress());
        assertThat(differences()).contains("route to " + subnet + " is missing");
    }

    @Test
    void ports_bridges_settings_and_tables_are_read_back() {
        String bridge = place.bridge();
        bed.host.sh("ip link set " + place.hostLink() + " type bridge_slave isolated off hairpin on; sysctl -qw"
                + " net.ipv4.conf." + bridge + ".rp_filter=0 net.ipv4.conf." + bridge + ".accept_source_route=1"
                + " net.ipv4.ip_forward=0; ip addr add 10.1.2.3/24 dev "
                + bridge);

        assertThat(differences())
                .anyMatch(one -> one.startsWith("bridge " + bridge + " of network apart is up, 10.1.2.3/24 "))
                .contains(
                        "setting net/ipv4/conf/" + bridge + "/rp_filter is 0",
                        "setting net/ipv4/conf/" + bridge + "/accept_source_route is 1",
                        "setting net/ipv4/ip_forward is 0",
                        "port " + place.hostLink() + " is up, not isolated, hairpin, of bridge " + bridge)
                .hasSize(5);
        bed.host.sh("ip link del " + place.hostLink() + "; nft flush ruleset");
        assertThat(differences())
                .contains("port " + place.hostLink() + " is missing", "packet filter " + tables + " is missing");
    }
}
