package dev.caisson.engine;

import dev.caisson.linux.ErrnoException;
import dev.caisson.network.DenialLog;
import dev.caisson.network.EgressDenial;
import dev.caisson.spec.ContainerId;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// Notes among the events of a state directory what containers were denied outside of their networks: connections, of
/// which one process is told, and names that this process was asked for. A container that tries much is noted now and
/// then, with how often it did.
final class EgressDenials implements AutoCloseable {
    private static final String ACTION = "egress_denied";
    private static final int MOST_WAITING = 1024;
    private static final long PAUSE_MILLIS = 250;
    private static final long RETRY_NANOS = 2_000_000_000;
    private static final long PATIENCE_MILLIS = 5_000;

    private final EngineOptions options;
    private final BiFunction<ContainerId, InetAddress, Optional<String>> names;
    private final BlockingQueue<EgressDenial> waiting = new ArrayBlockingQueue<>(MOST_WAITING);
    private final DenialBudget budget = new DenialBudget();
    private final Thread thread;
    private volatile boolean closed;
    private @Nullable DenialLog log;
    private long openedAt = System.nanoTime() - RETRY_NANOS;

    /// @param names gives the name that led a container to an address, if it is known
    EgressDenials(EngineOptions options, BiFunction<ContainerId, InetAddress, Optional<String>> names) {
        this.options = options;
        this.names = names;
        this.thread = Thread.ofPlatform().daemon().name("caisson denials").unstarted(this::read);
    }

    void begin() {
        thread.start();
    }

    /// Takes one, without waiting; those beyond many that wait are dropped.
    void add(EgressDenial denial) {
        boolean _ = waiting.offer(denial);
    }

    private void read() {
        boolean last = false;
        while (!last) {
            last = closed; // what came before is noted
            try {
                var denials = new ArrayList<EgressDenial>();
                EgressDenial first = last ? waiting.poll() : waiting.poll(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
                if (first != null) {
                    denials.add(first);
                    waiting.drainTo(denials);
                }
                denials.addAll(reported());
                denials.forEach(this::note);
            } catch (InterruptedException e) {
                // it is closed
            } catch (RuntimeException e) {
                System.getLogger(EgressDenials.class.getName())
                        .log(System.Logger.Level.WARNING, "denials of containers could not be read", e);
                closeLog();
            }
        }
        closeLog();
    }

    /// Opens the log once it can be: another process may read it, or no network is there yet.
    private List<EgressDenial> reported() {
        DenialLog open = log;
        long now = System.nanoTime();
        if (open == null && now - openedAt >= RETRY_NANOS && HostNetworks.hasAny(options)) {
            openedAt = now;
            try {
                open = DenialLog.open(options.networks(), names).orElse(null);
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
                    place.map(found -> LifeEvents.attributes(found, told)).orElse(told));
        });
    }

    private static Map<String, String> attributes(EgressDenial denial, long suppressed) {
        var told = new LinkedHashMap<String, String>();
        denial.name().ifPresent(name -> told.put("domain", name));
        denial.address().ifPresent(address -> told.put("address", AddressText.of(address)));
        if (denial.port() != 0) {
            told.put("port", Integer.toString(denial.port()));
        }
        told.put("protocol", denial.protocol());
        told.put("reason", denial.reason());
        if (suppressed > 0) {
            told.put("more", Long.toString(suppressed));
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
        thread.interrupt();
        try {
            thread.join(PATIENCE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
