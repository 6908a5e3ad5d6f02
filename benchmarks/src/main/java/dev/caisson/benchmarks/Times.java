package dev.caisson.benchmarks;

import java.util.Arrays;
import java.util.Locale;

/// The times of many launches of one kind.
///
/// @param cpu of one launch, all processes that took part
record Times(String name, int count, long failures, double p50, double p90, double p99, double cpu) {
    private static final double NANOS_PER_MILLI = 1e6;

    static Times of(String name, long[] nanos, long failures, double cpuMillis) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return new Times(
                name, sorted.length, failures, at(sorted, 0.50), at(sorted, 0.90), at(sorted, 0.99), cpuMillis);
    }

    private static double at(long[] sorted, double part) {
        return sorted[(int) (sorted.length * part)] / NANOS_PER_MILLI;
    }

    /// @param peer whose median the others are set against
    static String header(String peer) {
        return "| milliseconds | launches | failed | p50 | p90 | p99 | CPU | p50, as part of " + peer + "'s |\n"
                + "|---|--:|--:|--:|--:|--:|--:|--:|";
    }

    /// @param peer median of the peer in the same run, 0 where it was not measured
    String row(double peer) {
        return String.format(
                Locale.ROOT,
                "| %s | %d | %d | %.2f | %.2f | %.2f | %s | %s |",
                name,
                count,
                failures,
                p50,
                p90,
                p99,
                cpu == 0 ? "" : String.format(Locale.ROOT, "%.2f", cpu),
                peer == 0 ? "" : String.format(Locale.ROOT, "%.2f", p50 / peer));
    }
}
