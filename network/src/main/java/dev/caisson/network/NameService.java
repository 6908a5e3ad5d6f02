package dev.caisson.network;

import dev.caisson.linux.Fd;
import dev.caisson.network.names.Bounds;
import dev.caisson.network.names.HostServers;
import dev.caisson.network.names.NameTable;
import dev.caisson.network.names.Resolver;
import dev.caisson.network.names.Upstreams;
import dev.caisson.spec.ContainerId;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/// Answers the questions of containers for names, by the records of networks: those of other containers on their
/// networks itself, others by asking the servers of the host or of the container's spec. One thread serves all.
///
/// Safe for use by several threads. Asks others from the network namespace of the thread that made it.
public final class NameService implements AutoCloseable {
    private static final Path HOST_SERVERS = Path.of("/etc/resolv.conf");
    private static final int DNS = 53;

    /// A container whose questions are answered, until it is closed.
    public interface Served extends AutoCloseable {
        /// Returns how many questions came.
        long questions();

        /// Closes the sockets that it was made with. A network namespace whose processes have ended, and its links, go
        /// with them.
        @Override
        void close();
    }

    private record Serving(Resolver.Served served) implements Served {
        @Override
        public long questions() {
            return served.questions();
        }

        @Override
        public void close() {
            served.close();
        }
    }

    private final Resolver resolver;
    private final RecordedNames names;
    private final Upstreams host;

    /// @param networks the directory that [Networks#open] has opened
    public NameService(Path networks) {
        this(networks, HOST_SERVERS);
    }

    NameService(Path networks, Path hostServers) {
        names = new RecordedNames(networks);
        host = new HostServers(hostServers);
        resolver = new Resolver(NameService::broke);
    }

    /// Answers the questions of a container from now on.
    ///
    /// @param udp bound in the container's network namespace; owned, and closed, by what is returned
    /// @param tcp listening there; owned as well
    /// @param servers to ask in place of the host's; none for the host's
    public Served serve(ContainerId container, Fd udp, Fd tcp, List<InetAddress> servers) {
        Upstreams others = servers.isEmpty()
                ? host
                : Upstreams.of(servers.stream()
                        .map(server -> new InetSocketAddress(server, DNS))
                        .toList());
        return new Serving(resolver.serve(
                new Resolver.Sockets(udp, tcp),
                new Resolver.Knowledge(() -> table(container), others, Bounds.STANDARD)));
    }

    /// Called in the resolver's one thread.
    private NameTable table(ContainerId container) {
        return names.of(container);
    }

    private static void broke(Throwable reason) {
        System.getLogger(NameService.class.getName())
                .log(System.Logger.Level.ERROR, "names of containers are answered no more", reason);
    }

    /// Ends all service, and closes the sockets of all.
    @Override
    public void close() {
        resolver.close();
        names.close();
    }
}
