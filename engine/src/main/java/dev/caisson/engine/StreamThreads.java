package dev.caisson.engine;

import dev.caisson.linux.HoldsThread;
import dev.caisson.linux.Pipes;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Threads in which streams of the caller's are read and written, which may block. None is held by a stream of output
/// that has nothing to say: the reactor waits for it, and a thread is taken while there is something to pass on.
///
/// A few are platform threads, which start at once; the others are virtual, but for files, which block in native code
/// and would hold one of the few carriers that all virtual threads of the process share.
final class StreamThreads implements AutoCloseable {
    private static final long IDLE_SECONDS = 5;
    private static final int FEW = 4;
    private static final int CHUNK = 64 * 1024;
    private static final int MOST_KEPT_CHUNKS = 16;

    private final ThreadPoolExecutor platform = new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("caisson-stream-", 0).factory());
    private final ThreadPoolExecutor few = new ThreadPoolExecutor(
            0,
            FEW,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("caisson-stream-of-few-", 0).factory(),
            (task, _) -> Thread.ofVirtual().name("caisson-stream").start(task));
    private final ConcurrentLinkedQueue<Pipes.Chunk> chunks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger kept = new AtomicInteger();

    /// Threads that may use `stream`.
    Executor of(AutoCloseable stream) {
        boolean holds = stream instanceof HoldsThread
                || stream instanceof FileInputStream
                || stream instanceof FileOutputStream;
        return holds ? platform : few;
    }

    /// Threads that may wait for a disk.
    Executor ofDisk() {
        return platform;
    }

    /// Memory to read into, until it is given back.
    Pipes.Chunk takeChunk() {
        Pipes.Chunk found = chunks.poll();
        if (found == null) {
            return new Pipes.Chunk(CHUNK);
        }
        kept.decrementAndGet();
        return found;
    }

    void giveBack(Pipes.Chunk chunk) {
        if (kept.incrementAndGet() <= MOST_KEPT_CHUNKS) {
            chunks.add(chunk);
        } else {
            kept.decrementAndGet();
        }
    }

    /// Ends those that have nothing to do; one that is blocked ends when its stream lets it go.
    @Override
    public void close() {
        platform.shutdown();
        few.shutdown();
    }
}
