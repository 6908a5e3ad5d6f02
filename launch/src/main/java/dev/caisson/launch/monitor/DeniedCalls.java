package dev.caisson.launch.monitor;

import dev.caisson.launch.PlanCodec;
import dev.caisson.seccomp.SeccompData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Calls that filters of a container's programs have denied since it was created, in the directory of its log:
/// `struct monitor_denial_log`.
///
/// @param kinds the first call of each kind, the oldest first
/// @param others how many calls were of other kinds
public record DeniedCalls(List<Kind> kinds, long others) {
    /// One kind of calls.
    ///
    /// @param source who made them
    /// @param first of them
    /// @param error the error number that they failed with; [#WANTED_LISTENER]
    /// @param count of them
    public record Kind(Source source, SeccompData first, int error, long count) {
        /// Stands in place of the error number if the call wanted a listener, which a process has one of.
        public static final int WANTED_LISTENER = -1;
    }

    /// Who makes calls.
    public enum Source {
        PROGRAM,
        HEALTH_CHECK,
        /// One more program that nobody waited for.
        EXEC
    }

    /// Its file.
    public static final String NAME = "denials";

    private static final int MOST = 64;
    private static final int HEADER = 24;
    private static final int KIND = 136;
    private static final int OF_PROBE = 1 << 8;
    private static final int OF_EXEC = 1 << 9;
    private static final int BYTES = HEADER + MOST * KIND;

    /// Most that is read of it.
    public static final int MOST_BYTES = BYTES;

    public DeniedCalls {
        kinds = List.copyOf(kinds);
    }

    /// Empty where it is no whole file.
    public static Optional<DeniedCalls> decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length != BYTES || in.getInt(0) != PlanCodec.MAGIC) {
            return Optional.empty();
        }
        int count = in.getInt(8);
        if (count < 0 || count > MOST) {
            return Optional.empty();
        }
        var kinds = new ArrayList<Kind>();
        for (int i = 0; i < count; i++) {
            ByteBuffer one = in.slice(HEADER + i * KIND, KIND).order(ByteOrder.LITTLE_ENDIAN);
            var call = new SeccompData(
                    one.getInt(16),
                    one.getInt(20),
                    one.getLong(32),
                    one.getLong(40),
                    one.getLong(48),
                    one.getLong(56),
                    one.getLong(64),
                    one.getLong(72),
                    one.getLong(80));
            kinds.add(new Kind(source(one.getInt(28)), call, one.getInt(24), one.getLong(0)));
        }
        return Optional.of(new DeniedCalls(kinds, in.getLong(16)));
    }

    private static Source source(int looked) {
        return (looked & OF_PROBE) != 0 ? Source.HEALTH_CHECK : (looked & OF_EXEC) != 0 ? Source.EXEC : Source.PROGRAM;
    }
}
