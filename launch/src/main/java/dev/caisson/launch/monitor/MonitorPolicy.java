package dev.caisson.launch.monitor;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;

/// What a monitor does without being asked: `struct monitor_policy`.
///
/// @param mostRestarts with ON_FAILURE, in a row; 0 for any number
/// @param stopTimeout before SIGKILL; longer than 49 days stands for never
/// @param deadline of each start, after which it is killed and not started again
/// @param lease from now, then from each renewal, after which the container ends for good
public record MonitorPolicy(
        Restart restart,
        int mostRestarts,
        int stopSignal,
        Duration stopTimeout,
        Optional<Duration> deadline,
        Optional<Duration> lease) {
    /// In the order of `enum monitor_restart`.
    public enum Restart {
        NO,
        ON_FAILURE,
        UNLESS_STOPPED,
        ALWAYS
    }

    static final int BYTES = 32;
    private static final long FOREVER = 0xffff_ffffL;

    @SuppressWarnings("EnumOrdinal") // the order is that of the native enum
    void put(ByteBuffer out) {
        out.putInt(restart.ordinal());
        out.putInt(mostRestarts);
        out.putInt(stopSignal);
        out.putInt((int) millis(stopTimeout));
        out.putInt(0); // the usual share of processors for output
        out.putInt(deadline.map(MonitorPolicy::atLeastOne).orElse(0));
        out.putInt(lease.map(MonitorPolicy::atLeastOne).orElse(0));
        out.putInt(0);
    }

    static long millis(Duration duration) {
        return duration.compareTo(Duration.ofMillis(FOREVER)) >= 0 ? FOREVER : duration.toMillis();
    }

    private static int atLeastOne(Duration duration) {
        return (int) Math.clamp(millis(duration), 1, FOREVER - 1);
    }
}
