package dev.caisson.engine;

import dev.caisson.gate.Notes;
import dev.caisson.network.EgressDenial;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Gate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;

/// Notes of one container's gates: uses go to the store's log, the first at once and then once a minute with their
/// number, because a line there costs the host a write to its disk; what is refused is among the denials.
final class GateUses implements Notes, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(GateUses.class.getName());
    private static final Duration EACH = Duration.ofMinutes(1);
    private static final String PROTOCOL = "gate";

    private static final class Count {
        private long uses;
        private long noted = System.nanoTime() - EACH.toNanos();
    }

    private final ContainerId container;
    private final Path data;
    private final ExecutorService writing;
    private final Consumer<EgressDenial> denials;
    private final Map<Gate, Count> counts = new HashMap<>();

    /// @param writing writes lines one after the other
    GateUses(ContainerId container, Path data, ExecutorService writing, Consumer<EgressDenial> denials) {
        this.container = container;
        this.data = data;
        this.writing = writing;
        this.denials = denials;
    }

    @Override
    public synchronized void used(Gate gate) {
        Count count = counts.computeIfAbsent(gate, _ -> new Count());
        count.uses++;
        if (System.nanoTime() - count.noted >= EACH.toNanos()) {
            note(gate, count);
        }
    }

    private void note(Gate gate, Count count) {
        long uses = count.uses;
        count.uses = 0;
        count.noted = System.nanoTime();
        String user = "container " + container.value() + ", " + uses + (uses == 1 ? " request" : " requests") + " to "
                + gate.target();
        writing.execute(() -> {
            try {
                GateSecrets.note(data, gate.secret(), user);
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.WARNING, "a use of the secret " + gate.secret() + " is not in its log", e);
            }
        });
    }

    @Override
    public void refused(String host, int port, String reason) {
        denials.accept(new EgressDenial(
                container,
                host.isEmpty() ? Optional.empty() : Optional.of(host),
                Optional.empty(),
                port,
                PROTOCOL,
                reason));
    }

    /// Notes what has not been.
    @Override
    public synchronized void close() {
        counts.forEach((gate, count) -> {
            if (count.uses > 0) {
                note(gate, count);
            }
        });
    }
}
