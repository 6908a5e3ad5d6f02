package dev.caisson.launch.monitor;

import dev.caisson.launch.PlanCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// The last exits of programs that a monitor has adopted, in the directory of its log: `struct monitor_exec_log`.
///
/// @param ends the oldest first
public record ExecLog(List<End> ends) {
    /// One that has ended.
    ///
    /// @param id 64 hexadecimal digits
    /// @param code exit code, or 128 and its signal
    public record End(String id, Instant started, Instant finished, int code) {}

    /// Its file.
    public static final String NAME = "execs";
    /// How many hexadecimal digits an id has.
    public static final int ID_DIGITS = 64;

    private static final int MOST = 32;
    private static final int HEADER = 16;
    private static final int ID = ID_DIGITS / 2;
    private static final int END = ID + 24;
    private static final int BYTES = HEADER + MOST * END;

    /// Most that is read of it.
    public static final int MOST_BYTES = BYTES;

    public ExecLog {
        ends = List.copyOf(ends);
    }

    /// Empty where it is no whole file.
    public static Optional<ExecLog> decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length != BYTES || in.getInt(0) != PlanCodec.MAGIC) {
            return Optional.empty();
        }
        int count = in.getInt(8);
        if (count < 0 || count > MOST) {
            return Optional.empty();
        }
        var ends = new ArrayList<End>();
        for (int i = 0; i < count; i++) {
            int at = HEADER + i * END;
            ends.add(new End(
                    HexFormat.of().formatHex(bytes, at, at + ID),
                    Instant.ofEpochMilli(in.getLong(at + ID)),
                    Instant.ofEpochMilli(in.getLong(at + ID + 8)),
                    in.getInt(at + ID + 16)));
        }
        return Optional.of(new ExecLog(ends));
    }
}
