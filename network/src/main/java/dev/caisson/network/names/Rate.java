package dev.caisson.network.names;

/// A rate with a burst of a second's worth.
final class Rate {
    private static final double NANOS = 1e9;

    private final int perSecond;
    private double left;
    private long at;

    Rate(int perSecond, long now) {
        this.perSecond = perSecond;
        left = perSecond;
        at = now;
    }

    /// True if one is left to [#take].
    boolean isLeft(long now) {
        left = Math.min(perSecond, left + (now - at) / NANOS * perSecond);
        at = now;
        return left >= 1;
    }

    void take() {
        left--;
    }

    /// Returns when a few are left again, so that whoever waits does not come back for each.
    long again(long now) {
        double wanted = Math.max(1, perSecond / 20.0);
        return now + (long) ((wanted - left) / perSecond * NANOS) + 1;
    }
}
