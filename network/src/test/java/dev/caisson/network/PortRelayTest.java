package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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

/// Published ports are reached at the host's loopback, and by IPv6 where the container has none.
@Tag("root")
class PortRelayTest {
    @TempDir
    private Path directory;

    private Bed bed;
    private PortRelay relay;
    private Bed.Guest guest;

    @BeforeEach
    void makeAHostWithAServer() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        bed.on(all -> all.create(NetworkSpec.of("net1")));
        relay = bed.host.call(PortRelay::new);
        guest = bed.guest("net1");
        bed.listen(guest.namespace(), 80);
    }

    @AfterEach
    void leave() {
        relay.close();
        bed.close();
    }

    @Test
    void a_port_of_all_addresses_is_reached_at_both_loopbacks_and_by_ipv6() {
        PortRelay.Relayed relayed = relay(port(Optional.empty(), 8080, Transport.TCP));

        assertThat(relayed.size()).isEqualTo(2);
        assertThat(Bed.connects(bed.host, ip("127.0.0.1"), 8080)).isTrue();
        assertThat(Bed.connects(bed.host, ip("::1"), 8080)).isTrue();
        assertThat(Bed.connects(bed.neighbor, ip("2001:db8::1"), 8080)).isTrue();
        assertThat(Bed.connects(bed.neighbor, ip(Bed.HOST), 8080)).isTrue();

        relayed.close();
        bed.on(all -> {
            all.release(guest.id());
            return null;
        });
        assertThat(Bed.isClosed(bed.host, ip("127.0.0.1"), 8080)).isTrue();
    }

    @Test
    void a_port_of_loopback_is_reached_from_the_host_alone() {
        relay(port(Optional.of(ip("127.0.0.1")), 8081, Transport.TCP));

        assertThat(Bed.connects(bed.host, ip("127.0.0.1"), 8081)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, ip(Bed.HOST), 8081)).isTrue();
        assertThat(Bed.isClosed(bed.neighbor, ip("2001:db8::1"), 8081)).isTrue();
    }

    @Test
    void datagrams_come_back_from_the_address_that_they_were_sent_to() throws Exception {
        relay(port(Optional.empty(), 8053, Transport.UDP));
        try (DatagramSocket server = guest.namespace().call(() -> new DatagramSocket(53));
                DatagramSocket client = bed.host.call(() -> new DatagramSocket())) {
            server.setSoTimeout(5_000);
            client.setSoTimeout(5_000);
            client.connect(new InetSocketAddress(ip("127.0.0.1"), 8053));
            client.send(new DatagramPacket(new byte[] {7}, 1));
            var packet = new DatagramPacket(new byte[9], 9);
            server.receive(packet);
            server.send(packet);
            client.receive(packet);

            assertThat(packet.getData()[0]).isEqualTo((byte) 7);
        }
    }

    @Test
    void ports_are_bound_anew_where_nobody_holds_them_and_left_out_where_another_does() {
        List<PortMapping> ports = List.of(port(Optional.of(ip("127.0.0.1")), 8082, Transport.TCP));
        PortRelay.Relayed first = bed.host.call(() -> relay.relay(guest.attachments(), ports, List.of()));
        PortRelay.Relayed second = bed.host.call(() -> relay.relay(guest.attachments(), ports, List.of()));

        assertThat(first.size()).isEqualTo(1);
        assertThat(second.size()).isZero();
        assertThat(Bed.connects(bed.host, ip("127.0.0.1"), 8082)).isTrue();
        first.close();
        PortRelay.Relayed third = bed.host.call(() -> relay.relay(guest.attachments(), ports, List.of()));
        assertThat(third.size()).isEqualTo(1);
        third.close();
    }

    @Test
    void no_relay_leads_to_an_internal_network_whichever_is_first() throws Exception {
        bed.on(all -> all.create(new NetworkSpec("inner", List.of(), true, true, false, 0, Map.of())));
        Bed.Guest inner = bed.guest("inner");
        Bed.Guest both = bed.guest("inner", "net1");
        bed.listen(both.namespace(), 80);
        List<PortMapping> loopback = List.of(port(Optional.of(ip("127.0.0.1")), 8083, Transport.TCP));
        List<PortMapping> all = List.of(port(Optional.empty(), 8083, Transport.TCP));

        for (List<PortMapping> ports : List.of(loopback, all)) {
            PortRelay.Relayed none = bed.host.call(() -> relay.relay(inner.attachments(), ports, List.of()));
            assertThat(none.size()).isZero();
            none.close();
        }
        assertThat(both.attachments().getFirst().internal()).isTrue();
        PortRelay.Relayed outward = bed.host.call(() -> relay.relay(both.attachments(), loopback, List.of()));
        assertThat(Bed.connects(bed.host, ip("127.0.0.1"), 8083)).isTrue();
        outward.close();
        PortRelay.Relayed inward =
                bed.host.call(() -> relay.relay(both.attachments().subList(0, 1), loopback, List.of()));
        assertThat(inward.size()).isZero();
        inward.close();
    }

    private PortRelay.Relayed relay(PortMapping port) {
        return bed.on(all -> {
            List<PortMapping> published = Bed.publish(all, guest.id(), List.of(port));
            List<Fd> reserved = all.reserved(guest.id());
            return relay.relay(guest.attachments(), published, reserved);
        });
    }

    private static PortMapping port(Optional<InetAddress> address, int port, Transport transport) {
        return new PortMapping(address, port, transport == Transport.UDP ? 53 : 80, transport);
    }

    private static InetAddress ip(String text) {
        return InetAddress.ofLiteral(text);
    }
}
