package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.SetElement;
import dev.caisson.spec.ContainerId;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Prints what a place on a network costs, what connections do that go from container to container and from a neighbor
/// of the host to a published port, what iperf3 carries there, and how long the name of a container takes: ours, and
/// those of a dockerd in namespaces of its own, by turns. Client and server are the same for both. With `tables` or
/// `ports` it prints that part alone.
final class NetworksBenchmark {
    private static final int PORT = 80;
    private static final int PUBLISHED = 8080;
    private static final int PLACES = 200;
    private static final int PORTS = 1000;
    private static final int LAST = 20;
    private static final int ELEMENTS = 10_000;
    static final int CONNECTIONS = 1500;
    private static final int TURNS = 4;
    private static final long STREAM_NANOS = 1_500_000_000L;
    private static final int QUESTIONS = 1500;
    private static final long PAUSE_NANOS = 2_000_000;
    private static final int AT_ONCE = 200;
    private static final byte ANSWER = 1;
    private static final byte SWALLOW = 2;

    private NetworksBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        Path directory = Files.createTempDirectory(
                "networks", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        System.out.println(
                "load before " + Files.readString(Path.of("/proc/loadavg")).strip());
        try (var bed = new Bed(Files.createDirectory(
                directory.resolve("ours"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))))) {
            bed.on(all -> all.create(new NetworkSpec("web", List.of(), false, false, true, 0, Map.of())));
            String part = arguments.length == 0 ? "" : arguments[0];
            if (part.isEmpty()) {
                all(bed, directory);
            }
            if (part.isEmpty() || part.equals("tables")) {
                StandbyCost.print(bed);
            }
            if (part.isEmpty() || part.equals("ports")) {
                PortCurve.print(bed, directory);
            }
        }
        System.out.println(
                "load after " + Files.readString(Path.of("/proc/loadavg")).strip());
    }

    private static void all(Bed bed, Path directory) throws Exception {
        places(bed);
        ports(bed);
        atOnce(bed);
        elements();
        Bed.Guest client = bed.guest("web");
        var id = ContainerId.random();
        Bed.Guest server = bed.started(id, bed.on(all -> all.attach(id, "server", List.of(NetworkEndpoint.on("web")))));
        bed.on(all -> Bed.publish(
                all,
                server.id(),
                List.of(
                        new PortMapping(Optional.empty(), PUBLISHED, PORT, Transport.TCP),
                        iperf(Transport.TCP),
                        iperf(Transport.UDP))));
        serve(server.namespace());
        var paths = new ArrayList<Way>();
        InetAddress host = InetAddress.ofLiteral(Bed.HOST);
        try (DockerBed docker = DockerBed.start(directory.resolve("docker"));
                NameService _ = resolver(bed, directory.resolve("ours"), client)) {
            serve(docker.server());
            paths.add(new Way("neighbor to published, docker", docker.neighbor(), host, PUBLISHED));
            paths.add(new Way("neighbor to published, ours", bed.neighbor, host, PUBLISHED));
            paths.add(new Way("container to container, docker", docker.client(), docker.address(), PORT));
            paths.add(new Way("container to container, ours", client.namespace(), server.ip4(), PORT));
            compare(paths);
            IperfComparison.print(List.of(
                    new IperfComparison.Way(
                            "host to published, docker",
                            docker.host(),
                            host,
                            IperfComparison.PUBLISHED,
                            docker.server()),
                    new IperfComparison.Way(
                            "host to published, ours", bed.host, host, IperfComparison.PUBLISHED, server.namespace()),
                    new IperfComparison.Way(
                            "container to container, docker",
                            docker.client(),
                            docker.address(),
                            IperfComparison.PORT,
                            docker.server()),
                    new IperfComparison.Way(
                            "container to container, ours",
                            client.namespace(),
                            server.ip4(),
                            IperfComparison.PORT,
                            server.namespace())));
            names(docker.client(), docker.address(), client.namespace(), server.ip4());
        }
    }

    private static PortMapping iperf(Transport transport) {
        return new PortMapping(Optional.empty(), IperfComparison.PUBLISHED, IperfComparison.PORT, transport);
    }

    /// Places are given and taken one after the other; the links are made by the container's zygote.
    private static void places(Bed bed) {
        List<NetworkEndpoint> web = List.of(NetworkEndpoint.on("web"));
        var given = new long[PLACES];
        var taken = new long[PLACES];
        for (int turn = 0; turn < 2; turn++) { // the first warms up
            for (int i = 0; i < PLACES; i++) {
                var id = ContainerId.random();
                given[i] = nanos(() -> bed.on(all -> all.attach(id, "", web)));
                taken[i] = nanos(() -> bed.on(all -> {
                    all.release(id);
                    return 0;
                }));
            }
        }
        System.out.printf("a place on a network: given in %s, taken in %s%n", spread(given), spread(taken));
    }

    private static void ports(Bed bed) {
        Bed.Guest guest = bed.guest("web");
        var took = new long[PORTS];
        for (int i = 0; i < PORTS; i++) {
            var port = new PortMapping(Optional.empty(), 20_000 + i, PORT, Transport.TCP);
            took[i] = nanos(() -> bed.on(all -> Bed.publish(all, guest.id(), List.of(port))));
        }
        System.out.printf(
                "a published port: the %d from the 100th %s, the last %d of %d %s%n",
                LAST,
                spread(Arrays.copyOfRange(took, 100, 100 + LAST)),
                LAST,
                PORTS,
                spread(Arrays.copyOfRange(took, PORTS - LAST, PORTS)));
        System.out.printf(
                "tables that a flush took, made again with %d published ports: %s%n", PORTS, spread(made(bed)));
        bed.on(all -> {
            all.release(guest.id());
            return 0;
        });
    }

    /// Makes the tables again with what is recorded, as after a flush.
    private static long[] made(Bed bed) {
        var took = new long[LAST];
        for (int i = 0; i < LAST; i++) {
            bed.host.sh("nft flush ruleset");
            took[i] = nanos(() -> bed.on(all -> {
                all.recover(_ -> true);
                return 0;
            }));
        }
        return took;
    }

    /// So many threads ask for a place each, and give it back. They are served one after the other, as all who ask an
    /// engine are.
    private static void atOnce(Bed bed) throws InterruptedException {
        List<NetworkEndpoint> web = List.of(NetworkEndpoint.on("web"));
        List<ContainerId> ids =
                Stream.generate(ContainerId::random).limit(AT_ONCE).toList();
        long given = wall(ids, id -> bed.on(all -> all.attach(id, "", web)));
        long taken = wall(
                ids,
                id -> bed.on(all -> {
                    all.release(id);
                    return 0;
                }));
        System.out.printf(
                "%d places at once: given in %,d ms in all, taken in %,d%n",
                AT_ONCE, given / 1_000_000, taken / 1_000_000);
    }

    private static long wall(List<ContainerId> ids, Consumer<ContainerId> task) throws InterruptedException {
        long begun = System.nanoTime();
        var threads = new ArrayList<Thread>();
        for (ContainerId id : ids) {
            threads.add(Thread.ofPlatform().start(() -> task.accept(id)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return System.nanoTime() - begun;
    }

    private static void elements() {
        try (var namespace = new Namespace()) {
            namespace.call(() -> {
                try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER)) {
                    var tables = new Tables("caisson-0be5c4");
                    tables.replace(socket, Map.of());
                    var list = new ArrayList<SetElement>();
                    for (int i = 0; i < ELEMENTS; i++) {
                        byte[] address = {10, 1, (byte) (i >> 8), (byte) i};
                        list.add(SetElement.of(Elements.key(address, address, new byte[] {6}, Elements.number(443))));
                    }
                    Map<Sets.Place, List<SetElement>> all = Map.of(Sets.REACHED, list);
                    var added = new long[LAST];
                    var removed = new long[LAST];
                    for (int turn = 0; turn < 3 * LAST; turn++) {
                        int i = turn % LAST;
                        added[i] = nanos(() -> {
                            tables.add(socket, all);
                            return 0;
                        });
                        removed[i] = nanos(() -> {
                            tables.remove(socket, all);
                            return 0;
                        });
                    }
                    System.out.printf(
                            "%,d elements of the packet filter: added in %s, removed in %s%n",
                            ELEMENTS, spread(added), spread(removed));
                    tables.remove(socket);
                    return 0;
                }
            });
        }
    }

    /// A way that connections take.
    record Way(String name, Namespace from, InetAddress to, int port) {}

    private static void compare(List<Way> ways) {
        var latencies = new long[ways.size()][TURNS * CONNECTIONS];
        var rates = new double[ways.size()];
        for (int turn = 0; turn <= TURNS; turn++) { // the first warms up
            for (int i = 0; i < ways.size(); i++) {
                Way way = ways.get(i);
                long[] found = way.from().call(() -> connections(way));
                double rate = way.from().call(() -> stream(way));
                if (turn > 0) {
                    System.arraycopy(found, 0, latencies[i], (turn - 1) * CONNECTIONS, CONNECTIONS);
                    rates[i] = Math.max(rates[i], rate);
                }
            }
        }
        System.out.printf("%n%-32s %34s %14s%n", "TCP", "connection, question and answer", "best Gbit/s");
        for (int i = 0; i < ways.size(); i++) {
            System.out.printf("%-32s %34s %14.1f%n", ways.get(i).name(), spread(latencies[i]), rates[i]);
        }
    }

    static long[] connections(Way way) throws IOException {
        var took = new long[CONNECTIONS];
        for (int i = 0; i < CONNECTIONS; i++) {
            long begun = System.nanoTime();
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress(way.to(), way.port()), 5000);
                socket.setTcpNoDelay(true);
                socket.getOutputStream().write(ANSWER);
                if (socket.getInputStream().read() != ANSWER) {
                    throw new IOException(way.name() + " gives no answer");
                }
                took[i] = System.nanoTime() - begun;
            }
        }
        return took;
    }

    static double stream(Way way) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(way.to(), way.port()), 5000);
            socket.getOutputStream().write(SWALLOW);
            byte[] bytes = new byte[128 * 1024];
            long sent = 0;
            long begun = System.nanoTime();
            while (System.nanoTime() - begun < STREAM_NANOS) {
                socket.getOutputStream().write(bytes);
                sent += bytes.length;
            }
            return sent * 8.0 / (System.nanoTime() - begun);
        }
    }

    private static NameService resolver(Bed bed, Path directory, Bed.Guest client) throws IOException {
        Path none = Files.createFile(directory.resolve("no-servers"));
        NameService names = bed.host.call(() -> new NameService(directory, none, _ -> {}, Duration.ofHours(1)));
        Bed.serve(names, client);
        return names;
    }

    /// Asks the resolvers of two clients by turns for the name of another container.
    private static void names(Namespace theirs, InetAddress there, Namespace ours, InetAddress here) {
        var docker = new long[TURNS * QUESTIONS];
        var caisson = new long[TURNS * QUESTIONS];
        for (int turn = 0; turn <= TURNS; turn++) { // the first warms up
            long[] first = theirs.call(() -> questions(there));
            long[] second = ours.call(() -> questions(here));
            if (turn > 0) {
                System.arraycopy(first, 0, docker, (turn - 1) * QUESTIONS, QUESTIONS);
                System.arraycopy(second, 0, caisson, (turn - 1) * QUESTIONS, QUESTIONS);
            }
        }
        System.out.printf("%n%-32s %34s%n", "DNS over UDP", "another container's address");
        System.out.printf("%-32s %34s%n%-32s %34s%n", "docker", spread(docker), "ours", spread(caisson));
    }

    private static long[] questions(InetAddress expected) throws IOException {
        byte[] question = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 6, 's', 'e', 'r', 'v', 'e', 'r', 0, 0, 1, 0, 1};
        var took = new long[QUESTIONS];
        for (int i = 0; i < QUESTIONS; i++) {
            LockSupport.parkNanos(PAUSE_NANOS); // ours takes so many in a second, and lets more wait
            long begun = System.nanoTime();
            try (var socket = new DatagramSocket()) {
                socket.setSoTimeout(5000);
                socket.connect(InetAddress.ofLiteral("127.0.0.11"), 53);
                socket.send(new DatagramPacket(question, question.length));
                var answer = new DatagramPacket(new byte[512], 512);
                socket.receive(answer);
                took[i] = System.nanoTime() - begun;
                byte[] address = Arrays.copyOfRange(answer.getData(), answer.getLength() - 4, answer.getLength());
                if (!Arrays.equals(address, expected.getAddress())) {
                    throw new IOException("the resolver gives another address than " + expected.getHostAddress());
                }
            }
        }
        return took;
    }

    static void serve(Namespace where) {
        ServerSocket server = where.call(() -> new ServerSocket(PORT, 4096));
        Thread.ofPlatform().daemon().start(() -> {
            while (true) {
                try {
                    Socket socket = server.accept();
                    Thread.ofVirtual().start(() -> answer(socket));
                } catch (IOException e) {
                    return; // the benchmark is over
                }
            }
        });
    }

    private static void answer(Socket accepted) {
        try (Socket socket = accepted) {
            int first = socket.getInputStream().read();
            if (first == ANSWER) {
                socket.getOutputStream().write(ANSWER);
            } else if (first == SWALLOW) {
                byte[] bytes = new byte[128 * 1024];
                int read;
                do {
                    read = socket.getInputStream().read(bytes);
                } while (read >= 0);
            }
        } catch (IOException e) {
            // the client tells
        }
    }

    private static long nanos(Callable<?> task) {
        long begun = System.nanoTime();
        try {
            task.call();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return System.nanoTime() - begun;
    }

    /// Returns the median and the 99th of a hundred, in microseconds.
    static String spread(long[] nanos) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return "p50 %,d, p99 %,d µs"
                .formatted(sorted[sorted.length / 2] / 1000, sorted[sorted.length * 99 / 100] / 1000);
    }
}
