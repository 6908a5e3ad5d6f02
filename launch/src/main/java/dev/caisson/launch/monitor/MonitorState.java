package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What a monitor knows of its container: `struct monitor_state`.
///
/// @param pid of its process 1, 0 where there is none
/// @param generation how often it was started
/// @param restarts how many of these were the policy's
/// @param end of the last run; empty before the first
/// @param run how long the last run took, or has taken so far
public record MonitorState(
        Phase phase,
        int monitorPid,
        int pid,
        int generation,
        int restarts,
        int flags,
        Optional<End> end,
        int obstacles,
        Instant created,
        Optional<Instant> started,
        Optional<Instant> finished,
        Duration run,
        Duration cpuTime,
        long logBytes,
        long logLost,
        int logError,
        long oomKills,
        Duration untilRestart,
        Duration lease) {
    /// In the order of `enum monitor_phase`, from 1.
    public enum Phase {
        CREATED,
        STARTING,
        HELD,
        RUNNING,
        PAUSED,
        STOPPING,
        RESTARTING,
        EXITED
    }

    /// How a run ended.
    ///
    /// @param code 0 if a signal ended it
    /// @param signal 0 if it ended by itself
    public record End(int code, int signal) {}

    static final int BYTES = 128;
    private static final int SIGNALLED = 256;
    private static final int OOM = 1;
    private static final int STOPPED = 2;
    private static final int LEASE_OVER = 4;
    private static final int DEADLINE = 8;
    private static final int START_FAILED = 16;
    private static final int ZYGOTE_GONE = 32;
    private static final int HEALTH_STARTING = 256;
    private static final int HEALTHY = 512;
    private static final int UNHEALTHY = 1024;
    private static final int NETWORK_ENDED = 2048;

    /// What its health checks say.
    public enum Health {
        /// It has none, or was never started.
        NONE,
        STARTING,
        HEALTHY,
        UNHEALTHY
    }

    /// @throws HostException MONITOR_PROTOCOL
    static MonitorState decode(byte[] bytes, int at) {
        if (bytes.length < at + BYTES) {
            throw new HostException(
                    "MONITOR_PROTOCOL", "the monitor sent " + bytes.length + " bytes instead of a state");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes, at, BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int phase = in.getInt();
        if (phase < 1 || phase > Phase.values().length) {
            throw new HostException("MONITOR_PROTOCOL", "the monitor is in a phase that is not known: " + phase);
        }
        int monitorPid = in.getInt();
        int pid = in.getInt();
        int generation = in.getInt();
        int restarts = in.getInt();
        int flags = in.getInt();
        int status = in.getInt();
        int obstacles = in.getInt();
        Instant created = Instant.ofEpochMilli(in.getLong());
        Optional<Instant> started = time(in.getLong());
        Optional<Instant> finished = time(in.getLong());
        Duration run = Duration.ofMillis(in.getLong());
        Duration cpuTime = Duration.ofNanos(1000 * (in.getLong() + in.getLong()));
        long logBytes = in.getLong();
        long logLost = in.getLong();
        int logError = in.getInt();
        in.getInt(); // the record's error, which the monitor mends by itself
        return new MonitorState(
                Phase.values()[phase - 1],
                monitorPid,
                pid,
                generation,
                restarts,
                flags,
                end(status),
                obstacles,
                created,
                started,
                finished,
                run,
                cpuTime,
                logBytes,
                logLost,
                logError,
                in.getLong(),
                Duration.ofMillis(in.getLong()),
                Duration.ofMillis(in.getLong()));
    }

    private static Optional<Instant> time(long millis) {
        return millis == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
    }

    private static Optional<End> end(int status) {
        if (status < 0) {
            return Optional.empty();
        }
        return Optional.of(status >= SIGNALLED ? new End(0, status - SIGNALLED) : new End(status, 0));
    }

    public boolean metOutOfMemory() {
        return (flags & OOM) != 0;
    }

    /// Whether the last end was asked for.
    public boolean wasStopped() {
        return (flags & STOPPED) != 0;
    }

    public boolean isLeaseOver() {
        return (flags & LEASE_OVER) != 0;
    }

    public boolean metDeadline() {
        return (flags & DEADLINE) != 0;
    }

    public boolean failedToStart() {
        return (flags & START_FAILED) != 0;
    }

    /// Whether the last start was refused because the container whose network it shares had ended.
    public boolean lostItsNetwork() {
        return (flags & NETWORK_ENDED) != 0;
    }

    /// Whether it can never be started again by this monitor.
    public boolean isZygoteGone() {
        return (flags & ZYGOTE_GONE) != 0;
    }

    public Health health() {
        return switch (flags & (HEALTH_STARTING | HEALTHY | UNHEALTHY)) {
            case HEALTH_STARTING -> Health.STARTING;
            case HEALTHY -> Health.HEALTHY;
            case UNHEALTHY -> Health.UNHEALTHY;
            default -> Health.NONE;
        };
    }

    /// Whether its program runs, frozen or not, or is on its way there.
    public boolean isUp() {
        return switch (phase) {
            case STARTING, HELD, RUNNING, PAUSED, STOPPING -> true;
            case CREATED, RESTARTING, EXITED -> false;
        };
    }
}
