package dev.caisson.engine;

import dev.caisson.cgroup.CpuPace;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import dev.caisson.linux.ThreadClock;
import dev.caisson.state.State;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Passes on what a container writes to one stream: reads it without waiting, when the reactor says that
/// there is something, and hands it to sinks, which may block. It ends when nobody can write any more,
/// when the container is empty and what it had written is read, or when a sink throws.
final class OutputPump {
    /// Takes output, in one thread at a time.
    interface Sink {
        /// Takes the first `count` bytes, which are valid during the call only.
        void accept(byte[] bytes, int count) throws IOException;

        /// Takes the end: nothing more will come.
        default void end() throws IOException {}

        /// True if it is a stream of the caller's, which takes the caller's time.
        default boolean isCallers() {
            return false;
        }
    }

    /// The surroundings of a pump.
    ///
    /// @param threads where sinks are called; empty for the reactor's own, if none of them ever waits
    /// @param limit how much the container may still write
    /// @param overLimit called when it has written more, which is dropped
    /// @param done called once, when nothing more will come
    record Surroundings(
            Reactor reactor,
            StreamThreads threads,
            CpuPace pace,
            OutputLimit limit,
            Runnable overLimit,
            Runnable done) {}

    private enum State {
        NEW,
        /// The reactor looks at it.
        WATCHED,
        /// Some thread reads it or passes on what it read.
        READING,
        /// The engine has spent too much time on the container.
        PAUSED,
        DONE
    }

    /// A terminal's last output may still be on its way through the line discipline when its last process
    /// is gone.
    private static final long TERMINAL_REST_NANOS = 200_000_000;
    private static final int TERMINAL_REST_BYTES = 1 << 20;
    /// The reactor's thread turns to others after so many chunks.
    private static final int MOST_CHUNKS = 4;
    /// The cost of waiting for a stream and waking a thread for it.
    private static final long WAKING_NANOS = 15_000;

    private final StreamFailure.Stream stream;
    private final Fd from;
    private final boolean terminal;
    private final Surroundings with;
    private final Optional<Executor> threads;
    private final List<Sink> sinks;
    private State state = State.NEW;
    private long key;
    private boolean containerGone;
    private int rest = -1;
    private @Nullable StreamFailure failure;

    /// @param from is closed at the end
    /// @param threads empty if no sink ever waits
    OutputPump(
            StreamFailure.Stream stream,
            Fd from,
            boolean terminal,
            Surroundings with,
            Optional<Executor> threads,
            List<Sink> sinks) {
        this.stream = stream;
        this.from = from;
        this.terminal = terminal;
        this.with = with;
        this.threads = threads;
        this.sinks = sinks;
    }

    void begin() {
        Pipes.doNotWait(from);
        synchronized (this) {
            watch();
        }
    }

    private void watch() {
        key = with.reactor().watch(from, this::ready, this::fail);
        state = State.WATCHED;
    }

    /// Nothing where it is not watched. The reactor's own thread keeps a stream watched while it reads.
    private void unwatch() {
        with.reactor().forget(key, from);
    }

    private void ready() {
        synchronized (this) {
            if (state != State.WATCHED) {
                return;
            }
            if (threads.isPresent()) {
                unwatch();
            }
            state = State.READING;
        }
        read();
    }

    /// Reads in a thread that may do what the sinks do.
    private void read() {
        with.pace().spend(WAKING_NANOS);
        if (threads.isEmpty()) {
            read(with.reactor().chunk());
            return;
        }
        try {
            threads.get().execute(() -> {
                Pipes.Chunk chunk = null;
                try {
                    chunk = with.threads().takeChunk();
                    read(chunk);
                } catch (Throwable e) {
                    fail(e);
                } finally {
                    if (chunk != null) {
                        with.threads().giveBack(chunk);
                    }
                }
            });
        } catch (RuntimeException | Error e) { // no thread could be had
            fail(e);
        }
    }

    private void read(Pipes.Chunk chunk) {
        try {
            for (int chunks = 1; ; chunks++) {
                long began = ThreadClock.cpuNanos();
                int count;
                synchronized (this) {
                    if (state != State.READING) {
                        return;
                    }
                    count = next(chunk);
                    if (count < 0) {
                        waitForMore();
                        return;
                    }
                }
                if (count == 0) {
                    endSinks();
                    return;
                }
                pass(chunk.bytes(), count, began);
                if (paused(chunks)) {
                    return;
                }
            }
        } catch (Throwable e) { // a sink of the caller's may throw anything
            fail(e);
        } finally {
            chunk.clear();
        }
    }

    private void endSinks() throws IOException {
        for (Sink sink : sinks) {
            sink.end();
        }
        finish(null);
    }

    /// @return how many bytes were read, 0 at the end, -1 if there are none yet
    private int next(Pipes.Chunk chunk) {
        if (!containerGone) {
            return chunk.read(from, Integer.MAX_VALUE);
        }
        if (rest < 0) {
            // Others may hold the pipe's other end and write on: what the container wrote is there by now.
            rest = terminal ? TERMINAL_REST_BYTES : Pipes.available(from);
        }
        int count = rest == 0 ? 0 : chunk.read(from, rest);
        rest -= Math.max(0, count);
        return count < 0 && !terminal ? 0 : count;
    }

    private void waitForMore() {
        if (threads.isPresent()) {
            watch();
        } else {
            state = State.WATCHED;
        }
    }

    private void pass(byte[] bytes, int count, long began) throws IOException {
        int taken = with.limit().take(count);
        if (taken < count) {
            with.overLimit().run();
        }
        long own = ThreadClock.cpuNanos() - began;
        if (taken > 0) {
            for (Sink sink : sinks) {
                long before = ThreadClock.cpuNanos();
                sink.accept(bytes, taken);
                // The caller's own streams take the caller's time.
                own += sink.isCallers() ? 0 : Math.max(0, ThreadClock.cpuNanos() - before);
            }
        }
        with.pace().spend(Math.max(0, own));
    }

    /// @return whether it reads on later
    private synchronized boolean paused(int chunks) {
        if (state != State.READING) {
            return true;
        }
        if (containerGone) {
            return false;
        }
        long pause = with.pace().pauseNanos();
        if (pause > 0) {
            unwatch();
            state = State.PAUSED;
            with.reactor().at(System.nanoTime() + pause, this::resume);
            return true;
        }
        if (threads.isEmpty() && chunks >= MOST_CHUNKS) {
            state = State.WATCHED;
            return true;
        }
        return false;
    }

    private void resume() {
        synchronized (this) {
            if (state != State.PAUSED) {
                return;
            }
            long pause = with.pace().pauseNanos();
            if (pause > 0) {
                with.reactor().at(System.nanoTime() + pause, this::resume);
                return;
            }
            readOn();
        }
        read();
    }

    private void readOn() {
        if (threads.isEmpty() && state == State.PAUSED) {
            watch();
        } else if (threads.isPresent()) {
            unwatch();
        }
        state = State.READING;
    }

    /// Reads what is there and ends, in the reactor's thread.
    void containerGone() {
        synchronized (this) {
            containerGone = true;
            if (terminal) {
                with.reactor().at(System.nanoTime() + TERMINAL_REST_NANOS, this::finishIdle);
            }
            if (state != State.WATCHED && state != State.PAUSED) {
                return; // whoever reads finds out
            }
            readOn();
        }
        read();
    }

    private void finishIdle() {
        synchronized (this) {
            if (state != State.WATCHED) {
                return;
            }
            unwatch();
            state = State.READING;
        }
        try {
            if (threads.isPresent()) {
                threads.get().execute(this::endIdle);
            } else {
                endSinks();
            }
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
        }
    }

    private void endIdle() {
        try {
            endSinks();
        } catch (Throwable e) { // a sink of the caller's may throw anything
            fail(e);
        }
    }

    /// Ends it, whoever holds it up.
    void cut() {
        finish(StreamFailure.blocked(stream));
    }

    private void fail(Throwable why) {
        finish(StreamFailure.failed(stream, why));
    }

    /// Hangs up: the other side gets to know that nobody reads any more.
    void close() {
        finish(null);
    }

    private void finish(@Nullable StreamFailure why) {
        synchronized (this) {
            if (state == State.DONE) {
                return;
            }
            unwatch();
            state = State.DONE;
            failure = why;
            from.close();
        }
        with.done().run();
    }

    synchronized boolean isDone() {
        return state == State.DONE;
    }

    synchronized Optional<StreamFailure> failure() {
        return Optional.ofNullable(failure);
    }
}
