package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Network;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Counts the bytes in and out of a container, over connections that send as fast as they can.
@Tag("root")
class BandwidthTest extends OnAHost {
    /// The bytes a second that a bound of 16 mbit lets through; in the first second there are more.
    private static final int RATE = 2_000_000;

    private static final int FIRST = 2 * RATE + 256 * 1024;
    private static final int MILLIS = 2_500;

    private Guest guest(String bandwidth) {
        var id = ContainerId.random();
        Network.Joined joined = Network.on("bridge").bandwidth(Bandwidth.parse(bandwidth));
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
}
