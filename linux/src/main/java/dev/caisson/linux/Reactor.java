package dev.caisson.linux;

import java.time.Duration;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One thread that waits for every descriptor and every deadline of all containers, so that a waiting run costs no
/// thread. Nothing that a handler throws ends it, an Error as little as an exception: all other containers depend on
/// it.
public final class Reactor implements AutoCloseable {
    /// @param ready called in the reactor's thread; must not wait
    /// @param failed told what `ready` threw, and gives up what it watched: it would be called again at once
    private record Handler(Runnable ready, Consumer<Throwable> failed) {}

    /// A deadline that can be taken back.
    public static final class Timer implements Comparable<Timer> {
        private long nanos;
        private int failures;
        private volatile @Nullable Runnable action;

        private Timer(long nanos, Runnable action) {
            this.nanos = nanos;
            this.action = action;
        }

        /// Lets go of what it holds too: it stays in its place until it would have been due.
        public void cancel() {
            action = null;
        }

        @Override
        public int compareTo(Timer other) {
            return Long.compare(nanos - other.nanos, 0);
        }
    }

    private static final int CHUNK = 64 * 1024;
    private static final int MOST_FAILURES = 500;
    private static final long PAUSE_NANOS = 10_000_000;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Polling polling = new Polling();
    private final Map<Long, Handler> handlers = new ConcurrentHashMap<>();
    private final AtomicLong keys = new AtomicLong();
    private final PriorityQueue<Timer> timers = new PriorityQueue<>();
    private final Pipes.Chunk chunk = new Pipes.Chunk(CHUNK);
    private final Consumer<Throwable> broke;
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean broken;

    /// @param name of its thread
    /// @param broke called in that thread, as its last act, after five seconds in which it could wait for nothing
    public Reactor(String name, Consumer<Throwable> broke) {
        this.broke = broke;
        thread = Thread.ofPlatform().daemon().name(name).start(this::loop);
    }

    /// Returns a buffer for handlers to read into; its content is theirs until they return.
    public Pipes.Chunk chunk() {
        return chunk;
    }

    /// Calls `ready` each time that `fd` can be read, until [#forget].
    /// @return the key to forget it by
    public long watch(Fd fd, Runnable ready, Consumer<Throwable> failed) {
        long key = add(ready, failed);
        polling.watchReadable(fd, key);
        return key;
    }

    /// Calls `ready` each time that `fd` can be written, until [#forget].
    public long watchWritable(Fd fd, Runnable ready, Consumer<Throwable> failed) {
        long key = add(ready, failed);
        polling.watchWritable(fd, key);
        return key;
    }

    private long add(Runnable ready, Consumer<Throwable> failed) {
        long key = keys.incrementAndGet();
        handlers.put(key, new Handler(ready, failed));
        return key;
    }

    /// Must come before the descriptor is closed.
    public void forget(long key, Fd fd) {
        if (handlers.remove(key) != null && !broken) {
            polling.forget(fd);
        }
    }

    /// Runs `action` then, in the reactor's thread; what throws is run again, for some seconds.
    public Timer at(long nanoTime, Runnable action) {
        var timer = new Timer(nanoTime, action);
        boolean first;
        synchronized (timers) {
            timers.add(timer);
            first = timers.peek() == timer;
        }
        if (first && Thread.currentThread() != thread && !broken) {
            polling.wake();
        }
        return timer;
    }

    private void loop() {
        long failingSince = 0;
        boolean failing = false;
        while (!closed) {
            try {
                for (Polling.Event event : polling.await(runTimers())) {
                    handle(event.key());
                }
                failing = false;
            } catch (Throwable e) { // no memory to wait with, or nothing to wait on
                long now = System.nanoTime();
                if (!failing) {
                    failing = true;
                    failingSince = now;
                } else if (now - failingSince > PATIENCE.toNanos()) {
                    broken = true;
                    broke.accept(e);
                    return;
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private void handle(long key) {
        Handler handler = handlers.get(key);
        if (handler == null) {
            return;
        }
        try {
            handler.ready().run();
        } catch (Throwable e) { // one container's trouble must not stop the others
            guard(() -> handler.failed().accept(e));
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
            run(timer);
        }
    }

    /// A deadline holds, if its first try finds no memory too.
    private void run(Timer timer) {
        Runnable action = timer.action;
        if (action == null) {
            return;
        }
        try {
            action.run();
        } catch (Throwable e) {
            if (++timer.failures > MOST_FAILURES) {
                log(e);
                return;
            }
            timer.nanos = System.nanoTime() + PAUSE_NANOS;
            synchronized (timers) {
                timers.add(timer);
            }
        }
    }

    /// Runs what must not end the thread that it runs in.
    public static void guard(Runnable action) {
        try {
            action.run();
        } catch (Throwable e) {
            log(e);
        }
    }

    private static void log(Throwable e) {
        try {
            System.getLogger(Reactor.class.getName())
                    .log(System.Logger.Level.ERROR, "a container's event could not be handled", e);
        } catch (Throwable _) { // no memory to say so either
        }
    }

    @Override
    public void close() {
        closed = true;
        if (!broken) {
            polling.wake();
        }
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

    /// Takes away what it waits on, for a test of what happens then.
    public void breakForTest() {
        polling.close();
    }
}
