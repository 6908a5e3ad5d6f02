package dev.caisson.engine;

import dev.caisson.cgroup.Events;
import dev.caisson.linux.Processes;

/// The reason why a run ended. The first that applies, in this order from [#WALL_CLOCK] on.
public enum Verdict {
    /// The program returned 0.
    OK,
    /// The program returned something else.
    EXIT,
    /// A signal ended the program: one of its own, or one that was sent to it.
    SIGNAL,
    /// The engine ended it at its wall-clock deadline.
    WALL_CLOCK,
    /// The engine ended it when it had used up its processor time.
    CPU_TIME,
    /// The engine ended it when it had written more than its output limit.
    OUTPUT,
    /// The kernel killed a process of it at its memory limit, and the program failed; a program of `exec` must
    /// itself have been killed. The kernel counts whom it killed for want of memory and names nobody: somebody
    /// else's SIGKILL at the same time looks the same.
    OUT_OF_MEMORY,
    /// The kernel refused it a new process at its limit, and the program failed.
    PIDS,
    /// It made a system call for which the filter kills.
    SECCOMP,
    /// Somebody ended it through the engine.
    KILLED;

    private static final int SIGSYS = 31;
    private static final int SIGKILL = 9;

    /// Returns the verdict of one program of a container.
    /// @param met how often limits of the container had to act meanwhile, whichever of its programs met them
    static Verdict of(Processes.End end, Events met) {
        if (end.signal() == SIGKILL && met.hasOutOfMemory()) {
            return OUT_OF_MEMORY;
        }
        if (end.signal() == SIGSYS) {
            return SECCOMP;
        }
        return end.signal() != 0 ? SIGNAL : end.code() == 0 ? OK : EXIT;
    }

    /// Returns the verdict of a run that the engine did not end.
    static Verdict of(int code, int signal, Events events) {
        if (code == 0 && signal == 0) {
            return OK;
        }
        if (events.hasOutOfMemory()) {
            return OUT_OF_MEMORY;
        }
        if (events.hasPidsRefused()) {
            return PIDS;
        }
        if (signal == SIGSYS) {
            return SECCOMP;
        }
        return signal != 0 ? SIGNAL : EXIT;
    }
}
