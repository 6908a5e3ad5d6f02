package dev.caisson.engine;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import java.io.InputStream;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Gives a container its standard input: writes without waiting, and lets the reactor wait until the program has taken
/// some of it. Only a stream of the caller's needs a thread, which may block for as long as that stream likes.
final class InputPump {
    private static final int CHUNK = 64 * 1024;
    private static final byte[] NOTHING = {};
    private static final byte END_OF_FILE = 4;

    private final Reactor reactor;
    private final Fd to;
    private final boolean terminal;
    private byte[] pending = NOTHING;
    private int from;
    private int end;
    private boolean last;
    private boolean inLine;
    private boolean ended;
    private boolean watched;
    private boolean closed;
    private long key;
    private @Nullable StreamFailure failure;

    /// @param to is closed at the end
    /// @param terminal whether the end is a character, which a program that reads lines takes for the end
    InputPump(Reactor reactor, Fd to, boolean terminal) {
        this.reactor = reactor;
        this.to = to;
        this.terminal = terminal;
    }

    void begin(Streams.Input input, StreamThreads threads) {
        Pipes.doNotWait(to);
        switch (input) {
            case Streams.Input.None _ -> end();
            case Streams.Input.Memory memory -> {
                synchronized (this) {
                    last = true;
                    give(memory.bytes());
                }
            }
            case Streams.Input.Stream callers -> threads.of(callers.stream()).execute(() -> pull(callers.stream()));
        }
    }

    private void pull(InputStream stream) {
        try {
            byte[] chunk = new byte[CHUNK];
            int count;
            do {
                count = stream.read(chunk);
            } while (count > 0 && put(chunk, count));
            end();
        } catch (Throwable e) { // the caller's stream may throw anything
            fail(e);
        }
    }

    /// Waits until the program has room for all of it.
    /// @return whether it wants more
    private synchronized boolean put(byte[] chunk, int count) throws InterruptedException {
        give(chunk, count);
        while (!closed && from < end) {
            wait();
        }
        return !closed;
    }

    private void give(byte[] bytes) {
        give(bytes, bytes.length);
    }

    private void give(byte[] bytes, int count) {
        pending = bytes;
        from = 0;
        end = count;
        inLine = count > 0 ? bytes[count - 1] != '\n' : inLine;
        write();
    }

    private synchronized void writable() {
        if (!closed) {
            write();
        }
    }

    private void write() {
        try {
            while (!closed && from < end) {
                int count = Pipes.write(to, pending, from, Math.min(CHUNK, end - from));
                if (count < 0) {
                    watch();
                    return;
                }
                from += count;
            }
        } catch (ErrnoException e) {
            if (!e.is(Errno.EPIPE) && !e.is(Errno.EIO)) {
                throw e;
            }
            close(); // the program reads no more
            return;
        }
        pending = NOTHING;
        unwatch();
        if (last) {
            end();
        }
        notifyAll();
    }

    private void watch() {
        if (!watched) {
            key = reactor.watchWritable(to, this::writable, this::fail);
            watched = true;
        }
    }

    private void unwatch() {
        if (watched) {
            reactor.forget(key, to);
            watched = false;
        }
    }

    private synchronized void end() {
        if (closed || !terminal || ended) {
            close();
            return;
        }
        ended = true;
        last = true;
        // Behind a part of a line the first one only sends that; termios(3), VEOF.
        give(inLine ? new byte[] {END_OF_FILE, END_OF_FILE} : new byte[] {END_OF_FILE});
    }

    private synchronized void fail(Throwable why) {
        if (closed) {
            return; // the container has ended before the caller's stream
        }
        failure = StreamFailure.failed(StreamFailure.Stream.STDIN, why);
        try {
            end();
        } catch (RuntimeException e) {
            close();
        }
    }

    synchronized Optional<StreamFailure> failure() {
        return Optional.ofNullable(failure);
    }

    /// Gives no more.
    synchronized void close() {
        if (!closed) {
            closed = true;
            unwatch();
            pending = NOTHING;
            to.close();
            notifyAll();
        }
    }
}
