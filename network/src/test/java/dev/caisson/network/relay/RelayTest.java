package dev.caisson.network.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.network.Namespace;
import java.io.File;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Ports of loopback lead to a container's address, in a network namespace whose loopback has both.
@Tag("root")
class RelayTest {
    private static final Relay.Bounds SMALL = new Relay.Bounds(2, 2, 300);

    private Namespace host;
    private Relay relay;
    private Fd port;
    private InetSocketAddress published;
    private ServerSocket server;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeEach
    void makeAHostWithAContainersAddress() {
        host = new Namespace();
        host.sh("ip addr add 10.9.0.2/32 dev lo");
        relay = host.call(() -> new Relay(_ -> {}));
        port = host.call(() -> InternetSockets.bindTcp(new InetSocketAddress(ip("127.0.0.1"), 0)));
        published = InternetSockets.localAddress(port);
        server = host.call(() -> new ServerSocket(80, 50, ip("10.9.0.2")));
        opened.add(server);
    }

    @AfterEach
    void leave() throws Exception {
        relay.close();
        for (AutoCloseable one : opened) {
            one.close();
        }
        port.close();
        host.close();
    }

    @Test
    void each_direction_ends_by_itself_and_nothing_is_lost() throws Exception {
        relay.tcp(port, server(), Relay.Bounds.STANDARD);
        Socket client = connect();
        Socket container = accept();

        client.getOutputStream().write("question".getBytes(UTF_8));
        client.shutdownOutput();
        assertThat(container.getInputStream().readAllBytes()).isEqualTo("question".getBytes(UTF_8));
        container.getOutputStream().write("a late answer".getBytes(UTF_8));
        container.close();

        assertThat(client.getInputStream().readAllBytes()).isEqualTo("a late answer".getBytes(UTF_8));
    }

    @Test
    void much_goes_both_ways_at_once_to_a_side_that_reads_late() throws Exception {
        relay.tcp(port, server(), Relay.Bounds.STANDARD);
        Socket client = connect();
        Socket container = accept();
        var bytes = new byte[20 << 20];
        new Random(3).nextBytes(bytes);
        var there = CompletableFuture.runAsync(() -> write(client, bytes));
        var back = CompletableFuture.runAsync(() -> write(container, bytes));
        Thread.sleep(300); // both are full now

        assertThat(container.getInputStream().readAllBytes()).isEqualTo(bytes);
        assertThat(client.getInputStream().readAllBytes()).isEqualTo(bytes);
        there.join();
        back.join();
    }

    @Test
    void a_port_where_the_container_does_not_listen_closes_the_connection() throws Exception {
        server.close();
        relay.tcp(port, server(), Relay.Bounds.STANDARD);

        Socket client = connect();

        assertThat(read(client)).isNegative();
    }

    @Test
    void a_side_that_breaks_the_connection_ends_the_other() throws Exception {
        relay.tcp(port, server(), Relay.Bounds.STANDARD);
        Socket client = connect();
        Socket container = accept();
        container.setSoLinger(true, 0);
        container.close();

        assertThat(read(client)).isNegative();
    }

    @Test
    void connections_beyond_the_bound_wait_until_one_ends() throws Exception {
        relay.tcp(port, server(), new Relay.Bounds(2, 2, 90_000));
        Socket first = connect();
        connect();
        connect();
        Socket one = accept();
        accept();
        server.setSoTimeout(300);
        assertThat(catchThrowable(server::accept)).isInstanceOf(SocketTimeoutException.class);

        first.close();
        one.close();

        server.setSoTimeout(5_000);
        accept();
    }

    /// A client that went away may leave a container that never ends its side.
    @Test
    void connections_that_one_side_has_ended_give_way_to_a_new_one() throws Exception {
        relay.tcp(port, server(), new Relay.Bounds(2, 2, 5_000));
        Socket working = connect();
        Socket one = accept();
        Socket ended = connect();
        accept();
        ended.close();
        Thread.sleep(700);
        working.getOutputStream().write('x');
        assertThat(one.getInputStream().read()).isEqualTo('x');

        connect().getOutputStream().write('y');

        assertThat(accept().getInputStream().read()).isEqualTo('y');
        working.getOutputStream().write('z');
        assertThat(one.getInputStream().read()).isEqualTo('z');
    }

    @Test
    void the_connection_that_was_silent_longest_gives_way_to_a_new_one() throws Exception {
        relay.tcp(port, server(), SMALL);
        Socket first = connect();
        Socket one = accept();
        connect();
        Socket other = accept();
        Thread.sleep(400);
        first.getOutputStream().write('x');
        assertThat(one.getInputStream().read()).isEqualTo('x');

        connect().getOutputStream().write('y');

        assertThat(accept().getInputStream().read()).isEqualTo('y');
        assertThat(read(other)).isNegative();
        first.getOutputStream().write('z');
        assertThat(one.getInputStream().read()).isEqualTo('z');
    }

    /// Each takes two descriptors of the engine, which does everything else with the same.
    @Test
    void ports_share_a_bound_and_the_one_that_has_most_gives_one_up() throws Exception {
        var many = new Relay.Bounds(6_000, 6_000, 90_000);
        Fd greedy = udpPort();
        relay.udp(greedy, server(), many);
        relay.tcp(port, server(), many);
        int before = descriptors();
        host.sh("""
                timeout 30 python3 -c '
                import resource, socket, time
                resource.setrlimit(resource.RLIMIT_NOFILE, (9000, 9000))
                all = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(5000)]
                for i, s in enumerate(all):
                    s.sendto(b"x", ("127.0.0.1", %d))
                    if i %% 50 == 0: time.sleep(0.01)'
                """.formatted(InternetSockets.localAddress(greedy).getPort()));

        connect().getOutputStream().write('y');

        assertThat(accept().getInputStream().read()).isEqualTo('y');
        assertThat(descriptors() - before).isBetween(1_000, 4_096 + 16);
        greedy.close();
    }

    @Test
    void a_client_of_udp_gets_the_answers_to_its_own_questions() throws Exception {
        DatagramSocket container = host.call(() -> new DatagramSocket(new InetSocketAddress(ip("10.9.0.2"), 53)));
        opened.add(container);
        container.setSoTimeout(5_000);
        Fd udp = udpPort();
        relay.udp(udp, new InetSocketAddress(ip("10.9.0.2"), 53), Relay.Bounds.STANDARD);
        var clients = new ArrayList<DatagramSocket>();
        for (int i = 0; i < 3; i++) {
            clients.add(client(udp));
            send(clients.get(i), "question " + i);
        }
        var large = new byte[60_000];
        for (int i = 0; i < 3; i++) {
            var packet = new DatagramPacket(new byte[100], 100);
            container.receive(packet);
            large[0] = packet.getData()[9];
            container.send(new DatagramPacket(large, large.length, packet.getSocketAddress()));
        }

        for (int i = 0; i < 3; i++) {
            var answer = new DatagramPacket(new byte[65_000], 65_000);
            clients.get(i).receive(answer);
            assertThat(answer.getLength()).isEqualTo(large.length);
            assertThat(answer.getData()[0]).isEqualTo((byte) ('0' + i));
        }
        udp.close();
    }

    @Test
    void silent_clients_of_udp_are_forgotten_and_the_most_silent_first() throws Exception {
        DatagramSocket container = host.call(() -> new DatagramSocket(new InetSocketAddress(ip("10.9.0.2"), 53)));
        opened.add(container);
        Fd udp = udpPort();
        relay.udp(udp, new InetSocketAddress(ip("10.9.0.2"), 53), SMALL);
        int before = descriptors();
        List<DatagramSocket> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(client(udp));
        }
        int withClients = descriptors();
        for (DatagramSocket client : clients) {
            send(client, "x");
            container.receive(new DatagramPacket(new byte[10], 10));
        }
        assertThat(descriptors() - withClients).isEqualTo(2);

        Thread.sleep(900);
        assertThat(descriptors() - withClients).isZero();
        assertThat(withClients - before).isEqualTo(4);
        udp.close();
    }

    @Test
    void nothing_is_left_open_when_a_port_is_closed() throws Exception {
        Relay.Port first = relay.tcp(port, server(), Relay.Bounds.STANDARD);
        connect();
        accept();
        first.close();
        int before = descriptors();
        Relay.Port again = relay.tcp(port, server(), Relay.Bounds.STANDARD);
        Socket client = connect();
        Socket container = accept();
        again.close();

        assertThat(read(client)).isNegative();
        assertThat(read(container)).isNegative();
        client.close();
        container.close();
        assertThat(descriptors()).isEqualTo(before);
        assertThat(port.isOpen()).isTrue();
    }

    private static InetSocketAddress server() {
        return new InetSocketAddress(ip("10.9.0.2"), 80);
    }

    private Socket connect() {
        Socket client = host.call(() -> new Socket(published.getAddress(), published.getPort()));
        opened.add(client);
        return client;
    }

    private Socket accept() throws IOException {
        if (server.getSoTimeout() == 0) {
            server.setSoTimeout(5_000);
        }
        Socket container = server.accept();
        container.setSoTimeout(20_000);
        opened.add(container);
        return container;
    }

    private Fd udpPort() {
        return host.call(() -> InternetSockets.bindUdp(new InetSocketAddress(ip("127.0.0.1"), 0)));
    }

    private DatagramSocket client(Fd udp) {
        DatagramSocket client = host.call(() -> new DatagramSocket());
        opened.add(client);
        try {
            client.connect(InternetSockets.localAddress(udp));
            client.setSoTimeout(5_000);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return client;
    }

    private static void send(DatagramSocket client, String text) throws IOException {
        client.send(new DatagramPacket(text.getBytes(UTF_8), text.length()));
    }

    /// The end of a connection, orderly or not.
    private static int read(Socket socket) throws IOException {
        socket.setSoTimeout(5_000);
        try {
            return socket.getInputStream().read();
        } catch (java.net.SocketException e) {
            return -1;
        }
    }

    private static void write(Socket socket, byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
            socket.shutdownOutput();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int descriptors() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }

    private static InetAddress ip(String text) {
        return InetAddress.ofLiteral(text);
    }
}
