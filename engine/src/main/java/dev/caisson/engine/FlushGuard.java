package dev.caisson.engine;

import dev.caisson.network.Networks;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Makes the tables of the packet filter again, with all that is recorded, when somebody has removed them, as
/// `nft flush ruleset` and a restart of nftables do. Without them nothing keeps containers on networks from each other
/// and from the host but tables of its own, which drop everything meanwhile. For one thread.
final class FlushGuard implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(FlushGuard.class.getName());
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(400);
    private static final long PAUSE_AFTER_FAILURE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final EngineOptions options;
    private @Nullable Networks networks;
    private long next = System.nanoTime();
    private int generation;

    FlushGuard(EngineOptions options) {
        this.options = options;
    }

    /// Looks if anybody has changed the packet filter since the last look, which one question to the kernel tells, and
    /// now and then in any case. Nothing changes if the tables are there.
    void look() {
        long now = System.nanoTime();
        boolean due = now - next >= 0;
        if (due ? !HostNetworks.hasAny(options) : networks == null) {
            return;
        }
        try {
            Networks known = networks;
            if (known == null) {
                known = HostNetworks.open(options);
                networks = known;
            }
            int seen = known.generation(); // of before, so that what happens from here on is seen by the next look
            if (due || seen != generation) {
                next = now + PAUSE_NANOS;
                known.recover(_ -> true);
                known.standBy();
                generation = seen;
            }
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "the packet filter of networks is not looked after", e);
            next = now + PAUSE_AFTER_FAILURE_NANOS;
            close();
        }
    }

    @Override
    public void close() {
        if (networks != null) {
            networks.close();
            networks = null;
        }
    }
}
