package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.route.RouteMessages;
import dev.caisson.network.route.RouteQueries;
import dev.caisson.network.route.RouteQueries.Link;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Links of containers that are gone. They pass nothing, and the kernel removes them with the container's network
/// namespace, those of many containers together. One that somebody else keeps, as a container that shares the
/// namespace, is removed here.
final class EndingLinks implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(EndingLinks.class.getName());
    /// How long the kernel may take.
    private static final long PATIENCE_NANOS = 2_000_000_000L;

    private static final long PAUSE_NANOS = 5_000_000;

    private record Ending(Link link, long until) {}

    private final Deque<Ending> waiting = new ArrayDeque<>();
    private @Nullable Thread thread;
    private boolean closing;

    /// Adds one that passes nothing. In the network namespace of the calling thread.
    synchronized void add(Link link) {
        waiting.add(new Ending(link, System.nanoTime() + PATIENCE_NANOS));
        if (thread == null) {
            Thread made =
                    Thread.ofPlatform().daemon().name("caisson ending links").unstarted(this::work);
            thread = made;
            made.start();
        }
    }

    /// Removes one after the other, and ends when none is left.
    private void work() {
        try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.ROUTE)) {
            for (Ending next = next(); next != null; next = next()) {
                end(socket, next);
            }
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "links of containers that are gone stay for the next start", e);
            giveUp();
        }
    }

    private synchronized @Nullable Ending next() {
        Ending next = waiting.poll();
        if (next == null) {
            thread = null;
            notifyAll();
        }
        return next;
    }

    private synchronized void giveUp() {
        waiting.clear();
        thread = null;
        notifyAll();
    }

    private void end(NetlinkSocket socket, Ending one) {
        while (isThere(socket, one.link())) {
            if (one.until() - System.nanoTime() <= 0) {
                remove(socket, one.link());
                return;
            }
            LockSupport.parkNanos(pause(one.until()));
        }
    }

    /// Returns how long to wait: a moment if somebody waits for this, else as long as the kernel may take.
    private synchronized long pause(long until) {
        long left = until - System.nanoTime();
        return closing ? Math.min(PAUSE_NANOS, left) : left;
    }

    /// The index is random, and stands for the link even if another one has its name by now.
    private static boolean isThere(NetlinkSocket socket, Link link) {
        return RouteQueries.link(socket, link.index())
                .filter(there -> there.name().equals(link.name()))
                .isPresent();
    }

    private static void remove(NetlinkSocket socket, Link link) {
        try {
            socket.request(
                    "the removal of link " + link.name(),
                    new RouteMessages().deleteLink(link.index()).messages());
        } catch (NetlinkException e) {
            if (!e.is(Errno.ENODEV)) {
                throw e;
            }
        }
    }

    /// Waits until all are gone.
    @Override
    public synchronized void close() {
        closing = true;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
        boolean interrupted = false;
        while (thread != null) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
