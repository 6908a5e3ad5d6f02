package dev.caisson.network.relay;

import dev.caisson.linux.Datagrams;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// Memory and thread that all ports share.
final class Carried {
    private static final int CHUNK = 128 * 1024;
    private static final int LONGEST_DATAGRAM = 65536;
    private static final long PAUSE_NANOS = 1_000_000_000;

    /// Connections and clients of all ports: each takes two descriptors, at times four.
    private static final int MOST = 4096;

    private final Reactor reactor;
    private final Set<RelayedPort> ports = new HashSet<>();
    private int taken;
    private final Pipes.Chunk chunk = new Pipes.Chunk(CHUNK);
    private final Datagrams datagrams = new Datagrams(LONGEST_DATAGRAM);

    Carried(Reactor reactor) {
        this.reactor = reactor;
    }

    Reactor reactor() {
        return reactor;
    }

    Pipes.Chunk chunk() {
        return chunk;
    }

    Datagrams datagrams() {
        return datagrams;
    }

    Set<RelayedPort> ports() {
        return ports;
    }

    /// Counts one more for a port. If all are taken, the port that has most of them gives one up, unless that leaves it
    /// with fewer than who asks.
    boolean take(RelayedPort asking) {
        if (taken >= MOST) {
            Optional<RelayedPort> most = ports.stream().max(Comparator.comparingInt(RelayedPort::size));
            if (most.isEmpty() || most.get().size() <= asking.size() + 1) {
                return false;
            }
            most.get().giveUpOne();
        }
        taken++;
        return true;
    }

    void giveBack() {
        taken--;
    }

    /// Does it after a second: there was no descriptor or no memory left.
    void later(Runnable action) {
        reactor.at(System.nanoTime() + PAUSE_NANOS, action);
    }
}
