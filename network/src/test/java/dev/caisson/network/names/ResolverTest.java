package dev.caisson.network.names;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import dev.caisson.network.GuestMessages;
import dev.caisson.network.Namespace;
import dev.caisson.spec.Subnet;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// A container asks for names with dig(1) and getaddrinfo(3), in a network namespace of its own; the resolver and other
/// servers are in another.
@Tag("root")
class ResolverTest {
    private Namespace host;
    private Namespace container;
    private Resolver resolver;
    private InetSocketAddress udp = at(0);
    private InetSocketAddress tcp = at(0);
    private final AtomicReference<NameTable> table = new AtomicReference<>(table(true));
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeEach
    void makeAHostAndAContainer() {
        host = new Namespace();
        container = new Namespace();
        resolver = host.call(() -> new Resolver(_ -> {}));
    }

    @AfterEach
    void leave() throws Exception {
        resolver.close();
        for (AutoCloseable one : opened) {
            one.close();
        }
        host.close();
        container.close();
    }

    @Test
    void a_name_has_addresses_of_both_families_whatever_its_case() {
        serve(Bounds.STANDARD);

        assertThat(dig("web")).isEqualTo("10.9.0.2");
        assertThat(dig("WEB. AAAA")).isEqualTo("fd00:9::2");
        assertThat(dig("abcdef012345")).isEqualTo("10.9.0.2");
        assertThat(dig("localhost")).isEqualTo("127.0.0.1");
        assertThat(dig("db.localhost AAAA")).isEqualTo("::1");
    }

    @Test
    void a_family_that_a_name_lacks_is_no_data_and_never_no_name() {
        serve(Bounds.STANDARD);

        assertThat(digAll("db AAAA")).contains("status: NOERROR").contains("ANSWER: 0");
        assertThat(digAll("db MX")).contains("status: NOERROR").contains("ANSWER: 0");
        assertThat(digAll("db A"))
                .contains("status: NOERROR")
                .contains("ANSWER: 1")
                .contains("flags: qr aa rd ra");
    }

    @Test
    void addresses_have_names_and_those_of_the_network_are_asked_of_nobody_else() {
        FakeServer outside = answering("192.0.2.53", 1, 2, 3, 4);
        serve(Bounds.STANDARD, "192.0.2.53");

        assertThat(dig("-x 10.9.0.2")).isEqualTo("web.net.");
        assertThat(dig("-x fd00:9::2")).isEqualTo("web.net.");
        assertThat(digAll("-x 10.9.0.77")).contains("status: NXDOMAIN");
        assertThat(outside.asked).isEmpty();
        digAll("-x 10.8.0.77");
        assertThat(outside.asked).hasSize(1);
    }

    @Test
    void programs_find_names_at_port_53_beside_a_server_of_the_containers_own() {
        serve(Bounds.STANDARD);
        redirect();

        assertThat(container.sh("""
                own=$(mktemp); trap "rm -f $own" EXIT; echo 'nameserver 127.0.0.11' > $own
                unshare -m bash -c "mount --bind $own /etc/resolv.conf; getent ahosts web; getent hosts 10.9.0.2"
                """)).contains("10.9.0.2").contains("fd00:9::2").contains("web.net");
        assertThat(container.sh("dig +short @127.0.0.11 web; dig +tcp +short @127.0.0.11 web"))
                .isEqualTo("10.9.0.2\n10.9.0.2\n");
    }

    @Test
    void a_name_of_many_containers_is_cut_by_udp_and_whole_by_tcp() {
        Map<String, List<InetAddress>> addresses = new HashMap<>();
        List<InetAddress> many = new ArrayList<>();
        for (int i = 1; i <= 200; i++) {
            many.add(ip("10.9.1." + i));
        }
        addresses.put("many", many);
        table.set(new NameTable(addresses, Map.of(), List.of(), true));
        serve(Bounds.STANDARD);

        assertThat(digAll("+ignore +noedns many"))
                .contains("flags: qr aa tc rd ra")
                .contains("ANSWER: 30");
        assertThat(digAll("+ignore many")).contains("flags: qr aa tc rd ra").contains("ANSWER: 74");
        assertThat(dig("many").lines()).hasSize(200);
        var firsts = new HashSet<String>();
        for (int i = 0; i < 12; i++) {
            firsts.add(dig("+tcp many").lines().findFirst().orElseThrow());
        }
        assertThat(firsts).as("each container is asked first now and then").hasSizeGreaterThan(3);
    }

    @Test
    void other_names_are_asked_of_a_real_server_by_udp_and_tcp() {
        dnsmasq(
                "192.0.2.53",
                "--address=/example.test/198.51.100.7",
                "--local=/gone.test/",
                "--txt-record=long.test," + String.join(",", java.util.Collections.nCopies(12, "x".repeat(200))));
        serve(Bounds.STANDARD, "192.0.2.53");

        assertThat(dig("www.example.test")).isEqualTo("198.51.100.7");
        assertThat(dig("+tcp www.example.test")).isEqualTo("198.51.100.7");
        assertThat(digAll("www.gone.test")).contains("status: NXDOMAIN");
        assertThat(digAll("+ignore long.test TXT")).contains("flags: qr tc");
        assertThat(dig("long.test TXT")).hasSizeGreaterThan(2400);
        assertThat(dig("+dnssec +nocookie www.example.test")).isEqualTo("198.51.100.7");
    }

    @Test
    void a_dead_server_costs_the_first_question_alone_a_second() {
        FakeServer dead = new FakeServer(host, address("192.0.2.1"), _ -> List.of());
        opened.add(dead);
        answering("192.0.2.2", 198, 51, 100, 8);
        serve(Bounds.STANDARD, "192.0.2.1", "192.0.2.2");

        long first = millis(() -> assertThat(dig("a.test")).isEqualTo("198.51.100.8"));
        assertThat(dig("b.test")).isEqualTo("198.51.100.8");

        assertThat(dead.asked).hasSize(1); // so the second did not wait for it
        assertThat(first).isGreaterThan(800L);
    }

    @Test
    void a_server_that_refuses_or_fails_is_passed_over_at_once() {
        FakeServer failing = new FakeServer(host, address("192.0.2.2"), q -> List.of(Messages.failure(q, 2)));
        opened.add(failing);
        answering("192.0.2.3", 198, 51, 100, 9);
        address("192.0.2.1"); // where nobody listens
        serve(Bounds.STANDARD, "192.0.2.1", "192.0.2.2", "192.0.2.3");

        assertThat(container
                        .sh("dig +time=1 +tries=1 +short " + at() + " a.test")
                        .strip())
                .isEqualTo("198.51.100.9");
        assertThat(failing.asked).hasSize(1);
    }

    @Test
    void a_question_ends_before_its_client_gives_up() {
        opened.add(new FakeServer(host, address("192.0.2.1"), _ -> List.of()));
        serve(Bounds.STANDARD, "192.0.2.1");

        assertThat(container.sh("dig +time=5 +tries=1 " + at() + " a.test")).contains("status: SERVFAIL");
    }

    @Test
    void what_does_not_answer_the_question_is_passed_over() {
        opened.add(new FakeServer(host, address("192.0.2.1"), question -> {
            byte[] id = Messages.answer(question, 6, 6, 6, 6);
            id[0] ^= 1;
            byte[] other = Messages.answer(
                    Messages.query((question[0] & 0xff) << 8 | (question[1] & 0xff), "bank.test", 1), 6, 6, 6, 6);
            byte[] asked = Messages.answer(question, 6, 6, 6, 6);
            asked[2] &= 0x7f;
            return List.of(new byte[3], id, other, asked, Messages.answer(question, 198, 51, 100, 10));
        }));
        serve(Bounds.STANDARD, "192.0.2.1");

        assertThat(dig("+noedns shop.test")).isEqualTo("198.51.100.10");
    }

    @Test
    void each_question_has_a_random_id_and_a_port_that_only_the_server_can_send_to() {
        var forged = new byte[1][];
        FakeServer[] server = new FakeServer[1];
        DatagramSocket elsewhere = host.call(() -> new DatagramSocket(new InetSocketAddress(ip("127.0.0.1"), 0)));
        server[0] = new FakeServer(host, address("192.0.2.1"), question -> {
            forged[0] = Messages.answer(question, 6, 6, 6, 6);
            try {
                int port = server[0].asked.getLast().port();
                elsewhere.send(new DatagramPacket(forged[0], forged[0].length, ip("192.0.2.1"), port));
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
            return List.of(Messages.answer(question, 198, 51, 100, 11));
        });
        opened.add(server[0]);
        serve(Bounds.STANDARD, "192.0.2.1");

        for (int i = 0; i < 20; i++) {
            assertThat(dig("+noedns n" + i + ".test")).isEqualTo("198.51.100.11");
        }

        var ids = new HashSet<Integer>();
        var ports = new HashSet<Integer>();
        for (FakeServer.Asked asked : server[0].asked) {
            ids.add(Wire.u16(asked.message(), 0));
            ports.add(asked.port());
        }
        assertThat(ids).hasSizeGreaterThan(17);
        assertThat(ports).hasSizeGreaterThan(17);
        elsewhere.close();
    }

    @Test
    void a_container_without_a_way_out_cannot_carry_data_out_in_names() {
        FakeServer outside = answering("192.0.2.1", 1, 2, 3, 4);
        table.set(table(false));
        serve(Bounds.STANDARD, "192.0.2.1");

        assertThat(digAll("secret.evil.test")).contains("status: REFUSED");
        assertThat(digAll("+tcp secret.evil.test")).contains("status: REFUSED");
        assertThat(dig("web")).isEqualTo("10.9.0.2");
        assertThat(outside.asked).isEmpty();
    }

    @Test
    void a_changed_table_holds_for_the_next_question() {
        serve(Bounds.STANDARD);
        assertThat(digAll("late")).doesNotContain("10.9.0.9");

        table.set(new NameTable(Map.of("late", List.of(ip("10.9.0.9"))), Map.of(), List.of(), true));

        assertThat(dig("late")).isEqualTo("10.9.0.9");
    }

    @Test
    void a_container_that_asks_too_much_waits_and_others_do_not() throws Exception {
        Resolver.Served flooded = serve(new Bounds(50, 4, 4));
        InetSocketAddress quickUdp;
        try (Namespace other = new Namespace()) {
            Fd udpOther = other.call(() -> InternetSockets.bindUdp(at(0)));
            Fd tcpOther = other.call(() -> InternetSockets.listenTcp(at(0), 16));
            quickUdp = InternetSockets.localAddress(udpOther);
            Resolver.Served quick = resolver.serve(
                    new Resolver.Sockets(udpOther, tcpOther),
                    new Resolver.Knowledge(table::get, Upstreams.of(List.of()), Bounds.STANDARD));
            byte[] question = Messages.query(1, "web", 1);
            long begun = System.nanoTime();
            var waited = new ArrayList<Long>();
            try (DatagramSocket flood = container.call(() -> new DatagramSocket());
                    DatagramSocket calm = other.call(() -> new DatagramSocket())) {
                calm.setSoTimeout(3_000);
                for (int i = 0; i < 400; i++) {
                    flood.send(new DatagramPacket(question, question.length, udp));
                    if (i % 20 == 0) {
                        long asked = System.nanoTime();
                        calm.send(new DatagramPacket(question, question.length, quickUdp));
                        calm.receive(new DatagramPacket(new byte[512], 512));
                        waited.add(System.nanoTime() - asked);
                    }
                }
            }
            double seconds = (System.nanoTime() - begun) / 1e9;
            assertThat(flooded.questions()).isBetween(50L, (long) (50 + 50 * seconds + 10));
            waited.sort(null);
            assertThat(waited.get(waited.size() / 2) / 1_000_000)
                    .as("milliseconds of the other container, half of the time")
                    .isLessThan(200);
            quick.close();
        }
    }

    @Test
    void more_questions_at_other_servers_than_the_bound_fail_at_once() throws Exception {
        FakeServer silent = new FakeServer(host, address("192.0.2.1"), _ -> List.of());
        opened.add(silent);
        Resolver.Served served = serve(new Bounds(1000, 3, 4), "192.0.2.1");
        try (DatagramSocket client = container.call(() -> new DatagramSocket())) {
            client.setSoTimeout(600); // before any is asked again
            for (int i = 0; i < 5; i++) {
                byte[] question = Messages.query(i, "n" + i + ".test", 1);
                client.send(new DatagramPacket(question, question.length, udp));
            }
            for (int i = 0; i < 2; i++) {
                var answer = new DatagramPacket(new byte[512], 512);
                client.receive(answer);
                assertThat(answer.getData()[1]).isIn((byte) 3, (byte) 4);
                assertThat(answer.getData()[3] & 15).isEqualTo(Wire.SERVER_FAILURE);
            }
            assertThat(served.refused()).isEqualTo(2);
            assertThat(served.questions()).isEqualTo(5);
        }
    }

    @Test
    void connections_beyond_the_bound_wait_until_another_ends() throws Exception {
        serve(new Bounds(1000, 4, 2));
        byte[] framed = Messages.bytes(new byte[] {0, 21}, Messages.query(7, "web", 1));
        List<java.net.Socket> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Socket client = container.call(() -> new Socket(tcp.getAddress(), tcp.getPort()));
            client.setSoTimeout(500);
            clients.add(client);
            client.getOutputStream().write(framed);
            if (i < 2) {
                assertThat(client.getInputStream().read()).isZero();
            }
        }
        assertThat(org.assertj.core.api.Assertions.catchThrowable(
                        () -> clients.get(2).getInputStream().read()))
                .isInstanceOf(SocketTimeoutException.class);

        clients.get(0).close();
        clients.get(2).setSoTimeout(5_000);

        assertThat(clients.get(2).getInputStream().read()).isZero();
        for (Socket client : clients) {
            client.close();
        }
    }

    @Test
    void several_questions_over_one_connection_come_in_order_however_they_are_cut() throws Exception {
        serve(Bounds.STANDARD);
        byte[] one = Messages.bytes(new byte[] {0, 21}, Messages.query(7, "web", 1));
        byte[] two = Messages.bytes(new byte[] {0, 20}, Messages.query(8, "db", 1));
        try (Socket client = container.call(() -> new Socket(tcp.getAddress(), tcp.getPort()))) {
            client.setSoTimeout(5_000);
            byte[] both = Messages.bytes(one, two);
            for (byte part : both) {
                client.getOutputStream().write(part);
                client.getOutputStream().flush();
            }
            var in = new java.io.DataInputStream(client.getInputStream());
            assertThat(in.readNBytes(in.readUnsignedShort())[1]).isEqualTo((byte) 7);
            assertThat(in.readNBytes(in.readUnsignedShort())[1]).isEqualTo((byte) 8);
            client.getOutputStream().write(new byte[] {(byte) 0xff, (byte) 0xff});
            assertThat(client.getInputStream().read())
                    .as("a question that is too long")
                    .isEqualTo(-1);
        }
    }

    @Test
    void what_is_no_question_disturbs_nobody() throws Exception {
        serve(new Bounds(100_000, 4, 4));
        var random = new Random(2);
        try (DatagramSocket client = container.call(() -> new DatagramSocket())) {
            for (int i = 0; i < 3_000; i++) {
                byte[] noise = new byte[random.nextInt(600)];
                random.nextBytes(noise);
                client.send(new DatagramPacket(noise, noise.length, udp));
            }
            client.send(new DatagramPacket(new byte[60_000], 60_000, udp));
        }
        assertThat(dig("web")).isEqualTo("10.9.0.2");
    }

    @Test
    void nothing_is_left_open_when_it_ends() throws Exception {
        opened.add(new FakeServer(host, address("192.0.2.1"), _ -> List.of()));
        Resolver.Served first = serve(Bounds.STANDARD);
        assertThat(dig("web")).isEqualTo("10.9.0.2"); // what is loaded at first use is not counted
        first.close();
        int before = descriptors();
        Resolver.Served served = serve(Bounds.STANDARD, "192.0.2.1");
        try (DatagramSocket client = container.call(() -> new DatagramSocket());
                Socket connection = container.call(() -> new Socket(tcp.getAddress(), tcp.getPort()))) {
            byte[] question = Messages.query(1, "a.test", 1);
            client.send(new DatagramPacket(question, question.length, udp));
            connection.getOutputStream().write(Messages.bytes(new byte[] {0, 24}, question));
            for (int i = 0; i < 100 && served.questions() < 2; i++) {
                Thread.sleep(20);
            }
            assertThat(served.questions()).isEqualTo(2);

            served.close();

            connection.setSoTimeout(3_000);
            connection.getInputStream().readAllBytes();
        }
        assertThat(descriptors()).isLessThanOrEqualTo(before);
        assertThat(container.sh("ss -Hlntu")).isBlank();
    }

    private static int descriptors() {
        return java.util.Objects.requireNonNull(new java.io.File("/proc/self/fd").list()).length;
    }

    private Resolver.Served serve(Bounds bounds, String... servers) {
        Fd udpSocket = container.call(() -> InternetSockets.bindUdp(at(0)));
        Fd tcpSocket = container.call(() -> InternetSockets.listenTcp(at(0), 16));
        udp = InternetSockets.localAddress(udpSocket);
        tcp = InternetSockets.localAddress(tcpSocket);
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (String server : servers) {
            addresses.add(new InetSocketAddress(ip(server), 53));
        }
        return resolver.serve(
                new Resolver.Sockets(udpSocket, tcpSocket),
                new Resolver.Knowledge(table::get, Upstreams.of(addresses), bounds));
    }

    private void redirect() {
        var messages = GuestMessages.resolver(udp.getPort(), tcp.getPort(), false);
        container.call(() -> {
            try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER)) {
                socket.commit("the resolver's rules", NetlinkWriter.of(messages));
            }
            return null;
        });
    }

    private FakeServer answering(String address, int... answer) {
        var server = new FakeServer(host, address(address), question -> List.of(Messages.answer(question, answer)));
        opened.add(server);
        return server;
    }

    private String address(String address) {
        host.sh("ip addr add " + address + "/32 dev lo");
        return address;
    }

    private void dnsmasq(String address, String... options) {
        address(address);
        Process process = host.call(() -> {
            var command = new ArrayList<>(List.of(
                    "/usr/sbin/dnsmasq",
                    "--keep-in-foreground",
                    "--conf-file=/dev/null",
                    "--no-resolv",
                    "--no-hosts",
                    "--user=root",
                    "--pid-file=",
                    "--bind-interfaces",
                    "--listen-address=" + address));
            command.addAll(List.of(options));
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
        });
        opened.add(process::destroyForcibly);
        host.sh("for i in $(seq 100); do ss -Hlnu sport = :53 | grep -q " + address
                + " && exit; sleep 0.05; done; echo dnsmasq does not listen; exit 1");
    }

    private String dig(String what) {
        return container.sh("dig +short " + at() + " " + what).strip();
    }

    private String digAll(String what) {
        return container.sh("dig " + at() + " " + what);
    }

    /// UDP and TCP have different ports here.
    private String at() {
        redirectOnce();
        return "@127.0.0.11";
    }

    private void redirectOnce() {
        if (!container.sh("nft list tables").contains("caisson")) {
            redirect();
        }
    }

    private static InetSocketAddress at(int port) {
        return new InetSocketAddress(GuestMessages.RESOLVER, port);
    }

    private static NameTable table(boolean leadsOut) {
        return new NameTable(
                Map.of(
                        "web", List.of(ip("10.9.0.2"), ip("fd00:9::2")),
                        "abcdef012345", List.of(ip("10.9.0.2")),
                        "db", List.of(ip("10.9.0.3"))),
                Map.of(ip("10.9.0.2"), "web.net", ip("fd00:9::2"), "web.net"),
                List.of(Subnet.parse("10.9.0.0/16"), Subnet.parse("fd00:9::/64")),
                leadsOut);
    }

    private static InetAddress ip(String text) {
        return InetAddress.ofLiteral(text);
    }

    private static long millis(Runnable action) {
        long begun = System.nanoTime();
        action.run();
        return (System.nanoTime() - begun) / 1_000_000;
    }
}
