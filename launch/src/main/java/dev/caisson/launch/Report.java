package dev.caisson.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// A message of init on the control socket, `struct report` in `native/plan.h`.
///
/// @param step index into the plan
/// @param status of an error its number; of an exit the code, or 256 and the signal
/// @param peakBytes of an exit: most memory that the program, or a process that it waited for, had in use at a time
/// @param phaseMicros how long each phase took, with READY
public record Report(
        Kind kind,
        int phase,
        int step,
        int status,
        int detail,
        long userMicros,
        long systemMicros,
        long peakBytes,
        List<Integer> phaseMicros) {
    /// In the order of `enum report_kind`, from 1.
    public enum Kind {
        ERROR,
        CONSOLE,
        READY,
        PAUSED,
        EXIT,
        NAMESPACE,
        RESOLVER,
        /// Of the filter of what is to be the program.
        LISTENER,
        /// Comes with what [Step.LendNetlink] or [Step.LendSysctl] opened.
        OPENED
    }

    /// Length of a report on the socket.
    public static final int BYTES = 24 + 24 + 4 * 13;
    private static final int SIGNALLED = 256;

    /// Reads what came on the socket.
    /// @throws HostException where it is no report
    public static Report decode(byte[] bytes) {
        if (bytes.length != BYTES) {
            throw new HostException("INIT_PROTOCOL", "init sent " + bytes.length + " bytes instead of a report");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int magic = in.getInt();
        int kind = in.getInt();
        if (magic != PlanCodec.MAGIC || kind < 1 || kind > Kind.values().length) {
            throw new HostException("INIT_PROTOCOL", "init sent something that is no report");
        }
        int phase = in.getInt();
        int step = in.getInt();
        int status = in.getInt();
        int detail = in.getInt();
        long user = in.getLong();
        long system = in.getLong();
        long peak = in.getLong();
        var micros = new ArrayList<Integer>();
        while (in.hasRemaining()) {
            micros.add(in.getInt());
        }
        return new Report(
                Kind.values()[kind - 1], phase, step, status, detail, user, system, peak, List.copyOf(micros));
    }

    /// Returns the signal that ended the program; 0 if it ended by itself.
    public int signal() {
        return status >= SIGNALLED ? status - SIGNALLED : 0;
    }

    /// Returns the program's exit code; 0 if a signal ended it.
    public int exitCode() {
        return status >= SIGNALLED ? 0 : status;
    }
}
