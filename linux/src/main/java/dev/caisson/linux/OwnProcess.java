package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What this process takes away from itself, up to its life: prctl(2), seccomp(2), exit_group(2).
public final class OwnProcess {
    private static final int PR_SET_DUMPABLE = 4;
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final int SET_MODE_FILTER = 1;
    private static final int FILTER_FLAG_TSYNC = 1;
    private static final int INSTRUCTION = 8;

    private OwnProcess() {}

    /// Ends this process at once, without shutdown hooks. The JVM's own end waits 300 ms for a thread that is in the
    /// kernel, such as one that reads a descriptor. Returns if this process has called nothing native: then none of
    /// its threads waits there, and a first native call would take longer than the JVM's own end.
    public static void end(int status) {
        if (NativeAccess.isUsed()) {
            Native.raw(Nr.EXIT_GROUP, status);
        }
    }

    /// Gives memory of the C library that nobody uses back to the kernel, malloc_trim(3), where the library can.
    public static void trim() {
        Native.find("malloc_trim").ifPresent(trim -> {
            int _ = Native.call(trim, 0, 0, 0, 0, 0, 0);
        });
    }

    /// Keeps others of the same user from its memory and from what it has open, and the kernel from dumping it.
    public static void hide() {
        Native.check("prctl PR_SET_DUMPABLE", Native.raw(Nr.PRCTL, PR_SET_DUMPABLE, 0, 0, 0));
    }

    /// Puts a filter of system calls on all its threads at once, and on those that they start; for ever.
    ///
    /// @param program an array of `struct sock_filter`
    /// @throws ErrnoException ESRCH if a thread has a filter of its own
    public static void filterAllThreads(byte[] program) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment instructions = arena.allocate(program.length, INSTRUCTION);
            MemorySegment.copy(program, 0, instructions, JAVA_BYTE, 0, program.length);
            MemorySegment filter = arena.allocate(16, 8);
            filter.set(JAVA_SHORT, 0, (short) (program.length / INSTRUCTION));
            filter.set(JAVA_LONG, 8, instructions.address());
            Native.check("prctl PR_SET_NO_NEW_PRIVS", Native.raw(Nr.PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0));
            long result = Native.raw(Nr.SECCOMP, SET_MODE_FILTER, FILTER_FLAG_TSYNC, filter.address());
            // a thread that cannot be given the filter is named
            Native.check("seccomp", result > 0 ? -Errno.ESRCH : result);
        }
    }
}
