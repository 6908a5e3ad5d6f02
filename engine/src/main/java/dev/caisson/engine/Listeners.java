package dev.caisson.engine;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// What answers the filters of an engine's containers: a reactor of their own, so that no question keeps
/// deadlines, output and ends waiting, and threads that may wait for a process while they read about it.
final class Listeners implements AutoCloseable {
    private final Reactor reactor = new Reactor("caisson-listener");
    private final ExecutorService readers = Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("caisson-caller-", 0).factory());
    private final Probe probe;

    Listeners(Probe probe) {
        this.probe = probe;
    }

    Reactor reactor() {
        return reactor;
    }

    /// Reads about a caller, or does what takes longer than an answer may, in a thread of its own.
    void read(Runnable reading) {
        readers.execute(() -> Reactor.guard(reading));
    }

    Caller caller(int pid, long instructionPointer) {
        probe.readsCaller();
        return Caller.read(pid, instructionPointer);
    }

    @Override
    public void close() {
        reactor.close();
        readers.shutdown();
    }
}
