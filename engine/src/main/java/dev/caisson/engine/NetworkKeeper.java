package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.launch.HostException;
import dev.caisson.launch.ResolverSockets;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.launch.monitor.MonitorState;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.network.Attachment;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Network;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Answers the questions for names of containers that outlive their command, by sockets that their monitors lend, and
/// relays their published ports of loopback; sees that the packet filter is there. One process at a time does it for a
/// state directory; when it ends, the sockets stay with the monitors, and the next goes on.
public final class NetworkKeeper implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(NetworkKeeper.class.getName());
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final String LOCK = "keeper";
    private static final String CHANGES = "lock";
    /// How long a new container waits at most: its command returns later than that.
    private static final int LOOK_MILLIS = 50;

    /// Many changes in a row are one.
    private static final long GATHERED_MILLIS = 20;

    private static final long PAUSE_MILLIS = 250;
    private static final long ALL_NANOS = 5_000_000_000L;
    private static final Duration PAUSE = Duration.ofMillis(PAUSE_MILLIS);
    private static final long PATIENCE_MILLIS = 5_000;

    private final EngineOptions options;
    private final Fd lock;
    private final ServedNetworks served;
    private final Map<ContainerId, Thread> watched = new ConcurrentHashMap<>();
    private final Set<ContainerId> needing = ConcurrentHashMap.newKeySet();
    private final Thread thread;
    private final NetworkChanges news;
    private volatile boolean closed;

    private NetworkKeeper(EngineOptions options, Fd lock) {
        this.options = options;
        this.lock = lock;
        this.served = new ServedNetworks(options);
        this.news = new NetworkChanges(options, LOOK_MILLIS);
        this.thread =
                Thread.ofPlatform().daemon().name("caisson network keeper").unstarted(this::keep);
    }

    /// Begins.
    /// @return empty if another process does it already
    public static Optional<NetworkKeeper> open(EngineOptions options) {
        HostAccess.requireRoot();
        HostAccess.requireNative();
        Fd lock;
        try (Fd state = FileSystem.open(options.state().toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            lock = FileSystem.openAt(state, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH);
        }
        if (!FileLocks.tryLock(lock)) {
            lock.close();
            return Optional.empty();
        }
        var keeper = new NetworkKeeper(options, lock);
        keeper.served.noteDenials();
        keeper.thread.start();
        return Optional.of(keeper);
    }

    /// True if a process does it for a state directory at the moment.
    public static boolean isThere(EngineOptions options) {
        try (Fd lock = FileSystem.open(options.state().resolve(LOCK).toString(), FileSystem.O_RDONLY)) {
            return FileLocks.isLocked(lock);
        } catch (ErrnoException e) {
            return false; // there was never one
        }
    }

    /// True if a container with this spec that outlives its command depends on one: for names, which are
    /// looked up on all networks but the default one, for published ports, which are relayed at loopback, or
    /// for a list of what it reaches, with its names and denials.
    public static boolean isNeeded(ContainerSpec spec) {
        return switch (spec.network()) {
            case Network.None _, Network.OfContainer _, Network.Host _ -> false;
            case Network.Joined joined ->
                !joined.ports().mappings().isEmpty()
                        || joined.ports().all()
                        || joined.egress() instanceof Egress.Listed
                        || joined.endpoints().stream()
                                .anyMatch(endpoint -> !endpoint.network().equals(Networks.DEFAULT));
        };
    }

    /// True if the spec of this container [#isNeeded(ContainerSpec) needs one].
    public static boolean isNeeded(DetachedContainer container, EngineOptions options) {
        return KeptSpec.of(container.id(), options)
                .filter(NetworkKeeper::isNeeded)
                .isPresent();
    }

    /// Waits until one relays the published ports of a container that was started, for at most a second, and has opened
    /// its gates, for a few seconds.
    public static void awaitPorts(DetachedContainer container, EngineOptions options) throws InterruptedException {
        RelayedPorts.await(container.id(), options);
        GuestGates.await(container.id(), options);
    }

    /// True if a container of a state directory runs that needs one, or is to be started again. Asks the containers.
    public static boolean isNeeded(EngineOptions options) throws InterruptedException {
        for (DetachedPlace place : DetachedPlace.all(options)) {
            if (KeptSpec.of(place.id(), options).filter(NetworkKeeper::isNeeded).isPresent() && mayBeUsed(place)) {
                return true;
            }
        }
        return false;
    }

    /// One whose monitor stands still may run.
    private static boolean mayBeUsed(DetachedPlace place) throws InterruptedException {
        try {
            return place.told().filter(NetworkKeeper::isUsed).isPresent();
        } catch (HostException e) {
            if (MonitorFailures.isSilent(e)) {
                return true;
            }
            throw e;
        }
    }

    /// True if a container that needs it ran lately, or is to be started again.
    public boolean isNeeded() {
        return !needing.isEmpty();
    }

    private static boolean isUsed(MonitorState state) {
        return switch (state.phase()) {
            case STARTING, HELD, RUNNING, PAUSED, STOPPING, RESTARTING -> true;
            case CREATED, EXITED -> false;
        };
    }

    private void keep() {
        try (var guard = new FlushGuard(options)) {
            keep(guard);
        }
    }

    private void keep(FlushGuard guard) {
        long seen = 0;
        long lookedAt = System.nanoTime() - ALL_NANOS;
        long until = lookedAt;
        while (!closed) {
            try {
                news.watch();
                guard.look();
                long now = System.nanoTime();
                long changes = changes();
                if (changes != seen) {
                    until = now + ALL_NANOS; // a container has its place before it has its monitor
                    served.lookAtDenials();
                }
                if (until - now > 0 || now - lookedAt >= ALL_NANOS) {
                    look();
                    lookedAt = now;
                    seen = changes;
                }
                if (until - now > 0) {
                    Thread.sleep(LOOK_MILLIS);
                } else {
                    news.await();
                    Thread.sleep(GATHERED_MILLIS);
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, "containers on networks could not be listed", e);
                lookedAt = System.nanoTime();
                until = lookedAt;
                if (!paused()) {
                    return;
                }
            }
        }
    }

    private static boolean paused() {
        try {
            Thread.sleep(PAUSE_MILLIS);
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    /// Returns how often networks have changed; 0 if there are none.
    private long changes() {
        if (!HostNetworks.hasAny(options)) {
            return 0;
        }
        try (Fd file = FileSystem.open(options.networks().resolve(CHANGES).toString(), FileSystem.O_RDONLY)) {
            var bytes = new byte[Long.BYTES];
            return FileContent.readAt(file, bytes, 0) < bytes.length
                    ? 0
                    : ByteBuffer.wrap(bytes).getLong();
        } catch (ErrnoException e) {
            return 0; // it is being made
        }
    }

    private void look() {
        if (!HostNetworks.hasAny(options)) {
            return;
        }
        for (DetachedPlace place : DetachedPlace.all(options)) {
            ContainerId id = place.id();
            if (!watched.containsKey(id)) {
                KeptSpec.of(id, options).filter(NetworkKeeper::joins).ifPresent(spec -> {
                    Thread watching = Thread.ofPlatform()
                            .daemon()
                            .name("caisson network of " + id.shortForm())
                            .unstarted(() -> watch(place, spec));
                    watched.put(id, watching);
                    watching.start();
                });
            }
        }
    }

    private static boolean joins(ContainerSpec spec) {
        return switch (spec.network()) {
            case Network.None _, Network.OfContainer _, Network.Host _ -> false;
            case Network.Joined _ -> true;
        };
    }

    /// What of one container is served.
    ///
    /// @param generation number of its start, 0 if it does not run
    /// @param ended number of the start after whose end its ports were withheld
    /// @param changes how often networks had changed
    private record Serving(int generation, int ended, long changes, ContainerSpec spec) {}

    /// Serves one container from each start to the end of that run, until its monitor is gone.
    private void watch(DetachedPlace place, ContainerSpec spec) {
        ContainerId id = place.id();
        Optional<Monitor> found = Optional.empty();
        try {
            found = place.connect();
            if (found.isPresent()) {
                Monitor monitor = found.get();
                monitor.watch(false, true);
                var serving = new Serving(0, 0, 0, spec);
                while (!closed) {
                    serving = follow(place, monitor, serving);
                    monitor.notice(PAUSE);
                }
            }
        } catch (InterruptedException e) {
            // it is closed
        } catch (HostException e) {
            if (!MonitorFailures.isGone(e)) {
                LOG.log(System.Logger.Level.WARNING, "names of container " + id.shortForm() + " are not answered", e);
            }
        } finally {
            found.ifPresent(Monitor::close);
            served.end(id.value());
            needing.remove(id);
            watched.remove(id);
        }
    }

    /// @return what is served from now on
    private Serving follow(DetachedPlace place, Monitor monitor, Serving before) throws InterruptedException {
        ContainerId id = place.id();
        long changes = changes();
        boolean changed = changes != before.changes();
        ContainerSpec spec =
                changed ? KeptSpec.of(id, options).orElse(before.spec()) : before.spec(); // its networks may be others
        MonitorState state = monitor.state();
        if (isUsed(state) && isNeeded(spec)) {
            needing.add(id);
        } else {
            needing.remove(id);
        }
        int wanted = runs(state) ? state.generation() : 0;
        if (wanted != before.generation()) {
            served.rest(id.value());
            if (wanted != 0) {
                serve(id, spec, monitor);
                if (wanted > 1) {
                    SharedNetwork.passOn(id, options);
                }
            }
        } else if (wanted != 0 && changed) {
            relay(id, spec);
        }
        boolean ended = EndedPorts.hasEnded(state) && state.generation() != before.ended() && EndedPorts.refuse(place);
        return new Serving(wanted, ended ? state.generation() : before.ended(), changes, spec);
    }

    private static boolean runs(MonitorState state) {
        return switch (state.phase()) {
            case RUNNING, PAUSED, STOPPING -> true;
            case CREATED, STARTING, HELD, RESTARTING, EXITED -> false;
        };
    }

    private void serve(ContainerId id, ContainerSpec spec, Monitor monitor) throws InterruptedException {
        Optional<ResolverSockets> lent = monitor.resolver();
        if (lent.isPresent()) {
            try (Fd udp = lent.get().udp();
                    Fd tcp = lent.get().tcp()) {
                served.begin(id, spec, new ResolverSockets(udp, tcp));
            }
        }
        relay(id, spec);
    }

    private void relay(ContainerId id, ContainerSpec spec) {
        try (Networks networks = HostNetworks.open(options)) {
            List<Attachment> places = networks.attachments(id);
            served.relay(id, places, networks.published(id), List.of());
            if (!GateSecrets.of(spec).isEmpty()) {
                gate(id, spec, places, networks);
            }
            greet(id, places, networks);
        }
    }

    /// By what is recorded: who changes the list writes the spec after that.
    private void greet(ContainerId id, List<Attachment> places, Networks networks) {
        if (!networks.bounds(id).egress().greets()) {
            served.greetNone(id);
            return;
        }
        try {
            served.greet(id, places, networks);
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "names that container " + id.shortForm() + " reaches by greetings lead nowhere",
                    e);
        }
    }

    /// A store that is locked, or a secret that is gone, leaves the container without the host.
    private void gate(ContainerId id, ContainerSpec spec, List<Attachment> places, Networks networks) {
        try {
            served.gate(id, places, networks, () -> GateSecrets.read(options.data(), spec, "container " + id.value()));
        } catch (CaissonException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the gates of container " + id.shortForm() + " are closed: " + e.sentence());
        } catch (IOException e) {
            LOG.log(System.Logger.Level.ERROR, "the gates of container " + id.shortForm() + " are closed", e);
        }
    }

    /// Ends the service; containers go on, and their questions wait for the next.
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        news.wake();
        watched.values().forEach(Thread::interrupt);
        try {
            thread.join(PATIENCE_MILLIS);
            for (Thread watching : watched.values()) {
                watching.join(PATIENCE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        served.close();
        if (!thread.isAlive()) {
            news.close();
        }
        lock.close();
    }
}
