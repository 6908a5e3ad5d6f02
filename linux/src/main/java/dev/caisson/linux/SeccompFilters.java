package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// The seccomp filters that a running task carries, ptrace(2) PTRACE_SECCOMP_GET_FILTER. Needs CAP_SYS_ADMIN in the
/// initial user namespace, no filter on the caller itself, and a kernel with CONFIG_CHECKPOINT_RESTORE.
public final class SeccompFilters {
    private static final long SEIZE = 0x4206;
    private static final long INTERRUPT = 0x4207;
    private static final long DETACH = 17;
    private static final long GET_SIGNAL_INFO = 0x4202;
    private static final long GET_FILTER = 0x420c;
    private static final int INFO_SIZE = 128;
    private static final long SI_SIGNO = 0;
    private static final long SI_CODE = 8;
    private static final int EVENT_STOP = 128;
    private static final int INSTRUCTION = 8;
    private static final Duration LONGEST_STOP = Duration.ofSeconds(2);

    private SeccompFilters() {}

    /// The filters of a task as arrays of `struct sock_filter`, the oldest first; none where it has no filter.
    ///
    /// The task is stopped for the length of the reading and then goes on; a call that it waits in may give EINTR.
    /// If this process dies meanwhile, the kernel lets the task go. The stop is one that a parent which waits for
    /// the task can see and take for its end, as [ProcessBuilder]'s does: the task is no child of this JVM's.
    /// @param task a thread id; a process id means its first thread, and threads may have different filters
    /// @throws ErrnoException ESRCH, EPERM or EACCES of ptrace(2); EBUSY for a task that does not stop
    public static List<byte[]> of(int task) {
        // the kernel ties a traced task to the thread that traces it, and lets it go when that thread ends
        var reading = new FutureTask<>(() -> read(task));
        Thread.ofPlatform().daemon().name("seccomp-filters-" + task).start(reading);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return reading.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ErrnoException refused) {
                throw refused;
            }
            throw new IllegalStateException("reading filters failed", e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static List<byte[]> read(int task) throws InterruptedException {
        Native.check("ptrace seize " + task, Native.raw(Nr.PTRACE, SEIZE, task, 0, 0));
        try (Arena arena = Arena.ofConfined()) {
            Native.check("ptrace interrupt " + task, Native.raw(Nr.PTRACE, INTERRUPT, task, 0, 0));
            int signal = awaitStop(arena, task);
            var filters = new ArrayList<byte[]>();
            try {
                long length = Native.raw(Nr.PTRACE, GET_FILTER, task, 0, 0);
                while (length > 0) {
                    filters.add(filter(arena, task, filters.size(), length));
                    length = Native.raw(Nr.PTRACE, GET_FILTER, task, filters.size(), 0);
                }
                // EINVAL: the task has no filter at all; ENOENT: there was no further one
                if (length != -Errno.ENOENT && length != -Errno.EINVAL) {
                    Native.check("ptrace get-filter " + task, length);
                }
            } finally {
                Native.check("ptrace detach " + task, Native.raw(Nr.PTRACE, DETACH, task, 0, signal));
            }
            return filters;
        }
    }

    private static byte[] filter(Arena arena, int task, int index, long length) {
        MemorySegment program = arena.allocate(length * INSTRUCTION, INSTRUCTION);
        long read = Native.check(
                "ptrace get-filter " + task, Native.raw(Nr.PTRACE, GET_FILTER, task, index, program.address()));
        return program.asSlice(0, Math.min(read, length) * INSTRUCTION).toArray(JAVA_BYTE);
    }

    /// Asks until the task stands still: only then does the kernel answer. Waiting for the stop itself would lose it
    /// to any other thread of this process that waits for children.
    /// @return the signal that the task is about to be delivered and must get after all; 0 for none
    private static int awaitStop(Arena arena, int task) throws InterruptedException {
        MemorySegment info = arena.allocate(INFO_SIZE, Long.BYTES);
        long deadline = System.nanoTime() + LONGEST_STOP.toNanos();
        while (true) {
            long result = Native.raw(Nr.PTRACE, GET_SIGNAL_INFO, task, 0, info.address());
            if (result != -Errno.ESRCH) {
                Native.check("ptrace stop " + task, result);
                boolean ours = info.get(JAVA_INT, SI_CODE) >> 8 == EVENT_STOP;
                return ours ? 0 : info.get(JAVA_INT, SI_SIGNO);
            }
            if (System.nanoTime() > deadline) {
                throw new ErrnoException("ptrace stop " + task, Errno.EBUSY);
            }
            Thread.sleep(1);
        }
    }
}
