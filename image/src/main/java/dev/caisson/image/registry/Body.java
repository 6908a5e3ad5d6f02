package dev.caisson.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.atomic.AtomicLong;

/// The content of an answer. A read fails when the other side sends next to nothing for a minute, so that nobody can
/// hold a download for ever.
final class Body extends InputStream {
    private static final long WINDOW_NANOS = 60_000_000_000L;
    private static final long LEAST_BYTES = 10_000;

    private final InputStream in;
    private final long window;
    private volatile long begun;
    private final AtomicLong received = new AtomicLong();
    private volatile boolean isWaiting;
    private volatile boolean isStalled;

    Body(InputStream in) {
        this(in, WINDOW_NANOS);
    }

    /// @param window nanoseconds within which something has to come
    Body(InputStream in, long window) {
        this.in = in;
        this.window = window;
        this.begun = System.nanoTime();
    }

    /// Closes it if it has stalled; called now and then by another thread.
    void check() {
        if (!isWaiting || System.nanoTime() - begun < window) {
            return;
        }
        if (received.get() < LEAST_BYTES) {
            isStalled = true;
            try {
                in.close(); // ends the read that waits
            } catch (IOException e) {
                isStalled = true; // the read has ended by itself
            }
        }
        begun = System.nanoTime();
        received.set(0);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int count) throws IOException {
        if (!isWaiting && System.nanoTime() - begun > window) {
            begun = System.nanoTime(); // the reader itself took its time
            received.set(0);
        }
        isWaiting = true;
        try {
            int length = in.read(bytes, from, count);
            if (isStalled) {
                throw new IOException("the answer has stalled");
            }
            received.addAndGet(Math.max(0, length));
            return length;
        } catch (IOException e) {
            throw isStalled ? new IOException("the answer has stalled", e) : e;
        } finally {
            isWaiting = false;
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
