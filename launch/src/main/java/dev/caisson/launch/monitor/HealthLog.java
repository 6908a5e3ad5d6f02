package dev.caisson.launch.monitor;

import dev.caisson.launch.PlanCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The last results of a container's health checks, which its monitor leaves in the directory of its log:
/// `struct monitor_health_log`.
///
/// @param streak failures in a row
/// @param probes the oldest first
/// @param changes when probes made the container healthy or unhealthy, the oldest first
public record HealthLog(int streak, List<Probe> probes, List<Change> changes) {
    /// A probe has changed the container's health.
    public record Change(Instant time, boolean healthy) {}

    /// One health check.
    ///
    /// @param code exit code, 128 and its signal, or -1: it took too long, or could not be started
    /// @param output beginning of what it wrote to both streams
    public record Probe(Instant started, Instant finished, int code, String output) {}

    /// Its file.
    public static final String NAME = "health";

    private static final int MOST = 5;
    private static final int OUTPUT = 4096;
    private static final int HEADER = 16;
    private static final int PROBE = 24 + OUTPUT;
    private static final int BEFORE_CHANGES = HEADER + MOST * PROBE; // the whole file of an earlier version
    private static final int MOST_CHANGES = 8;
    private static final int CHANGE = 16;
    private static final int FIRST_CHANGE = BEFORE_CHANGES + 8;
    private static final int BYTES = FIRST_CHANGE + MOST_CHANGES * CHANGE;
    private static final int HEALTHY = 512;

    /// Most that is read of it.
    public static final int MOST_BYTES = BYTES;

    public HealthLog {
        probes = List.copyOf(probes);
        changes = List.copyOf(changes);
    }

    /// Empty where it is no whole file.
    public static Optional<HealthLog> decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if ((bytes.length != BYTES && bytes.length != BEFORE_CHANGES) || in.getInt(0) != PlanCodec.MAGIC) {
            return Optional.empty();
        }
        int count = in.getInt(12);
        if (count < 0 || count > MOST) {
            return Optional.empty();
        }
        var probes = new ArrayList<Probe>();
        for (int i = 0; i < count; i++) {
            int at = HEADER + i * PROBE;
            int length = Math.clamp(in.getInt(at + 20), 0, OUTPUT);
            probes.add(new Probe(
                    Instant.ofEpochMilli(in.getLong(at)),
                    Instant.ofEpochMilli(in.getLong(at + 8)),
                    in.getInt(at + 16),
                    new String(bytes, at + 24, length, StandardCharsets.UTF_8)));
        }
        return Optional.of(new HealthLog(in.getInt(8), probes, changes(in)));
    }

    private static List<Change> changes(ByteBuffer in) {
        int count = in.capacity() == BYTES ? Math.clamp(in.getInt(BEFORE_CHANGES), 0, MOST_CHANGES) : 0;
        var changes = new ArrayList<Change>();
        for (int i = 0; i < count; i++) {
            int at = FIRST_CHANGE + i * CHANGE;
            changes.add(new Change(Instant.ofEpochMilli(in.getLong(at)), in.getInt(at + 8) == HEALTHY));
        }
        return changes;
    }
}
