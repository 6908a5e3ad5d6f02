package dev.caisson.engine;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// Threads in which containers are launched and cleared up. Neither is done in a caller's thread: an interrupt closes
/// the files that a thread reads, and a launch waits in native code, which would hold a virtual thread's carrier.
final class EngineThreads implements AutoCloseable {
    private static final long IDLE_SECONDS = 5;
    private static final Duration CANCEL_PATIENCE = Duration.ofSeconds(30);

    private final int most = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());
    private final ThreadPoolExecutor launching = new ThreadPoolExecutor(
            0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), Launching::new);
    private final ThreadPoolExecutor clearing = new ThreadPoolExecutor(
            most,
            most,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("caisson-clear-", 0).factory());
    /// Virtual threads can be so many that they must not have a thread for each launch.
    private final Semaphore ofVirtual = new Semaphore(most, true);

    EngineThreads() {
        clearing.allowCoreThreadTimeOut(true);
    }

    /// A thread for launches: one that it asks for goes on in itself.
    static final class Launching extends Thread {
        Launching(Runnable work) {
            super(work, "caisson-launch");
            setDaemon(true);
        }
    }

    /// Launches in a thread of the engine's.
    /// @param launch is told whether its result is still wanted
    /// @throws InterruptedException with nothing left of the container
    /// @throws RejectedExecutionException after [#close]
    Container launch(Function<BooleanSupplier, Container> launch) throws InterruptedException {
        if (Thread.currentThread() instanceof Launching) {
            return launch.apply(() -> false); // an observer of one launch that makes another
        }
        if (!Thread.currentThread().isVirtual()) {
            return await(launch);
        }
        ofVirtual.acquire();
        try {
            return await(launch);
        } finally {
            ofVirtual.release();
        }
    }

    private Container await(Function<BooleanSupplier, Container> launch) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        var cancelled = new AtomicBoolean();
        var launched = CompletableFuture.supplyAsync(() -> launch.apply(cancelled::get), launching);
        try {
            return launched.get();
        } catch (InterruptedException e) {
            cancelled.set(true);
            discard(launched);
            throw e;
        } catch (ExecutionException e) {
            throw Failures.unchecked(e);
        }
    }

    /// Ends what is being launched, as soon as it stands, and waits for that.
    private static void discard(CompletableFuture<Container> launched) {
        CompletableFuture<Void> killed = launched.thenAccept(Container::kill);
        long deadline = System.nanoTime() + CANCEL_PATIENCE.toNanos();
        var interrupted = new AtomicBoolean();
        while (true) {
            try {
                killed.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                launched.join().outcome().isKnownWithin(CANCEL_PATIENCE, interrupted);
                break;
            } catch (InterruptedException e) {
                interrupted.set(true);
            } catch (ExecutionException | TimeoutException e) {
                break; // it did not come to run, or is ended when it does
            }
        }
        if (interrupted.get()) {
            Thread.currentThread().interrupt();
        }
    }

    /// Removes what is left of a container: in a thread of the engine's, or in this one if none can be had.
    void clearUp(Runnable finish) {
        try {
            clearing.execute(finish);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            finish.run();
        }
    }

    /// Ends its threads, when they are done.
    @Override
    public void close() {
        launching.shutdown();
        clearing.shutdown();
    }
}
