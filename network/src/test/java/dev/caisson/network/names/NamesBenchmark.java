package dev.caisson.network.names;

import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.network.Namespace;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Prints how long a program waits for a name: of a container, from our resolver and from dnsmasq, and of somebody
/// else, whom both ask the same third server for. One client asks one after the other, each in turn.
final class NamesBenchmark {
    private static final int WARM_UP = 5_000;
    private static final int ROUNDS = 20_000;

    private NamesBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        try (Namespace host = new Namespace();
                Namespace container = new Namespace();
                Resolver resolver = host.call(() -> new Resolver(_ -> {}))) {
            Fd udp = container.call(() -> InternetSockets.bindUdp(at("127.0.0.11", 0)));
            Fd tcp = container.call(() -> InternetSockets.listenTcp(at("127.0.0.11", 0), 16));
            var ours = InternetSockets.localAddress(udp);
            host.sh("ip addr add 192.0.2.53/32 dev lo");
            Process third = dnsmasq(host, "192.0.2.53", "--host-record=far.test,198.51.100.7", "--cache-size=0");
            Process theirs =
                    dnsmasq(host, "127.0.0.1", "--host-record=web,10.9.0.2", "--server=192.0.2.53", "--cache-size=0");
            try {
                var table = new NameTable(
                        Map.of("web", List.of(InetAddress.ofLiteral("10.9.0.2"))), Map.of(), List.of(), true);
                resolver.serve(
                        new Resolver.Sockets(udp, tcp),
                        new Resolver.Knowledge(
                                () -> table,
                                Upstreams.of(List.of(at("192.0.2.53", 53))),
                                new Bounds(10_000_000, 64, 16)));
                System.out.println(
                        "load " + Files.readString(Path.of("/proc/loadavg")).strip());
                System.out.printf("%-28s %9s %9s %9s%n", "microseconds", "p50", "p99", "p99.9");
                compare("web", container, ours, host);
                compare("far.test", container, ours, host);
            } finally {
                third.destroyForcibly().waitFor();
                theirs.destroyForcibly().waitFor();
            }
        }
    }

    private static void compare(String name, Namespace container, InetSocketAddress ours, Namespace host)
            throws IOException {
        byte[] question = Messages.query(1, name, 1);
        try (DatagramSocket one = container.call(() -> client(ours));
                DatagramSocket other = host.call(() -> client(at("127.0.0.1", 53)))) {
            var nanos = new long[2][ROUNDS];
            for (int i = -WARM_UP; i < ROUNDS; i++) {
                long first = ask(one, question);
                long second = ask(other, question);
                if (i >= 0) {
                    nanos[0][i] = first;
                    nanos[1][i] = second;
                }
            }
            print(name + ", caisson", nanos[0]);
            print(name + ", dnsmasq", nanos[1]);
        }
    }

    private static DatagramSocket client(InetSocketAddress server) throws IOException {
        var socket = new DatagramSocket();
        socket.connect(server);
        socket.setSoTimeout(5_000);
        return socket;
    }

    private static long ask(DatagramSocket socket, byte[] question) throws IOException {
        long begun = System.nanoTime();
        socket.send(new DatagramPacket(question, question.length));
        var answer = new DatagramPacket(new byte[512], 512);
        socket.receive(answer);
        long taken = System.nanoTime() - begun;
        if (answer.getData()[7] != 1) {
            throw new IllegalStateException("an answer without an address");
        }
        return taken;
    }

    private static void print(String what, long[] nanos) {
        Arrays.sort(nanos);
        System.out.printf(
                "%-28s %9.1f %9.1f %9.1f%n",
                what,
                nanos[nanos.length / 2] / 1e3,
                nanos[nanos.length / 100 * 99] / 1e3,
                nanos[nanos.length / 1000 * 999] / 1e3);
    }

    private static Process dnsmasq(Namespace namespace, String address, String... options) {
        Process process = namespace.call(() -> {
            var command = new java.util.ArrayList<>(List.of(
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
        namespace.sh("for i in $(seq 100); do ss -Hlnu sport = :53 | grep -q " + address
                + " && exit; sleep 0.05; done; echo dnsmasq does not listen; exit 1");
        return process;
    }

    private static InetSocketAddress at(String address, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(address), port);
    }
}
