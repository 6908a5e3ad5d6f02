package dev.caisson.engine;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Looks names up as the host does, and none for longer than a few seconds.
final class HostLookups implements AutoCloseable {
    private static final int AT_ONCE = 4;
    private static final long SECONDS = 5;

    private final ExecutorService threads;

    HostLookups(String name) {
        threads = Executors.newFixedThreadPool(
                AT_ONCE, Thread.ofPlatform().daemon().name(name, 0).factory());
    }

    List<InetAddress> addresses(String host) throws UnknownHostException {
        Future<InetAddress[]> found = threads.submit(() -> InetAddress.getAllByName(host));
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

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
