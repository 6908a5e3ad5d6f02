package dev.caisson.engine;

import dev.caisson.linux.Fd;
import dev.caisson.linux.Polling;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// One thread that waits for every descriptor and every deadline of all containers, so that a waiting run costs no
/// thread.
final class Reactor implements AutoCloseable {
    /// Called in the reactor's thread; must not wait.
    interface Handler {
        void ready();
    }

    /// A deadline that can be taken back.
    static final class Timer implements Comparable<Timer> {
        private final long nanos;
        private volatile @Nullable Runnable action;

        private Timer(long nanos, Runnable action) {
            this.nanos = nanos;
            this.action = action;
        }

        /// Lets go of what it holds too: it stays in its place until it would have been due.
        void cancel() {
            action = null;
        }

        @Override
        public int compareTo(Timer other) {
            return Long.compare(nanos - other.nanos, 0);
        }
    }

    private static final int CHUNK = 64 * 1024;

    private final Polling polling = new Polling();
    private final Map<Long, Handler> handlers = new ConcurrentHashMap<>();
    private final AtomicLong keys = new AtomicLong();
    private final PriorityQueue<Timer> timers = new PriorityQueue<>();
    private final byte[] chunk = new byte[CHUNK];
    private final Thread thread;
    private volatile boolean closed;

    /// @param name of its thread
    Reactor(String name) {
        thread = Thread.ofPlatform().daemon().name(name).start(this::loop);
    }

    /// For handlers to read into: what it holds is theirs until they return.
    byte[] chunk() {
        return chunk;
    }

    /// Calls `handler` each time that `fd` can be read, until [#forget].
    /// @return the key to forget it by
    long watch(Fd fd, Handler handler) {
        long key = keys.incrementAndGet();
        handlers.put(key, handler);
        polling.watchReadable(fd, key);
        return key;
    }

    /// Must come before the descriptor is closed.
    void forget(long key, Fd fd) {
        if (handlers.remove(key) != null) {
            polling.forget(fd);
        }
    }

    Timer at(long nanoTime, Runnable action) {
        var timer = new Timer(nanoTime, action);
        boolean first;
        synchronized (timers) {
            timers.add(timer);
            first = timers.peek() == timer;
        }
        if (first && Thread.currentThread() != thread) {
            polling.wake();
        }
        return timer;
    }

    private void loop() {
        while (!closed) {
            for (Polling.Event event : polling.await(runTimers())) {
                Handler handler = handlers.get(event.key());
                if (handler != null) {
                    guard(handler::ready);
                }
            }
        }
    }

    /// Runs what is due.
    /// @return milliseconds until the next, -1 for none
    private int runTimers() {
        while (true) {
            Timer timer;
            synchronized (timers) {
                timer = timers.peek();
                if (timer == null) {
                    return -1;
                }
                long left = timer.nanos - System.nanoTime();
                if (timer.action != null && left > 0) {
                    return (int) Math.min(Integer.MAX_VALUE, left / 1_000_000 + 1);
                }
                timers.poll();
            }
            Runnable action = timer.action;
            if (action != null) {
                guard(action);
            }
        }
    }

    /// One container's trouble must not stop the others.
    static void guard(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) {
            System.getLogger(Reactor.class.getName())
                    .log(System.Logger.Level.ERROR, "a container's event could not be handled", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        polling.wake();
        boolean interrupted = false;
        while (thread.isAlive() && Thread.currentThread() != thread) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        polling.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
