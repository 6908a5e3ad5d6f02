package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers that reach named destinations alone, tried with packets; beside each that is closed stands one that is
/// open.
@Tag("root")
class EgressTest {
    private static final InetAddress NEIGHBOR = Bed.ip(Bed.NEIGHBOR);
    private static final InetAddress NEIGHBOR_6 = Bed.ip("2001:db8::2");
    private static final InetAddress OTHER = Bed.ip("192.0.2.9");

    @TempDir
    private Path directory;

    private Bed bed;

    @BeforeEach
    void makeAHost() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        bed.neighbor.sh("ip addr add 192.0.2.9/32 dev lan0");
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        bed.listen(bed.neighbor, 80);
        bed.listen(bed.neighbor, 81);
    }

    @AfterEach
    void leave() {
        bed.close();
    }

    private Guest limited(Egress egress, String... networks) {
        var id = ContainerId.random();
        String[] names = networks.length == 0 ? new String[] {"net"} : networks;
        List<NetworkEndpoint> endpoints =
                Arrays.stream(names).map(NetworkEndpoint::on).toList();
        return bed.started(id, bed.on(all -> all.attach(id, "", endpoints, egress, List.of())));
    }

    @Test
    void a_container_reaches_the_ports_of_addresses_on_its_list_alone() {
        Guest guest = limited(Egress.only(Bed.NEIGHBOR + ":80", "[2001:db8::2]:80"));
        Guest free = bed.guest("net");

        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR_6, 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 81)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR_6, 81)).isTrue();
        assertThat(Bed.connects(free.namespace(), OTHER, 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), OTHER, 80)).isTrue();
        long denied = bed.on(all -> all.denied(guest.id()));
        assertThat(denied).isBetween(3L, 6L);
        assertThat(bed.<Long>on(all -> all.denied(free.id()))).isZero();
        assertThat(Bed.pings(free.namespace(), NEIGHBOR)).isTrue();
        assertThat(Bed.pings(guest.namespace(), NEIGHBOR)).isFalse();
        assertThat(Bed.pings(guest.namespace(), NEIGHBOR_6)).isFalse();
    }

    @Test
    void none_is_nothing_but_the_containers_of_its_networks() {
        Guest guest = limited(Egress.none());
        Guest near = bed.guest("net");
        bed.listen(near.namespace(), 80);

        assertThat(Bed.connects(guest.namespace(), near.ip4(), 80)).isTrue();
        assertThat(Bed.connects(guest.namespace(), near.ip6(), 80)).isTrue();
        assertThat(Bed.pings(guest.namespace(), guest.gateway())).isTrue();
        assertThat(Bed.connects(near.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR_6, 80)).isTrue();
    }

    @Test
    void subnets_and_ranges_of_ports_may_overlap() {
        Guest guest = limited(Egress.only(
                "192.0.0.0/8:100-200",
                "192.0.2.0/24:80-120",
                "192.0.2.0/24:110-130",
                "192.0.2.2:78-80",
                "192.0.2.2:1-70",
                "192.0.2.9:*"));

        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.connects(guest.namespace(), OTHER, 81)).isTrue();
        bed.listen(bed.neighbor, 130);
        bed.listen(bed.neighbor, 201);
        bed.listen(bed.neighbor, 71);
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 130)).isTrue();
        assertThat(Bed.connects(guest.namespace(), OTHER, 201)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 201)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 71)).isTrue();
    }

    @Test
    void udp_is_another_permission() throws Exception {
        bed.neighbor.call(() -> {
            var echo = new DatagramSocket(53);
            Thread.ofPlatform().daemon().start(() -> {
                try (echo) {
                    while (true) {
                        var packet = new DatagramPacket(new byte[64], 64);
                        echo.receive(packet);
                        echo.send(packet);
                    }
                } catch (IOException e) {
                    // the end of the namespace
                }
            });
            return null;
        });
        bed.listen(bed.neighbor, 53);
        Guest udp = limited(Egress.only(Bed.NEIGHBOR + ":53/udp"));
        Guest tcp = limited(Egress.only(Bed.NEIGHBOR + ":53"));

        assertThat(answers(udp)).isTrue();
        assertThat(Bed.isClosed(udp.namespace(), NEIGHBOR, 53)).isTrue();
        assertThat(Bed.connects(tcp.namespace(), NEIGHBOR, 53)).isTrue();
        assertThat(answers(tcp)).isFalse();
    }

    private static boolean answers(Guest guest) {
        return guest.namespace().call(() -> {
            try (var socket = new DatagramSocket()) {
                socket.setSoTimeout(700);
                for (int i = 0; i < 3; i++) {
                    socket.send(new DatagramPacket(new byte[] {1}, 1, new InetSocketAddress(NEIGHBOR, 53)));
                    try {
                        socket.receive(new DatagramPacket(new byte[64], 64));
                        return true;
                    } catch (SocketTimeoutException e) {
                        // a new link may lose the first
                    }
                }
                return false;
            } catch (IOException e) {
                return false;
            }
        });
    }

    @Test
    void two_containers_of_one_network_have_lists_of_their_own() {
        Guest one = limited(Egress.only(Bed.NEIGHBOR + ":80"));
        Guest two = limited(Egress.only(Bed.NEIGHBOR + ":81"));

        assertThat(Bed.connects(one.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.isClosed(one.namespace(), NEIGHBOR, 81)).isTrue();
        assertThat(Bed.connects(two.namespace(), NEIGHBOR, 81)).isTrue();
        assertThat(Bed.isClosed(two.namespace(), NEIGHBOR, 80)).isTrue();
    }

    @Test
    void a_list_holds_by_each_network_of_a_container() {
        Guest guest = limited(Egress.only(Bed.NEIGHBOR + ":80"), "net", "bridge");
        guest.namespace()
                .sh("ip route add 192.0.2.9/32 via "
                        + guest.attachments()
                                .get(1)
                                .ip4()
                                .orElseThrow()
                                .gateway()
                                .getHostAddress());
        guest.namespace()
                .sh("ip route add 192.0.2.2/32 via "
                        + guest.attachments()
                                .get(1)
                                .ip4()
                                .orElseThrow()
                                .gateway()
                                .getHostAddress());

        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), OTHER, 80)).isTrue();
    }

    @Test
    void who_comes_in_by_a_published_port_is_answered() {
        Guest guest = limited(Egress.none());
        bed.listen(guest.namespace(), 90);
        bed.on(all ->
                Bed.publish(all, guest.id(), List.of(new PortMapping(Optional.empty(), 8080, 90, Transport.TCP))));

        assertThat(Bed.connects(bed.neighbor, Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.connects(bed.neighbor, Bed.ip("2001:db8::1"), 8080)).isTrue();
    }

    @Test
    void a_published_port_of_another_network_is_a_destination_as_the_container_names_it() {
        Guest server = bed.guest("bridge");
        bed.listen(server.namespace(), 90);
        bed.on(all ->
                Bed.publish(all, server.id(), List.of(new PortMapping(Optional.empty(), 8080, 90, Transport.TCP))));
        Guest named = limited(Egress.only(Bed.HOST + ":8080"));
        Guest inner = limited(Egress.only(server.ip4().getHostAddress() + ":90"));

        assertThat(Bed.connects(named.namespace(), Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.isClosed(inner.namespace(), Bed.ip(Bed.HOST), 8080)).isTrue();
        assertThat(Bed.isClosed(inner.namespace(), server.ip4(), 90)).isTrue();
    }

    @Test
    void everything_is_not_more_than_without_a_list() {
        Guest other = bed.guest("bridge");
        bed.listen(other.namespace(), 80);
        bed.listen(bed.host, 22);
        Guest guest = limited(Egress.only("0.0.0.0/0:*", "[::/0]:*", "0.0.0.0/0:*/udp"));

        assertThat(Bed.connects(guest.namespace(), OTHER, 81)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), other.ip4(), 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 22)).isTrue();
    }

    @Test
    void a_metadata_address_is_open_to_who_names_it_and_its_port() {
        bed.neighbor.sh("ip addr add 169.254.169.254/32 dev lan0");
        bed.host.sh("ip route add 169.254.169.254/32 dev lan0");
        Guest named = limited(Egress.only("169.254.169.254:80"));
        Guest wide = limited(Egress.only("0.0.0.0/0:*"));
        InetAddress metadata = Bed.ip("169.254.169.254");

        assertThat(Bed.connects(named.namespace(), metadata, 80)).isTrue();
        assertThat(Bed.isClosed(named.namespace(), metadata, 81)).isTrue();
        assertThat(Bed.connects(wide.namespace(), OTHER, 80)).isTrue();
        assertThat(Bed.isClosed(wide.namespace(), metadata, 80)).isTrue();
        assertThat(Bed.isClosed(bed.guest("net").namespace(), metadata, 80)).isTrue();
    }

    @Test
    void a_change_opens_and_closes_at_once() {
        Guest guest = limited(Egress.only(Bed.NEIGHBOR + ":80"));
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 81)).isTrue();

        limit(guest, Egress.only("192.0.2.0/24:81"));
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 81)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 80)).isTrue();

        limit(guest, Egress.all());
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        limit(guest, Egress.none());
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 80)).isTrue();
    }

    private void limit(Guest guest, Egress egress) {
        bed.on(all -> {
            all.limit(guest.id(), egress);
            return null;
        });
        Egress now = bed.on(all -> all.bounds(guest.id()).egress());
        assertThat(now).isEqualTo(egress);
    }

    @Test
    void a_change_ends_connections_that_are_not_allowed_any_more_and_no_others() throws Exception {
        Guest guest = limited(Egress.all());
        try (ServerSocket server = bed.neighbor.call(() -> new ServerSocket(90));
                Socket kept = connected(guest, NEIGHBOR, server);
                Socket ended = connected(guest, OTHER, server);
                Socket ended6 = connected(guest, NEIGHBOR_6, server)) {
            limit(guest, Egress.only("192.0.2.0/29:90", "192.0.2.9:91"));

            assertThat(echoes(kept)).isTrue();
            assertThat(echoes(ended)).isFalse();
            assertThat(echoes(ended6)).isFalse();
        }
    }

    /// Connects to a server that answers each byte with itself.
    private static Socket connected(Guest guest, InetAddress to, ServerSocket server) throws Exception {
        Socket client = guest.namespace().call(() -> new Socket(to, server.getLocalPort()));
        Socket accepted = server.accept();
        Thread.ofPlatform().daemon().start(() -> {
            try (accepted) {
                accepted.getInputStream().transferTo(accepted.getOutputStream());
            } catch (IOException e) {
                // its container is gone
            }
        });
        assertThat(echoes(client)).isTrue();
        return client;
    }

    private static boolean echoes(Socket socket) throws IOException {
        socket.setSoTimeout(1500);
        try {
            socket.getOutputStream().write(7);
            return socket.getInputStream().read() == 7;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void each_denial_is_reported_with_its_container_and_destination() {
        Guest guest = limited(Egress.only(Bed.NEIGHBOR + ":80"));
        Guest other = limited(Egress.none());
        try (DenialLog log = bed.host.call(() -> DenialLog.open(
                        directory, (_, address) -> Optional.of("name of " + address.getHostAddress()))
                .orElseThrow())) {
            assertThat(bed.<Boolean>on(all -> DenialLog.open(directory, (_, _) -> Optional.empty())
                            .isPresent()))
                    .as("a second reader")
                    .isFalse();
            assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
            assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 81)).isTrue();
            assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR_6, 82)).isTrue();
            assertThat(Bed.isClosed(other.namespace(), OTHER, 83)).isTrue();
            assertThat(Bed.pings(other.namespace(), NEIGHBOR_6)).isFalse();

            List<EgressDenial> denials = log.next();

            assertThat(denials)
                    .contains(
                            denial(guest, NEIGHBOR, 81, "tcp"),
                            denial(guest, NEIGHBOR_6, 82, "tcp"),
                            denial(other, OTHER, 83, "tcp"),
                            denial(other, NEIGHBOR_6, 0, "icmpv6"));
            assertThat(denials.stream().map(EgressDenial::port)).doesNotContain(80);
        }
    }

    private static EgressDenial denial(Guest guest, InetAddress address, int port, String protocol) {
        return new EgressDenial(
                guest.id(),
                Optional.of("name of " + address.getHostAddress()),
                Optional.of(address),
                port,
                protocol,
                "the destination is not on its list");
    }

    @Test
    void the_reports_of_a_container_are_bounded_and_keep_no_other_from_being_heard() {
        Guest loud = limited(Egress.none());
        Guest quiet = limited(Egress.none());
        try (DenialLog log = bed.host.call(
                () -> DenialLog.open(directory, (_, _) -> Optional.empty()).orElseThrow())) {
            long before = System.nanoTime();
            loud.namespace().call(() -> {
                try (var socket = new DatagramSocket()) {
                    for (int i = 0; i < 2000; i++) {
                        socket.send(new DatagramPacket(new byte[] {1}, 1, new InetSocketAddress(NEIGHBOR, 1000 + i)));
                    }
                }
                return null;
            });
            long seconds = (System.nanoTime() - before) / 1_000_000_000 + 1;
            assertThat(Bed.isClosed(quiet.namespace(), NEIGHBOR, 81)).isTrue();

            List<EgressDenial> denials = log.next();

            assertThat(denials.stream().filter(one -> one.container().equals(loud.id())))
                    .hasSizeBetween(10, (int) (40 + 10 * seconds));
            assertThat(denials).anyMatch(one -> one.container().equals(quiet.id()));
            assertThat(bed.<Long>on(all -> all.denied(loud.id()))).isEqualTo(2000);
        }
    }

    @Test
    void nothing_stays_of_a_container_that_is_released() {
        Guest guest = limited(Egress.only(Bed.NEIGHBOR + ":80", "192.0.2.0/24:90-91", "[2001:db8::2]:80"));
        assertThat(Bed.isClosed(guest.namespace(), OTHER, 80)).isTrue();
        assertThat(bed.host.sh("nft list ruleset")).contains(Bed.NEIGHBOR);

        bed.on(all -> {
            all.release(guest.id());
            return null;
        });

        String left = bed.host.sh("nft list ruleset");
        assertThat(left)
                .doesNotContain(guest.ip4().getHostAddress() + " ")
                .doesNotContain("192.0.2.")
                .doesNotContain("2001:db8");
        Guest next = bed.guest("net");
        assertThat(next.ip4()).isEqualTo(guest.ip4());
        assertThat(Bed.connects(next.namespace(), NEIGHBOR, 81)).isTrue();
    }

    @Test
    void tables_that_were_flushed_are_made_again_with_the_list() {
        Guest guest = limited(Egress.only(Bed.NEIGHBOR + ":80"));
        bed.host.sh("nft flush ruleset");
        bed.on(all -> all.attach(guest.id(), "", List.of()));

        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 81)).isTrue();
    }

    @Test
    void a_flushed_set_closes_and_does_not_open() {
        Guest guest = limited(Egress.only(Bed.NEIGHBOR + ":80"));
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 80)).isTrue();
        bed.host.sh("nft flush set inet $(nft list tables inet | grep -o 'caisson.*') reached");

        assertThat(Bed.isClosed(guest.namespace(), NEIGHBOR, 80)).isTrue();
        limit(guest, Egress.only(Bed.NEIGHBOR + ":81"));
        assertThat(Bed.connects(guest.namespace(), NEIGHBOR, 81)).isTrue();
    }

    @Test
    void a_container_without_a_network_has_no_list() {
        assertThatThrownBy(() -> limit(new Guest(bed.host, ContainerId.random(), List.of()), Egress.none()))
                .isInstanceOf(NetworkException.class)
                .hasMessageContaining("is on no network");
    }
}
