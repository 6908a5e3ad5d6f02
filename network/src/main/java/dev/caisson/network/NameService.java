package dev.caisson.network;

import dev.caisson.linux.Fd;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.names.Admission;
import dev.caisson.network.names.Bounds;
import dev.caisson.network.names.HostServers;
import dev.caisson.network.names.NameTable;
import dev.caisson.network.names.Resolver;
import dev.caisson.network.names.Upstreams;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Answers the questions of containers for names, by the records of networks: those of other containers on their
/// networks itself, others by asking the servers of the host or of the container's spec. One thread serves all.
///
/// Safe for use by several threads. Asks others from the network namespace of the thread that made it.
public final class NameService implements AutoCloseable {
    private static final Path HOST_SERVERS = Path.of("/etc/resolv.conf");
    private static final int DNS = 53;
    private static final Duration SHORTEST_PIN = Duration.ofSeconds(90);

    /// A container whose questions are answered, until it is closed.
    public interface Served extends AutoCloseable {
        /// Returns how many questions came.
        long questions();

        /// Closes the sockets that it was made with. A network namespace whose processes have ended, and its links, go
        /// with them.
        @Override
        void close();
    }

    private record Serving(Resolver.Served served, Runnable forget) implements Served {
        @Override
        public long questions() {
            return served.questions();
        }

        @Override
        public void close() {
            served.close();
            forget.run();
        }
    }

    private final Resolver resolver;
    private final RecordedNames names;
    private final Upstreams host;
    private final PinBook pins;

    /// @param networks the directory that [Networks#open] has opened
    /// @param denials is handed names that containers may not ask for, and answers that they are not told;
    ///     must not wait
    public NameService(Path networks, Consumer<EgressDenial> denials) {
        this(networks, HOST_SERVERS, denials, SHORTEST_PIN);
    }

    NameService(Path networks, Path hostServers, Consumer<EgressDenial> denials, Duration shortestPin) {
        names = new RecordedNames(networks);
        host = new HostServers(hostServers);
        pins = new PinBook(names, new Tables(names.tables()), denials, shortestPin);
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
        return new Serving(
                resolver.serve(
                        new Resolver.Sockets(udp, tcp),
                        new Resolver.Knowledge(
                                () -> table(container), others, Bounds.STANDARD, () -> admission(container))),
                () -> pins.forget(container));
    }

    /// Called in the resolver's one thread. A container that has no place may ask for nothing.
    private Optional<Admission> admission(ContainerId container) {
        Optional<ContainerNetworks> record = names.record(container);
        return switch (record.map(ContainerNetworks::egress).orElseGet(Egress::none)) {
            case Egress.All _ -> Optional.empty();
            case Egress.Listed listed ->
                Optional.of(new EgressAdmission(
                        pins,
                        record.orElseGet(() -> new ContainerNetworks(container, List.of(), List.of(), listed)),
                        listed));
        };
    }

    /// Returns the name that led a container to an address at last, if it is known.
    public Optional<String> nameOf(ContainerId container, InetAddress address) {
        return pins.nameOf(container, address);
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
        pins.close();
        names.close();
    }
}
