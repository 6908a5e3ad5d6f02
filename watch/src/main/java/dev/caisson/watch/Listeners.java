package dev.caisson.watch;

import dev.caisson.linux.Reactor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/// Answers the filters of an engine's containers: a reactor of their own, so that no question keeps
/// deadlines, output and ends waiting, and threads that may wait for a process while they read about it.
public final class Listeners implements AutoCloseable {
    private final Reactor reactor;
    private final ExecutorService readers = Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("caisson-caller-", 0).factory());
    private final Runnable readsCaller;

    /// @param readsCaller run before a caller is read about, in the thread that reads
    /// @param broke called when it answers no more
    public Listeners(Runnable readsCaller, Consumer<Throwable> broke) {
        this.readsCaller = readsCaller;
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
        readsCaller.run();
        return Caller.read(pid, instructionPointer);
    }

    @Override
    public void close() {
        reactor.close();
        readers.shutdown();
    }
}
