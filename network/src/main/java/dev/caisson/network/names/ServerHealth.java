package dev.caisson.network.names;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Remembers for half a minute which servers did not answer, so that not every question waits for them first.
final class ServerHealth {
    private static final long MEMORY_NANOS = 30_000_000_000L;
    private static final int MOST = 256;

    private final Map<InetSocketAddress, Long> silent = new LinkedHashMap<>();

    void silent(InetSocketAddress server) {
        silent.remove(server);
        if (silent.size() >= MOST) {
            silent.remove(silent.keySet().iterator().next());
        }
        silent.put(server, System.nanoTime());
    }

    void answered(InetSocketAddress server) {
        silent.remove(server);
    }

    /// Returns them with those first that answered last time; among equals the order stays.
    List<InetSocketAddress> ordered(List<InetSocketAddress> servers) {
        if (silent.isEmpty()) {
            return servers;
        }
        long now = System.nanoTime();
        silent.values().removeIf(since -> now - since > MEMORY_NANOS);
        var ordered = new ArrayList<>(servers);
        ordered.sort(Comparator.comparing(silent::containsKey));
        return ordered;
    }
}
