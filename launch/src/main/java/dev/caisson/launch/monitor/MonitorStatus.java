package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.launch.PlanCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/// The file in which a monitor shows the state of its container to those who do not connect:
/// `struct monitor_status`.
public final class MonitorStatus {
    /// Its file.
    public static final String NAME = "status";

    /// Most that is read of it.
    public static final int MOST_BYTES = 152;

    private static final int HEADER = 16;
    private static final int VERSION_AT = 4;
    private static final int LENGTH_AT = 8;
    private static final int SUM_AT = HEADER + MonitorState.BYTES;
    private static final long SUM_BASIS = 0xcbf29ce484222325L;
    private static final long SUM_PRIME = 0x100000001b3L;

    private MonitorStatus() {}

    /// Returns what it shows; empty if it is of another version, or not whole because it was read while it
    /// changed. The time of a run that goes on, what the log has, and the times that are left are 0 in it.
    public static Optional<MonitorState> decode(byte[] bytes) {
        if (bytes.length != MOST_BYTES) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (in.getInt(0) != PlanCodec.MAGIC
                || in.getInt(VERSION_AT) != Packet.VERSION
                || in.getInt(LENGTH_AT) != MOST_BYTES
                || in.getLong(SUM_AT) != sum(bytes)) {
            return Optional.empty();
        }
        try {
            return Optional.of(MonitorState.decode(bytes, HEADER));
        } catch (HostException e) {
            return Optional.empty(); // a phase that this version does not know: its monitor is asked, and refused
        }
    }

    /// FNV-1a, 64 bits, of what stands before the sum.
    private static long sum(byte[] bytes) {
        long hash = SUM_BASIS;
        for (int at = 0; at < SUM_AT; at++) {
            hash = (hash ^ (bytes[at] & 0xff)) * SUM_PRIME;
        }
        return hash;
    }
}
