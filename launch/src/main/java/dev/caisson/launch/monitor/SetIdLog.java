package dev.caisson.launch.monitor;

import dev.caisson.launch.PlanCodec;
import dev.caisson.linux.ByteText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The set-user-ID and set-group-ID programs that a container has executed without effect since it was created,
/// in the directory of its log: `struct monitor_set_id_log`.
///
/// @param files as the container sees them, the first first; of a long name the end
/// @param lost whether executions were not looked at
/// @param unseen whether a program ended before it was seen who executed it
/// @param more whether there was no room for more
/// @param error the error number if executions cannot be watched, else 0
public record SetIdLog(List<String> files, boolean lost, boolean unseen, boolean more, int error) {
    /// Its file.
    public static final String NAME = "set-id";

    private static final int MOST = 32;
    private static final int HEADER = 24;
    private static final int NAME_BYTES = 256;
    private static final int BYTES = HEADER + MOST * NAME_BYTES;
    private static final int LOST = 1;
    private static final int UNSEEN = 2;
    private static final int MORE = 4;

    /// Most that is read of it.
    public static final int MOST_BYTES = BYTES;

    public SetIdLog {
        files = List.copyOf(files);
    }

    /// Empty where it is no whole file.
    public static Optional<SetIdLog> decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length != BYTES || in.getInt(0) != PlanCodec.MAGIC) {
            return Optional.empty();
        }
        int count = in.getInt(8);
        if (count < 0 || count > MOST) {
            return Optional.empty();
        }
        var files = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            int start = HEADER + i * NAME_BYTES;
            int end = start;
            while (end < start + NAME_BYTES && bytes[end] != 0) {
                end++;
            }
            files.add(ByteText.shown(ByteText.of(Arrays.copyOfRange(bytes, start, end))));
        }
        int missing = in.getInt(12);
        return Optional.of(new SetIdLog(
                files, (missing & LOST) != 0, (missing & UNSEEN) != 0, (missing & MORE) != 0, in.getInt(16)));
    }
}
