package dev.caisson.watch;

import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.SeccompData;

/// How often each system call was made and denied under one filter that asks about every call.
final class CallCounts {
    private static final int NUMBERS = RecorderProgram.NUMBERS;

    private final Architecture architecture;
    private final long[] made = new long[NUMBERS];
    private final long[] denied = new long[NUMBERS];
    private long foreign;
    private boolean started;

    /// @param architecture the machine's native ABI
    CallCounts(Architecture architecture) {
        this.architecture = architecture;
    }

    /// The first call is the execveat by which the program is started: it is the launch's, and not
    /// counted.
    synchronized void count(SeccompData call, boolean passes) {
        if (!started) {
            started = true;
        } else if (call.arch() != architecture.auditValue() || call.number() < 0 || call.number() >= NUMBERS) {
            foreign++;
        } else {
            (passes ? made : denied)[call.number()]++;
        }
    }

    synchronized SyscallRecorder.Recording recording() {
        return SyscallRecorder.Recording.of(number -> made[number], number -> denied[number], foreign);
    }
}
