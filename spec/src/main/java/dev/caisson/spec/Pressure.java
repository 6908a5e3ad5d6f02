package dev.caisson.spec;

import java.time.Duration;

/// How much time the processes of a group lost because they had to wait for a resource,
/// Documentation/accounting/psi.rst.
///
/// @param some at least one of them waited
/// @param full all of them that had work waited, so that none was done
public record Pressure(Stall some, Stall full) {
    /// Percentages of the last 10, 60 and 300 seconds, and the time since the group was made.
    public record Stall(double last10, double last60, double last300, Duration total) {
        /// Nobody waited.
        public static final Stall NONE = new Stall(0, 0, 0, Duration.ZERO);
    }
}
