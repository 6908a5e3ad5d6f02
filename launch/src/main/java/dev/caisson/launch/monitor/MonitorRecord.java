package dev.caisson.launch.monitor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/// The record of a container's last end, which a monitor leaves in the directory of its log: `struct monitor_record`.
public final class MonitorRecord {
    /// Its file.
    public static final String NAME = "exit";

    /// Most that is read of it.
    public static final int MOST_BYTES = 4096;

    private static final int MAGIC_AT = 0;
    private static final int LENGTH_AT = 8;
    private static final int HEADER = 16;

    private MonitorRecord() {}

    /// Returns the state at the end; empty where it is no whole record.
    public static Optional<MonitorState> decode(byte[] bytes) {
        if (bytes.length < HEADER + MonitorState.BYTES) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (in.getInt(MAGIC_AT) != dev.caisson.launch.PlanCodec.MAGIC || in.getInt(LENGTH_AT) > bytes.length) {
            return Optional.empty();
        }
        return Optional.of(MonitorState.decode(bytes, HEADER));
    }
}
