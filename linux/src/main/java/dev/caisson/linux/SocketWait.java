package dev.caisson.linux;

import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Waits until one descriptor can be read or written: for one thread at a time, which may be a virtual one and then
/// holds no other. One thread of the process waits for all of them by epoll(7).
final class SocketWait implements AutoCloseable {
    private static final class Poller {
        private static final Poller SHARED = new Poller();

        private final Polling polling = new Polling();
        private final Map<Long, SocketWait> waits = new ConcurrentHashMap<>();
        private final AtomicLong keys = new AtomicLong();

        private Poller() {
            Thread.ofPlatform().daemon().name("caisson sockets").start(this::loop);
        }

        private void loop() {
            while (true) {
                for (Polling.Event event : polling.await(-1)) {
                    SocketWait wait = waits.get(event.key());
                    if (wait != null) {
                        wait.wake();
                    }
                }
            }
        }
    }

    private final Fd fd;
    private final boolean writable;
    private final long key = Poller.SHARED.keys.incrementAndGet();
    private boolean watched;
    private volatile boolean ready;
    private volatile @Nullable Thread waiting;

    /// @param fd nobody else waits for it by this descriptor
    SocketWait(Fd fd, boolean writable) {
        this.fd = fd;
        this.writable = writable;
    }

    private void wake() {
        ready = true;
        LockSupport.unpark(waiting);
    }

    /// Waits until it is ready, or the other end is gone.
    ///
    /// @param millis 0 to wait without end
    /// @throws SocketTimeoutException if that takes longer
    /// @throws SocketException if the thread is interrupted
    void await(int millis) throws IOException {
        long until = System.nanoTime() + millis * 1_000_000L;
        waiting = Thread.currentThread();
        ready = false;
        Poller.SHARED.waits.put(key, this);
        try {
            Poller.SHARED.polling.watchOnce(fd, key, writable, watched);
            watched = true;
            while (!ready) {
                long left = until - System.nanoTime();
                if (millis == 0) {
                    LockSupport.park(this);
                } else if (left > 0) {
                    LockSupport.parkNanos(this, left);
                } else {
                    throw new SocketTimeoutException("nothing came within " + millis + " ms");
                }
                if (Thread.currentThread().isInterrupted()) {
                    throw new SocketException("interrupted");
                }
            }
        } finally {
            Poller.SHARED.waits.remove(key);
            waiting = null;
        }
    }

    /// Ends what the kernel knows of it, for a descriptor whose open file others have too.
    @Override
    public void close() {
        if (watched) {
            Poller.SHARED.polling.forget(fd);
        }
    }
}
