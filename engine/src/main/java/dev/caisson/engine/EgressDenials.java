package dev.caisson.engine;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Polling;
import dev.caisson.network.DenialLog;
import dev.caisson.network.EgressDenial;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.DeniedDestination;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// Notes among the events of a state directory what containers were denied outside of their networks: connections, of
/// which one process is told, and names that this process was asked for. A container that tries much is noted now and
/// then, with how often it did.
final class EgressDenials implements AutoCloseable {
    static final String ACTION = "egress_denied";
    private static final int MOST_WAITING = 1024;
    private static final long PAUSE_NANOS = 250_000_000;
    /// The kernel gathers reports for a hundredth of a second.
    private static final long REPORT_NANOS = 15_000_000;

    private static final Set<EgressDenials> OPEN = ConcurrentHashMap.newKeySet();
    private static final long RETRY_NANOS = 2_000_000_000;
    private static final long PATIENCE_MILLIS = 5_000;
    private static final int WAIT_MILLIS = 2_100;
    private static final int LONG_WAIT_MILLIS = 30_000;

    private final EngineOptions options;
    private final BiFunction<ContainerId, InetAddress, Optional<String>> names;
    private final BlockingQueue<EgressDenial> waiting = new ArrayBlockingQueue<>(MOST_WAITING);
    private final Polling polling = new Polling();
    private final DenialBudget budget = new DenialBudget();
    private final Thread thread;
    private volatile boolean closed;
    private @Nullable DenialLog log;
    private boolean ended;
    private long openedAt = System.nanoTime() - RETRY_NANOS;

    /// @param names gives the name that led a container to an address, if it is known
    EgressDenials(EngineOptions options, BiFunction<ContainerId, InetAddress, Optional<String>> names) {
        this.options = options;
        this.names = names;
        this.thread = Thread.ofPlatform().daemon().name("caisson denials").unstarted(this::read);
    }

    void begin() {
        OPEN.add(this);
        thread.start();
    }

    /// Takes one, without waiting; those beyond many that wait are dropped.
    void add(EgressDenial denial) {
        boolean _ = waiting.offer(denial);
        wake();
    }

    /// Has it look what there is.
    void wake() {
        polling.wake();
        LockSupport.unpark(thread);
    }

    private void read() {
        while (!closed) {
            boolean reports = !polling.await(HostNetworks.hasAny(options) ? WAIT_MILLIS : LONG_WAIT_MILLIS)
                    .isEmpty();
            if (reports && waiting.isEmpty() && !closed) {
                LockSupport.parkNanos(PAUSE_NANOS); // many are noted together
            }
            noteAll();
        }
        noteAll(); // what came before it was closed
        end();
    }

    /// Another thread may wait to note, and must not open the log again.
    private synchronized void end() {
        ended = true;
        closeLog();
        polling.close();
    }

    private synchronized void noteAll() {
        if (ended) {
            return;
        }
        try {
            var denials = new ArrayList<EgressDenial>();
            waiting.drainTo(denials);
            denials.addAll(reported());
            denials.forEach(this::note);
        } catch (RuntimeException e) {
            System.getLogger(EgressDenials.class.getName())
                    .log(System.Logger.Level.WARNING, "denials of containers could not be read", e);
            closeLog();
        }
    }

    /// Returns once all that this process knows of is among the events. What the kernel has just denied it reports a
    /// little later.
    static void settle(EngineOptions options) {
        List<EgressDenials> all = OPEN.stream()
                .filter(one -> one.options.state().equals(options.state()))
                .toList();
        if (!all.isEmpty()) {
            LockSupport.parkNanos(REPORT_NANOS);
        }
        all.forEach(EgressDenials::noteAll);
    }

    /// Opens the log once it can be: another process may read it, or no network is there yet.
    private List<EgressDenial> reported() {
        DenialLog open = log;
        long now = System.nanoTime();
        if (open == null && now - openedAt >= RETRY_NANOS && HostNetworks.hasAny(options)) {
            openedAt = now;
            try {
                open = DenialLog.open(options.networks(), names).orElse(null);
                if (open != null) {
                    open.tell(polling, 0);
                }
            } catch (ErrnoException | IllegalStateException e) {
                return List.of(); // its directory is being made
            }
            log = open;
        }
        return open == null ? List.of() : open.next();
    }

    private void note(EgressDenial denial) {
        budget.take(denial).ifPresent(suppressed -> {
            Map<String, String> told = attributes(denial, suppressed);
            Optional<DetachedPlace> place =
                    DetachedPlace.find(denial.container().value(), options);
            LifeEvents.note(
                    options,
                    denial.container(),
                    ACTION,
                    place.map(found -> DeniedDestinations.withoutLabels(LifeEvents.attributes(found, told), told))
                            .orElse(told));
        });
    }

    private static Map<String, String> attributes(EgressDenial denial, long suppressed) {
        Map<String, String> told = DeniedDestinations.attributes(new DeniedDestination(
                denial.name().orElse(""),
                denial.address().map(AddressText::of).orElse(""),
                denial.port(),
                denial.protocol(),
                denial.reason()));
        if (suppressed > 0) {
            told.put(DeniedDestinations.MORE, Long.toString(suppressed));
        }
        return told;
    }

    private void closeLog() {
        if (log != null) {
            log.close();
            log = null;
        }
    }

    @Override
    public void close() {
        closed = true;
        wake();
        try {
            thread.join(PATIENCE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        OPEN.remove(this);
    }
}
