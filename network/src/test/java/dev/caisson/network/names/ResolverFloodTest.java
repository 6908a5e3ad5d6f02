package dev.caisson.network.names;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.InternetSockets;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/// A container that only connects makes its resolver do no more than one that asks.
class ResolverFloodTest {
    private static final int PER_SECOND = 50;
    private static final int PATIENCE_MILLIS = 300;

    @Test
    void connections_without_questions_are_bounded_like_questions() throws Exception {
        var loopback = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
        var sockets = new Resolver.Sockets(InternetSockets.bindUdp(loopback), InternetSockets.listenTcp(loopback, 16));
        InetSocketAddress address = InternetSockets.localAddress(sockets.tcp());
        var nothing = new NameTable(Map.of(), Map.of(), List.of(), false);
        var bounds = new Bounds(PER_SECOND, 4, 4);
        try (var resolver = new Resolver(_ -> {})) {
            resolver.serve(sockets, new Resolver.Knowledge(() -> nothing, Upstreams.of(List.of()), bounds));
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
            int served = 0;
            while (System.nanoTime() < end) {
                served += isServed(address) ? 1 : 0;
            }

            assertThat(served).isBetween(10, 3 * PER_SECOND);
        }
    }

    /// Connects, asks nothing, and returns true if the other side has noticed.
    private static boolean isServed(InetSocketAddress address) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(address, PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.shutdownOutput();
            return socket.getInputStream().read() == -1;
        } catch (SocketTimeoutException e) {
            return false;
        }
    }

    /// A container as the resolver knows it, and a client in it.
    private static final class Client implements AutoCloseable {
        private final DatagramSocket socket = new DatagramSocket();
        private final InetSocketAddress resolver;

        Client(Resolver resolver, InetSocketAddress server) throws IOException {
            var sockets =
                    new Resolver.Sockets(InternetSockets.bindUdp(LOOPBACK), InternetSockets.listenTcp(LOOPBACK, 16));
            this.resolver = InternetSockets.localAddress(sockets.udp());
            var names = new NameTable(
                    Map.of("near", List.of(InetAddress.ofLiteral("10.9.0.9"))), Map.of(), List.of(), true);
            resolver.serve(
                    sockets, new Resolver.Knowledge(() -> names, Upstreams.of(List.of(server)), Bounds.STANDARD));
            socket.setSoTimeout(3000);
        }

        void send(int id, String name) throws IOException {
            byte[] question = Messages.query(id, name, 1);
            socket.send(new DatagramPacket(question, question.length, resolver));
        }

        /// Returns the code of the answer.
        int ask(String name) throws IOException {
            send(7, name);
            var answer = new DatagramPacket(new byte[512], 512);
            socket.receive(answer);
            return answer.getData()[3] & 15;
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    /// Answers that there is no such name, but for names that begin with `slow`, of which it says nothing.
    private static void answer(DatagramSocket server) {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                while (true) {
                    var packet = new DatagramPacket(new byte[512], 512);
                    server.receive(packet);
                    byte[] message = packet.getData();
                    if (new String(message, 13, 4, StandardCharsets.US_ASCII).equals("slow")) {
                        continue;
                    }
                    message[2] |= (byte) 0x80;
                    message[3] = (byte) ((message[3] & 0xf0) | Wire.NAME_ERROR);
                    server.send(packet);
                }
            } catch (IOException e) {
                // the end of the test
            }
        });
    }

    /// Names whose servers do not answer keep a question open for seconds. Together these have all that there are.
    @Test
    void containers_that_have_all_questions_at_other_servers_give_way_to_one_that_has_none() throws Exception {
        var greedy = new ArrayList<Client>();
        try (var resolver = new Resolver(_ -> {});
                var server = new DatagramSocket(LOOPBACK)) {
            answer(server);
            var address = (InetSocketAddress) server.getLocalSocketAddress();
            int each = Bounds.STANDARD.inFlight();
            for (int i = 0; i < 512 / each; i++) {
                greedy.add(new Client(resolver, address));
            }
            try (var calm = new Client(resolver, address)) {
                assertThat(calm.ask("other.test")).isEqualTo(Wire.NAME_ERROR);
                for (Client one : greedy) {
                    for (int i = 0; i < each; i++) {
                        one.send(i, "slow" + i + ".test");
                    }
                }
                Thread.sleep(500);

                for (int i = 0; i < 20; i++) {
                    assertThat(calm.ask("other" + i + ".test")).isEqualTo(Wire.NAME_ERROR);
                }
            }
        } finally {
            greedy.forEach(Client::close);
        }
    }

    /// From many ports, with names of ours and names of others.
    @Test
    void a_container_is_answered_soon_while_others_ask_as_much_as_they_can() throws Exception {
        var greedy = new ArrayList<Client>();
        var over = new AtomicBoolean();
        try (var resolver = new Resolver(_ -> {});
                var server = new DatagramSocket(LOOPBACK)) {
            answer(server);
            var address = (InetSocketAddress) server.getLocalSocketAddress();
            try (var calm = new Client(resolver, address)) {
                for (int i = 0; i < 4; i++) {
                    var one = new Client(resolver, address);
                    greedy.add(one);
                    Thread.ofVirtual().start(() -> flood(one, over));
                }
                var nanos = new ArrayList<Long>();
                for (int i = 0; i < 300; i++) {
                    long begun = System.nanoTime();
                    assertThat(calm.ask("near")).isZero();
                    nanos.add(System.nanoTime() - begun);
                    Thread.sleep(2);
                }
                nanos.sort(null);
                assertThat(nanos.get(nanos.size() * 99 / 100) / 1_000_000)
                        .as("milliseconds, 99 of 100")
                        .isLessThan(300);
            }
        } finally {
            over.set(true);
            greedy.forEach(Client::close);
        }
    }

    private static void flood(Client one, AtomicBoolean over) {
        for (int i = 0; !over.get(); i++) {
            byte[] question = Messages.query(i & 0xffff, i % 2 == 0 ? "near" : "slow" + i + ".test", 1);
            try (var from = new DatagramSocket()) {
                for (int k = 0; k < 16; k++) {
                    from.send(new DatagramPacket(question, question.length, one.resolver));
                }
            } catch (IOException e) {
                // no port is left: another one will be
            }
        }
    }
}
