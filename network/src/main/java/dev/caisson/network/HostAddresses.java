package dev.caisson.network;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.route.RouteQueries;
import dev.caisson.network.route.RouteQueries.HostAddress;
import java.net.InetAddress;
import java.util.Set;
import java.util.stream.Collectors;

/// The addresses of this host, asked again after a second. For one thread.
final class HostAddresses implements AutoCloseable {
    private static final long PATIENCE_NANOS = 1_000_000_000;

    private final NetlinkSocket route = NetlinkSocket.open(NetlinkSocket.ROUTE);
    private Set<InetAddress> addresses = Set.of();
    private long askedAt = System.nanoTime() - PATIENCE_NANOS;

    boolean contain(InetAddress address) {
        long now = System.nanoTime();
        if (now - askedAt >= PATIENCE_NANOS) {
            addresses = RouteQueries.addresses(route).stream()
                    .map(HostAddress::address)
                    .collect(Collectors.toUnmodifiableSet());
            askedAt = now;
        }
        return addresses.contains(address);
    }

    @Override
    public void close() {
        route.close();
    }
}
