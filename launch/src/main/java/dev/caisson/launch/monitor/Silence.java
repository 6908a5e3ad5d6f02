package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.linux.Processes;
import java.time.Duration;

/// How long a monitor has left a request without an answer, and when that is too long.
final class Silence {
    /// What a monitor has for a request that it answers at once, however busy the host is, and for one that stands
    /// still.
    record Bounds(Duration answer, Duration stopped) {
        static final Bounds USUAL = new Bounds(Duration.ofSeconds(30), Duration.ofSeconds(5));
    }

    private final int request;
    private final int pid;
    private final Bounds bounds;
    private final long begun = System.nanoTime();
    private long ran = begun;

    /// @param pid the monitor's
    Silence(int request, int pid, Bounds bounds) {
        this.request = request;
        this.pid = pid;
        this.bounds = bounds;
    }

    /// Looks whether an answer may still be waited for.
    /// @throws HostException MONITOR_SILENT
    void check() {
        long now = System.nanoTime();
        if (!Processes.isStopped(pid)) {
            ran = now;
        }
        if (now - ran > bounds.stopped().toNanos()) {
            throw MonitorFailures.stopped(pid);
        }
        if (!Requests.takesTime(request) && now - begun > bounds.answer().toNanos()) {
            throw MonitorFailures.silent(pid, bounds.answer());
        }
    }
}
