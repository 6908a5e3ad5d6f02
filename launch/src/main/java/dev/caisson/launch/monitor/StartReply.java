package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.launch.InitFailures;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Report;
import dev.caisson.launch.ZygoteStages;
import dev.caisson.linux.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/// What a monitor says of a start: `struct monitor_start`.
public final class StartReply {
    private static final int REPLY_AT = MonitorState.BYTES;
    private static final int REPLY_STATUS = 4;
    private static final int REPLY_STAGE = 12;
    private static final int REPORT_AT = REPLY_AT + 16;
    private static final int BYTES = REPORT_AT + Report.BYTES;
    private static final int REPORT_KIND = 4;

    private final int error;
    private final byte[] bytes;

    StartReply(int error, byte[] bytes) {
        this.error = error;
        this.bytes = bytes.clone();
    }

    /// Whether the container was started already, or is being started by somebody else.
    public boolean wasStarted() {
        return error == Errno.EALREADY;
    }

    public boolean succeeded() {
        return error == 0;
    }

    public MonitorState state() {
        return MonitorState.decode(bytes, 0);
    }

    /// Returns why it failed, in terms of the plan and in the words of a launch.
    @SuppressWarnings("EnumOrdinal") // the order is that of the native enum
    public RuntimeException failure(LaunchPlan plan) {
        if (bytes.length < BYTES) {
            return unnamed();
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int stage = in.getInt(REPLY_AT + REPLY_STAGE);
        if (stage != 0) {
            return ZygoteStages.refused(stage, -in.getInt(REPLY_AT + REPLY_STATUS));
        }
        if (in.getInt(REPORT_AT + REPORT_KIND) != Report.Kind.ERROR.ordinal() + 1) {
            return error == Errno.EPIPE || error == Errno.ECHILD ? InitFailures.died() : unnamed();
        }
        return InitFailures.of(plan.steps(), Report.decode(Arrays.copyOfRange(bytes, REPORT_AT, BYTES)));
    }

    private HostException unnamed() {
        return new HostException(
                "START_FAILED", "the container's monitor could not start it (" + Errno.name(error) + "): try again");
    }

    /// Returns how long init took for each phase, in microseconds.
    public List<Integer> phaseMicros() {
        return Report.decode(Arrays.copyOfRange(bytes, REPORT_AT, BYTES)).phaseMicros();
    }
}
