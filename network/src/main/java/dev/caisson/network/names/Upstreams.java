package dev.caisson.network.names;

import java.net.InetSocketAddress;
import java.util.List;

/// The servers that are asked for names which are none of ours, as they are at the moment; at most three.
@FunctionalInterface
public interface Upstreams {
    List<InetSocketAddress> servers();

    /// Servers that stay the same.
    static Upstreams of(List<InetSocketAddress> servers) {
        List<InetSocketAddress> fixed = List.copyOf(servers);
        return () -> fixed;
    }
}
