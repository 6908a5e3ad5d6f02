package dev.caisson.engine;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/// What answers the filters of an engine's containers: a reactor of their own, so that no question keeps
/// deadlines, output and ends waiting, and threads that may wait for a process while they read about it.
final class Listeners implements AutoCloseable {
    private final Reactor reactor;
    private final ExecutorService readers = Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("caisson-caller-", 0).factory());
    private final Probe probe;

    /// @param broke called when it answers no more
    Listeners(Probe probe, Consumer<Throwable> broke) {
        this.probe = probe;
        this.reactor = new Reactor("caisson-listener", broke);
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
