package dev.caisson.engine;

import dev.caisson.network.Networks;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Makes the tables of the packet filter again, with all that is recorded, when somebody has removed them, as
/// `nft flush ruleset` and a restart of nftables do. Without them nothing keeps containers on networks from each other
/// and from the host. For one thread.
final class FlushGuard implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(FlushGuard.class.getName());
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(400);
    private static final long PAUSE_AFTER_FAILURE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final EngineOptions options;
    private @Nullable Networks networks;
    private long next = System.nanoTime();

    FlushGuard(EngineOptions options) {
        this.options = options;
    }

    /// Looks, if it has not lately. Two questions to the kernel, and nothing changes if the tables are there.
    void look() {
        long now = System.nanoTime();
        if (now - next < 0 || !HostNetworks.hasAny(options)) {
            return;
        }
        next = now + PAUSE_NANOS;
        try {
            Networks known = networks;
            if (known == null) {
                known = HostNetworks.open(options);
                networks = known;
            }
            known.recover(_ -> true);
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
