package dev.caisson.network.relay;

import dev.caisson.linux.Datagrams;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;

/// Memory and thread that all ports share.
final class Carried {
    private static final int CHUNK = 128 * 1024;
    private static final int LONGEST_DATAGRAM = 65536;
    private static final long PAUSE_NANOS = 1_000_000_000;

    private final Reactor reactor;
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

    /// Does it after a second: there was no descriptor or no memory left.
    void later(Runnable action) {
        reactor.at(System.nanoTime() + PAUSE_NANOS, action);
    }
}
