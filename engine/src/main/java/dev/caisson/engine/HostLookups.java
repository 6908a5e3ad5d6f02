package dev.caisson.engine;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Looks names up as the host does, and none for longer than a few seconds. A name whose servers do not answer keeps
/// one of a few threads for longer: who may choose names has them alone.
final class HostLookups implements AutoCloseable {
    private static final int AT_ONCE = 4;
    private static final long SECONDS = 5;
    private static final long IDLE_SECONDS = 30;

    private final ThreadPoolExecutor threads;

    HostLookups(String name) {
        threads = new ThreadPoolExecutor(
                AT_ONCE,
                AT_ONCE,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofPlatform().daemon().name(name, 0).factory());
        threads.allowCoreThreadTimeOut(true);
    }

    List<InetAddress> addresses(String host) throws UnknownHostException {
        Future<InetAddress[]> found = begin(host);
        try {
            return List.of(found.get(SECONDS, TimeUnit.SECONDS));
        } catch (ExecutionException | TimeoutException e) {
            found.cancel(true);
            throw new UnknownHostException(host);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnknownHostException(host);
        }
    }

    private Future<InetAddress[]> begin(String host) throws UnknownHostException {
        try {
            return threads.submit(() -> InetAddress.getAllByName(host));
        } catch (RejectedExecutionException e) { // it is closed
            throw new UnknownHostException(host);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
