package dev.caisson.engine;

import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.atomic.AtomicLong;

/// Keeps what comes out of one pipe, read in the reactor's thread, as long as the budget that it shares lasts.
final class Capture {
    private final Reactor reactor;
    private final Fd pipe;
    private final AtomicLong budget;
    private final Runnable overBudget;
    private final Runnable atEnd;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private long key;

    /// @param overBudget called when the budget is used up; what comes later is dropped
    /// @param atEnd called once, when nobody can write any more
    Capture(Reactor reactor, Fd pipe, AtomicLong budget, Runnable overBudget, Runnable atEnd) {
        this.reactor = reactor;
        this.pipe = pipe;
        this.budget = budget;
        this.overBudget = overBudget;
        this.atEnd = atEnd;
        Pipes.doNotWait(pipe);
    }

    void begin() {
        synchronized (this) {
            key = reactor.watch(pipe, this::drain);
        }
    }

    private synchronized void drain() {
        byte[] chunk = reactor.chunk();
        int count;
        while ((count = Pipes.read(pipe, chunk)) > 0) {
            long left = budget.getAndAdd(-count);
            if (left > 0) {
                bytes.write(chunk, 0, (int) Math.min(count, left));
            }
            if (left < count) {
                overBudget.run();
            }
            if (count < chunk.length) {
                return;
            }
        }
        if (count == 0) {
            reactor.forget(key, pipe);
            pipe.close();
            atEnd.run();
        }
    }

    synchronized RunResult.Captured captured() {
        return new RunResult.Captured(bytes.toByteArray());
    }

    synchronized void close() {
        if (pipe.isOpen()) {
            reactor.forget(key, pipe);
            pipe.close();
        }
    }
}
