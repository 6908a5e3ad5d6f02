package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// The processor time of threads, clock_gettime(2).
public final class ThreadClock {
    private static final int CLOCK_THREAD_CPUTIME_ID = 3;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private ThreadClock() {}

    /// Returns the processor time that the calling thread has used, in nanoseconds. For a virtual thread it is that of
    /// its carrier: two values may be compared only if nothing between them waits.
    public static long cpuNanos() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(JAVA_LONG, 2);
            Native.check("clock_gettime", Native.raw(Nr.CLOCK_GETTIME, CLOCK_THREAD_CPUTIME_ID, time.address()));
            return time.getAtIndex(JAVA_LONG, 0) * NANOS_PER_SECOND + time.getAtIndex(JAVA_LONG, 1);
        }
    }
}
