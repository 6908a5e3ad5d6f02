package dev.caisson.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// The content of an answer. A read fails when the other side sends next to nothing for a minute, so that nobody can
/// hold a download for ever.
final class Body extends InputStream {
    private static final long WINDOW_NANOS = 60_000_000_000L;
    private static final long LEAST_BYTES = 10_000;

    private final InputStream in;
    private final LongSupplier clock;
    private volatile long begun;
    private final AtomicLong received = new AtomicLong();
    private volatile boolean isWaiting;
    private volatile boolean isStalled;

    /// @param clock nanoseconds, from any beginning
    Body(InputStream in, LongSupplier clock) {
        this.in = in;
        this.clock = clock;
        this.begun = clock.getAsLong();
    }

    /// Closes it if it has stalled; called now and then by another thread.
    void check() {
        if (!isWaiting || clock.getAsLong() - begun < WINDOW_NANOS) {
            return;
        }
        if (received.get() < LEAST_BYTES) {
            isStalled = true;
            try {
                in.close(); // ends the read that waits
            } catch (IOException e) {
                // the read has ended by itself
            }
        }
        begun = clock.getAsLong();
        received.set(0);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int count) throws IOException {
        if (!isWaiting && clock.getAsLong() - begun >= WINDOW_NANOS) {
            begun = clock.getAsLong(); // the reader itself took its time
            received.set(0);
        }
        isWaiting = true;
        try {
            int length = in.read(bytes, from, count);
            received.addAndGet(Math.max(0, length));
            if (!isStalled) {
                return length;
            }
        } catch (IOException e) {
            if (!isStalled) {
                throw e;
            }
        } finally {
            isWaiting = false;
        }
        throw new IOException("the answer has stalled");
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
