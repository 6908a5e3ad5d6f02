package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Counts the bytes in and out of a container, over connections that send as fast as they can.
@Tag("root")
class BandwidthTest extends OnAHost {
    /// The bytes a second that a bound of 16 mbit lets through; in the first second there are more.
    private static final int RATE = 2_000_000;

    private static final int FIRST = 2 * RATE + 256 * 1024;
    private static final int MILLIS = 2_500;
    /// The same of a second and a half, and a datagram.
    private static final int FIRST_PARTS = FIRST + RATE / 2 + 64 * 1024;

    @BeforeEach
    void makeANetwork() {
        bed.on(all -> all.create(new NetworkSpec("web", List.of(), false, true, true, 0, Map.of())));
    }

    private Guest guest(String bandwidth) {
        var id = ContainerId.random();
        Network.Joined joined = Network.on("web").bandwidth(Bandwidth.parse(bandwidth));
        return bed.started(id, bed.on(all -> all.attach(id, "", joined, ExposedPorts.NONE)));
    }

    /// Returns how many bytes come through in a while.
    private static long sent(Namespace from, Namespace to, InetAddress address) throws Exception {
        try (ServerSocket server = to.call(() -> new ServerSocket(0));
                Socket client = from.call(() -> {
                    var socket = new Socket();
                    socket.connect(new InetSocketAddress(address, server.getLocalPort()), 5_000);
                    return socket;
                });
                Socket accepted = server.accept()) {
            Thread.ofVirtual().start(() -> write(client)); // ends when the connection is closed
            accepted.setSoTimeout(MILLIS);
            long until = System.nanoTime() + MILLIS * 1_000_000L;
            long count = 0;
            byte[] buffer = new byte[64 * 1024];
            InputStream in = accepted.getInputStream();
            while (System.nanoTime() < until) {
                count += Math.max(0, in.read(buffer));
            }
            return count;
        }
    }

    private static void write(Socket client) {
        byte[] bytes = new byte[64 * 1024];
        try {
            OutputStream out = client.getOutputStream();
            while (true) {
                out.write(bytes);
            }
        } catch (IOException e) {
            // it is closed: enough was sent
        }
    }

    @Test
    void both_directions_are_bounded_each_by_itself_and_others_are_not() throws Exception {
        Guest bounded = guest("out=16mbit");
        Guest free = guest("all");
        long most = FIRST + (long) RATE * (MILLIS / 1000);

        assertThat(sent(bounded.namespace(), free.namespace(), free.ip4())).isBetween(RATE / 2L, most);
        assertThat(sent(free.namespace(), bounded.namespace(), bounded.ip4())).isGreaterThan(2 * most);

        bed.on(all -> {
            all.memberships().bound(bounded.id(), Bandwidth.parse("in=16mbit"));
            return null;
        });
        assertThat(sent(bounded.namespace(), free.namespace(), free.ip4())).isGreaterThan(2 * most);
        assertThat(sent(free.namespace(), bounded.namespace(), bounded.ip4())).isBetween(RATE / 2L, most);
        Bandwidth now = bed.on(all -> all.bounds(bounded.id()).bandwidth());
        assertThat(now).isEqualTo(new Bandwidth(16_000_000, 0));
        assertThat(bed.on(all -> all.verify(bounded.id())).stream().allMatch(HostCheck::asPlanned))
                .isTrue();
    }

    /// Sends datagrams in parts as fast as it can for a while.
    private static void flood(Guest from, String address) {
        from.namespace().call(() -> {
            try (var socket = new DatagramSocket()) {
                socket.setBroadcast(true);
                socket.setOption(StandardSocketOptions.IP_MULTICAST_IF, NetworkInterface.getByName("eth0"));
                byte[] bytes = new byte[60_000];
                var datagram = new DatagramPacket(bytes, bytes.length, InetAddress.ofLiteral(address), 9);
                long until = System.nanoTime() + 1_000_000_000L;
                while (System.nanoTime() < until) {
                    socket.send(datagram);
                }
                return null;
            }
        });
    }

    private static long received(Namespace namespace, String link) {
        return Long.parseLong(namespace
                .sh("sed -n 's/ *" + link + ": *//p' /proc/net/dev | cut -d ' ' -f 1")
                .strip());
    }

    private static boolean passesInParts(Guest guest, String to) {
        return guest.namespace().status("ping -n -c 1 -s 4000 -W 2 " + to) == 0;
    }

    /// Has frames between ports of a bridge pass the host's packet filter or not, where the kernel has the module
    /// for that: it puts parts together.
    private void showFramesToTheHost(boolean shown) {
        int value = shown ? 1 : 0;
        bed.host.status("sysctl -qw net.bridge.bridge-nf-call-iptables=" + value
                + " net.bridge.bridge-nf-call-ip6tables=" + value);
    }

    @ParameterizedTest
    @CsvSource({
        Bed.NEIGHBOR + ",false",
        Bed.NEIGHBOR + ",true",
        "2001:db8::2,false",
        "2001:db8::2,true",
        "255.255.255.255,false",
        "224.0.0.1,false",
        "ff02::1,false",
        "GATEWAY,false"
    })
    void what_is_sent_in_parts_is_bounded_and_leaves_room_for_the_parts_of_others(String address, boolean shown) {
        showFramesToTheHost(shown);
        Guest bounded = guest("out=16mbit");
        Guest free = guest("all");
        String neighbor = address.contains(":") ? "2001:db8::2" : Bed.NEIGHBOR;
        assertThat(passesInParts(free, neighbor)).isTrue();
        long before = received(bed.neighbor, "lan0");

        flood(bounded, address.equals("GATEWAY") ? bounded.gateway().getHostAddress() : address);

        assertThat(received(bed.neighbor, "lan0") - before).isLessThan(FIRST_PARTS);
        assertThat(passesInParts(free, neighbor)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void another_container_gets_parts_at_the_bound_too(boolean six, boolean shown) {
        showFramesToTheHost(shown);
        Guest bounded = guest("out=16mbit");
        Guest free = guest("all");
        long before = received(free.namespace(), "eth0");

        flood(bounded, (six ? free.ip6() : free.ip4()).getHostAddress());

        assertThat(received(free.namespace(), "eth0") - before).isLessThan(FIRST_PARTS);
    }
}
