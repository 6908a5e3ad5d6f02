package dev.caisson.network;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Lists that change while much goes both ways, and changes that are not finished.
@Tag("root")
class EgressChangeTest extends OnAHost {
    private static final InetAddress KEPT = Bed.ip(Bed.NEIGHBOR);
    private static final InetAddress KEPT_6 = Bed.ip("2001:db8::2");
    private static final InetAddress ENDED = Bed.ip("192.0.2.9");
    private static final InetAddress ENDED_6 = Bed.ip("2001:db8::9");
    private static final int PORT = 90;

    private final List<AutoCloseable> open = new ArrayList<>();
    private Guest guest;

    @BeforeEach
    void start() {
        bed.neighbor.sh("ip addr add 192.0.2.9/32 dev lan0; ip addr add 2001:db8::9/128 dev lan0 nodad");
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        var id = ContainerId.random();
        guest = bed.started(
                id, bed.on(all -> all.attach(id, "", List.of(NetworkEndpoint.on("net")), Egress.all(), List.of())));
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    private void limit(Egress egress) {
        bed.on(all -> {
            all.limit(guest.id(), egress);
            return null;
        });
    }

    /// Counts what has come, each way, and what was not what was to come next.
    private static final class Traffic {
        final AtomicLong out = new AtomicLong();
        final AtomicLong in = new AtomicLong();
        final AtomicLong wrong = new AtomicLong();

        long both() {
            return out.get() + in.get();
        }

        /// Returns once some more has come each way.
        boolean goesOn() throws InterruptedException {
            long before = out.get();
            long beforeIn = in.get();
            for (int i = 0; i < 150; i++) {
                if (out.get() > before + 20 && in.get() > beforeIn + 20) {
                    return true;
                }
                Thread.sleep(20);
            }
            return false;
        }

        /// True if nothing comes, either way, but what the sockets had already.
        boolean hasEnded() throws InterruptedException {
            Thread.sleep(200);
            long before = both();
            Thread.sleep(400);
            return both() == before;
        }
    }

    private Traffic tcp(InetAddress to) throws Exception {
        try (ServerSocket server = bed.neighbor.call(() -> new ServerSocket(PORT, 1, to))) {
            Socket client = guest.namespace().call(() -> new Socket(to, PORT));
            open.add(client);
            Socket accepted = server.accept();
            open.add(accepted);
            var traffic = new Traffic();
            send(client.getOutputStream());
            receive(accepted.getInputStream(), traffic.out, traffic);
            send(accepted.getOutputStream());
            receive(client.getInputStream(), traffic.in, traffic);
            return traffic;
        }
    }

    private static void send(OutputStream out) {
        daemon(() -> {
            var block = new byte[16_000];
            for (byte next = 0; ; ) {
                for (int i = 0; i < block.length; i++) {
                    block[i] = next++;
                }
                out.write(block);
            }
        });
    }

    private static void receive(InputStream in, AtomicLong count, Traffic traffic) {
        daemon(() -> {
            var block = new byte[16_000];
            byte next = 0;
            for (int length = in.read(block); length > 0; length = in.read(block)) {
                for (int i = 0; i < length; i++) {
                    if (block[i] != next++) {
                        traffic.wrong.incrementAndGet();
                    }
                }
                count.addAndGet(length);
            }
        });
    }

    private Traffic udp(InetAddress to) throws Exception {
        DatagramSocket server = bed.neighbor.call(() -> new DatagramSocket(PORT, to));
        open.add(server);
        DatagramSocket client = guest.namespace().call(() -> new DatagramSocket());
        open.add(client);
        var first = new DatagramPacket(new byte[8], 8);
        for (int i = 0; i < 5; i++) { // a link that is new may lose the first
            client.send(new DatagramPacket(new byte[8], 8, new InetSocketAddress(to, PORT)));
            Thread.sleep(100);
        }
        server.setSoTimeout(100);
        try {
            while (true) {
                server.receive(first);
            }
        } catch (IOException e) {
            server.setSoTimeout(0);
        }
        var traffic = new Traffic();
        send(client, new InetSocketAddress(to, PORT));
        receive(server, traffic.out, traffic);
        send(server, first.getSocketAddress());
        receive(client, traffic.in, traffic);
        return traffic;
    }

    private static void send(DatagramSocket from, java.net.SocketAddress to) {
        daemon(() -> {
            for (long next = 0; ; next++) {
                byte[] number = ByteBuffer.allocate(8).putLong(next).array();
                try {
                    from.send(new DatagramPacket(number, 8, to));
                } catch (IOException e) {
                    if (from.isClosed()) {
                        throw e;
                    }
                }
                Thread.sleep(1);
            }
        });
    }

    private static void receive(DatagramSocket at, AtomicLong count, Traffic traffic) {
        daemon(() -> {
            for (long next = 0; ; next++) {
                var packet = new DatagramPacket(new byte[8], 8);
                at.receive(packet);
                if (ByteBuffer.wrap(packet.getData()).getLong() != next) {
                    traffic.wrong.incrementAndGet();
                }
                count.incrementAndGet();
            }
        });
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void daemon(Work work) {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                work.run();
            } catch (Exception e) {
                // it was cut off, or the test is over
            }
        });
    }

    @Test
    void what_stays_on_the_list_loses_nothing_and_what_is_taken_off_ends_both_ways_at_once() throws Exception {
        List<Traffic> kept = List.of(tcp(KEPT), tcp(KEPT_6), udp(KEPT), udp(KEPT_6));
        List<Traffic> ended = List.of(tcp(ENDED), tcp(ENDED_6), udp(ENDED), udp(ENDED_6));
        var staying = List.of("192.0.2.2:90", "192.0.2.2:90/udp", "[2001:db8::2]:90", "[2001:db8::2]:90/udp");
        var other = new ArrayList<>(staying);
        other.addAll(List.of("192.0.2.8/31:90", "[2001:db8::8/125]:*", "192.0.2.8/31:*/udp", "[2001:db8::9]:90/udp"));
        List<Egress> wider = List.of(
                Egress.only(other.toArray(String[]::new)),
                Egress.all(),
                Egress.only("192.0.0.0/16:*", "192.0.0.0/16:*/udp", "[2001:db8::/32]:*", "[2001:db8::/32]:*/udp"));
        for (Egress egress : wider) {
            limit(egress);
            for (Traffic one : ended) {
                assertThat(one.goesOn()).as("%s", egress).isTrue();
            }
        }

        limit(Egress.only(staying.toArray(String[]::new)));

        for (Traffic one : ended) {
            assertThat(one.hasEnded()).isTrue();
        }
        for (Egress egress : wider) {
            limit(egress);
            limit(Egress.only(staying.toArray(String[]::new)));
        }
        for (Traffic one : kept) {
            assertThat(one.goesOn()).isTrue();
            assertThat(one.wrong.get()).isZero();
        }

        limit(Egress.none());
        for (Traffic one : kept) {
            assertThat(one.hasEnded()).isTrue();
        }
    }

    /// The process that changes the list is killed once it has written it down.
    @Test
    void connections_of_a_change_that_was_not_finished_end_with_its_repair() throws Exception {
        Traffic kept = tcp(KEPT);
        Traffic ended = tcp(ENDED);
        try (NetworkRecords records = NetworkRecords.open(directory);
                NetworkRecords.Held held = records.hold()) {
            held.beginLimit(guest.id());
            ContainerNetworks before = requireNonNull(records.containers().get(guest.id()));
            records.put(before.egress(Egress.only("192.0.2.2:90")));
        }
        assertThat(ended.goesOn()).isTrue();

        bed.on(Networks::list);

        assertThat(ended.hasEnded()).isTrue();
        assertThat(kept.goesOn()).isTrue();
        assertThat(kept.wrong.get()).isZero();
    }
}
