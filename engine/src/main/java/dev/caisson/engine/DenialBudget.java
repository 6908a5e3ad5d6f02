package dev.caisson.engine;

import dev.caisson.network.EgressDenial;
import dev.caisson.spec.ContainerId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/// Decides which denials are noted, so that a container fills the journal neither with what it repeats nor with what it
/// makes up: the same once in a minute, of one container 20 at once and then one in three seconds. For one thread.
final class DenialBudget {
    private static final long SAME_NANOS = 60_000_000_000L;
    private static final long REFILL_NANOS = 3_000_000_000L;
    private static final int AT_ONCE = 20;
    private static final int MOST_CONTAINERS = 4096;
    private static final int MOST_KNOWN = 256;

    private static final class Account {
        private final Map<EgressDenial, Long> noted = bounded(MOST_KNOWN);
        private int left = AT_ONCE;
        private long filledAt;
        private long suppressed;

        Account(long now) {
            filledAt = now;
        }
    }

    private final LongSupplier clock;
    private final Map<ContainerId, Account> accounts = bounded(MOST_CONTAINERS);

    DenialBudget() {
        this(System::nanoTime);
    }

    DenialBudget(LongSupplier clock) {
        this.clock = clock;
    }

    private static <K, V> Map<K, V> bounded(int most) {
        return new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > most;
            }
        };
    }

    /// Returns how many of its container were left out since the last that was noted; empty if this one is left out
    /// too.
    OptionalLong take(EgressDenial denial) {
        long now = clock.getAsLong();
        Account account = accounts.computeIfAbsent(denial.container(), _ -> new Account(now));
        long refills = (now - account.filledAt) / REFILL_NANOS;
        account.left = (int) Math.min(AT_ONCE, account.left + refills);
        account.filledAt += refills * REFILL_NANOS;
        Long before = account.noted.get(denial);
        if (account.left == 0 || (before != null && now - before < SAME_NANOS)) {
            account.suppressed++;
            return OptionalLong.empty();
        }
        account.left--;
        account.noted.remove(denial);
        account.noted.put(denial, now);
        long suppressed = account.suppressed;
        account.suppressed = 0;
        return OptionalLong.of(suppressed);
    }
}
