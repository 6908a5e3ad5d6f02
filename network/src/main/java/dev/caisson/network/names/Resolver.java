package dev.caisson.network.names;

import dev.caisson.linux.Datagrams;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Reactor;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Answers the questions of containers over sockets that were made in their network namespaces, in one thread for all.
/// Names of containers are answered from a table; others are asked of other servers, from the namespace of this
/// process.
public final class Resolver implements AutoCloseable {
    /// The sockets at which a container asks, which the resolver owns and closes.
    ///
    /// @param udp bound
    /// @param tcp listening
    public record Sockets(Fd udp, Fd tcp) {}

    /// What a container is told.
    ///
    /// @param names called for each question, in the resolver's thread; must not wait
    /// @param admission called likewise; empty for a container that may ask for every name
    public record Knowledge(
            Supplier<NameTable> names, Upstreams upstreams, Bounds bounds, Supplier<Optional<Admission>> admission) {
        /// That of a container that may ask for every name.
        public Knowledge(Supplier<NameTable> names, Upstreams upstreams, Bounds bounds) {
            this(names, upstreams, bounds, Optional::empty);
        }
    }

    /// One container that is served, until it is closed.
    public final class Served implements AutoCloseable {
        private final ServedNames names;

        private Served(ServedNames names) {
            this.names = names;
        }

        /// Returns how many messages came.
        public long questions() {
            return names.questions();
        }

        /// Returns how many were answered that they are not answered: over a bound, or not to be asked outside.
        public long refused() {
            return names.refused();
        }

        /// Closes the container's sockets; a namespace whose last process has ended goes with them.
        @Override
        public void close() {
            inThread(() -> {
                served.remove(names);
                names.close();
            });
        }
    }

    /// Questions of all containers for which other servers are asked at once: each may take five descriptors.
    private static final int MOST_FORWARDS = 512;

    private static final int LONGEST_DATAGRAM = 4096;
    private static final long PATIENCE_SECONDS = 5;

    private final Reactor reactor;
    private final Forward.Shared shared;
    private final Set<ServedNames> served = new HashSet<>();
    private int forwards;

    /// @param broke called once if the thread can go on no more
    public Resolver(Consumer<Throwable> broke) {
        reactor = new Reactor("caisson names", broke);
        shared = new Forward.Shared(reactor, new Datagrams(LONGEST_DATAGRAM), new ServerHealth());
    }

    /// Serves a container from now on.
    public Served serve(Sockets sockets, Knowledge knowledge) {
        var names = new ServedNames(this, shared, sockets, knowledge);
        reactor.at(System.nanoTime(), () -> {
            served.add(names);
            names.begin();
        });
        return new Served(names);
    }

    /// Counts one more for a container. If all are taken, the one that has most of them gives its oldest up,
    /// unless that leaves it with fewer than who asks.
    boolean takeForward(ServedNames asking) {
        if (forwards >= MOST_FORWARDS) {
            Optional<ServedNames> most = served.stream().max(Comparator.comparingInt(ServedNames::inFlight));
            if (most.isEmpty() || most.get().inFlight() <= asking.inFlight() + 1) {
                return false;
            }
            most.get().giveUpOldest();
        }
        forwards++;
        return true;
    }

    void returnForward() {
        forwards--;
    }

    private void inThread(Runnable action) {
        var done = new CountDownLatch(1);
        reactor.at(System.nanoTime(), () -> {
            try {
                action.run();
            } finally {
                done.countDown();
            }
        });
        try {
            if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the resolver's thread does not answer");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Ends the service of all, and closes their sockets.
    @Override
    public void close() {
        inThread(() -> {
            served.forEach(ServedNames::close);
            served.clear();
        });
        reactor.close();
    }
}
