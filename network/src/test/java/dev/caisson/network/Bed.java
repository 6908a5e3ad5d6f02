package dev.caisson.network;

import dev.caisson.linux.Fd;
import dev.caisson.linux.InternetSockets;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.PortMapping;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// A host of the test's own, with networks, containers that are namespaces alone, and a neighbor on its LAN.
final class Bed implements AutoCloseable {
    /// The host's address on the LAN, and the neighbor's.
    static final String HOST = "192.0.2.1";

    static final String NEIGHBOR = "192.0.2.2";
    private static final int PATIENCE_MILLIS = 5000;
    private static final int IMPATIENCE_MILLIS = 600;

    /// A container without programs.
    record Guest(Namespace namespace, ContainerId id, List<Attachment> attachments) {
        InetAddress ip4() {
            return attachments.getFirst().ip4().orElseThrow().address();
        }

        InetAddress ip6() {
            return attachments.getFirst().ip6().orElseThrow().address();
        }

        InetAddress gateway() {
            return attachments.getFirst().ip4().orElseThrow().gateway();
        }
    }

    final Namespace host = new Namespace();
    final Namespace neighbor = new Namespace();
    private final Path directory;
    private final List<AutoCloseable> open = new ArrayList<>();
    private Networks networks;

    Bed(Path directory) {
        this.directory = directory;
        host.sh("ip link add lan0 type veth peer name lan0 netns " + thread(neighbor) + "; ip addr add " + HOST
                + "/24 dev lan0; ip addr add 2001:db8::1/64 dev lan0 nodad; ip link set lan0 up");
        neighbor.sh("ip addr add " + NEIGHBOR + "/24 dev lan0; ip addr add 2001:db8::2/64 dev lan0 nodad;"
                + " ip link set lan0 up");
        networks = host.call(() -> Networks.open(directory));
    }

    /// Does something with the networks, in the host's namespace.
    <T> T on(Function<Networks, T> task) {
        return host.call(() -> task.apply(networks));
    }

    /// Has ports of the host lead to a container.
    static List<PortMapping> publish(Networks networks, ContainerId id, List<PortMapping> ports) {
        List<PortMapping> chosen = networks.publishing().reserve(id, ports);
        networks.publishing().lead(id);
        return chosen;
    }

    /// Closes them and opens them anew, as another process would.
    void reopen() {
        host.call(() -> {
            networks.close();
            networks = Networks.open(directory);
            return null;
        });
    }

    Guest guest(String... names) {
        return guest(Arrays.stream(names).map(NetworkEndpoint::on).toList());
    }

    Guest guest(List<NetworkEndpoint> endpoints) {
        var id = ContainerId.random();
        List<Attachment> attachments = on(all -> all.attach(id, "", endpoints));
        return started(id, attachments);
    }

    /// Has a container's questions for names answered, over sockets of its namespace.
    ///
    /// @param servers what else is asked
    static void serve(NameService names, Guest guest, InetAddress... servers) {
        Namespace namespace = guest.namespace();
        var resolver = new InetSocketAddress(GuestMessages.RESOLVER, 0);
        Fd udp = namespace.call(() -> InternetSockets.bindUdp(resolver));
        Fd tcp = namespace.call(() -> InternetSockets.listenTcp(resolver, 16));
        byte[] rules = GuestMessages.resolver(
                InternetSockets.localAddress(udp).getPort(),
                InternetSockets.localAddress(tcp).getPort(),
                false);
        namespace.call(() -> {
            try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER)) {
                socket.commit("the resolver's rules", NetlinkWriter.of(rules));
            }
            return null;
        });
        names.serve(guest.attachments().getFirst().container(), udp, tcp, List.of(servers));
    }

    /// Makes the links of a container, as its zygote does, and sets them up, as its first process does.
    Guest started(ContainerId id, List<Attachment> attachments) {
        var namespace = new Namespace();
        open.add(namespace);
        for (Attachment one : attachments) {
            namespace.sh("ip link add " + one.guestName() + " index " + one.guestIndex() + " address " + one.mac()
                    + " mtu " + one.mtu() + " type veth peer name " + one.hostLink() + " mtu " + one.mtu() + " netns "
                    + thread(host));
            host.sh("ip link set " + one.hostLink() + " master " + one.bridge() + "; ip link set " + one.hostLink()
                    + " type bridge_slave isolated " + (one.isolated() ? "on" : "off") + "; ip link set "
                    + one.hostLink() + " up");
        }
        namespace.call(() -> {
            try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.ROUTE)) {
                socket.request("links", NetlinkWriter.of(GuestMessages.links(attachments)));
            }
            return null;
        });
        return new Guest(namespace, id, attachments);
    }

    static String thread(Namespace namespace) {
        return namespace.call(() -> Files.readSymbolicLink(Path.of("/proc/thread-self"))
                .getFileName()
                .toString());
    }

    /// Listens at a port of TCP, of both families.
    void listen(Namespace where, int port) {
        open.add(where.call(() -> new ServerSocket(port, 4096)));
    }

    /// True if a connection comes about. A link that is new may lose the first question for an address, which is asked
    /// again a second later.
    static boolean connects(Namespace from, InetAddress to, int port) {
        return connects(from, to, port, PATIENCE_MILLIS);
    }

    /// True if no connection comes about. Show that another one does, so that the answer is no accident.
    static boolean isClosed(Namespace from, InetAddress to, int port) {
        return !connects(from, to, port, IMPATIENCE_MILLIS);
    }

    private static boolean connects(Namespace from, InetAddress to, int port, int millis) {
        return from.call(() -> {
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress(to, port), millis);
                return true;
            } catch (IOException e) {
                return false;
            }
        });
    }

    static boolean pings(Namespace from, InetAddress to) {
        return from.status("ping -n -c 2 -i 0.3 -W 2 " + to.getHostAddress()) == 0;
    }

    static InetAddress ip(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        host.call(() -> {
            networks.close();
            return null;
        });
        for (AutoCloseable one : open) {
            try {
                one.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        neighbor.close();
        host.close();
    }
}
