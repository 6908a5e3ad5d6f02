package dev.caisson.gate;

import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.TimeUnit;

/// The addresses that the host of a gate was found to have, each of them for two minutes: requests look beside each
/// other, and may find others each time.
final class GivenAddresses {
    private static final int MOST = 1024;
    private static final long FRESH_NANOS = TimeUnit.MINUTES.toNanos(2);

    /// By the time at which they were found, the oldest first.
    private final SequencedMap<InetAddress, Long> found = new LinkedHashMap<>();

    /// @param now [System#nanoTime]
    synchronized void give(List<InetAddress> addresses, long now) {
        addresses.forEach(address -> found.putLast(address, now));
        while (found.size() > MOST) {
            found.pollFirstEntry();
        }
    }

    synchronized boolean has(InetAddress address) {
        return found.containsKey(address);
    }

    synchronized boolean isFresh(InetAddress address, long now) {
        Long at = found.get(address);
        return at != null && now - at <= FRESH_NANOS;
    }
}
