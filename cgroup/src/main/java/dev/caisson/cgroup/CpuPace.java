package dev.caisson.cgroup;

import dev.caisson.spec.CpuQuota;
import java.util.Optional;

/// Keeps the processor time that the engine spends on one container, on its output and its denied calls, within the
/// share of the processors that the container has itself: who is over it waits, and so does the program, whose pipe is
/// full or whose call is not answered.
public final class CpuPace {
    /// The share without a quota of its own, in processors.
    static final double UNLIMITED_SHARE = 0.5;
    /// The least share, in processors: a container with the smallest quota must get on.
    static final double LEAST_SHARE = 0.01;
    /// The time that may be spent ahead: starting up takes more than going on.
    static final long BURST_NANOS = 250_000_000;

    private static final long LONGEST_PAUSE_NANOS = 50_000_000;
    private static final long SHORTEST_PAUSE_NANOS = 1_000_000;

    private double share;
    private double credit = BURST_NANOS;
    private long last = System.nanoTime();

    public CpuPace(Optional<CpuQuota> quota) {
        this.share = share(quota);
    }

    private static double share(Optional<CpuQuota> quota) {
        return Math.max(LEAST_SHARE, quota.map(CpuQuota::cpus).orElse(UNLIMITED_SHARE));
    }

    /// Follows a change of the container's quota.
    public synchronized void follow(Optional<CpuQuota> quota) {
        earn(System.nanoTime());
        share = share(quota);
    }

    /// Notes that so much processor time was spent.
    public synchronized void spend(long nanos) {
        credit -= nanos;
    }

    /// Returns how many nanoseconds to wait before more may be spent; 0 for none.
    public synchronized long pauseNanos() {
        earn(System.nanoTime());
        return credit >= 0 ? 0 : Math.clamp((long) (-credit / share), SHORTEST_PAUSE_NANOS, LONGEST_PAUSE_NANOS);
    }

    private void earn(long now) {
        credit = Math.min(BURST_NANOS, credit + (now - last) * share);
        last = now;
    }
}
