package dev.caisson.linux;

import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import java.util.Set;

/// When processes started: with the pid this names one process, however pids are used again.
public final class ProcessTimes {
    private static final int MAX_STAT = 4096;
    private static final int FIELDS_AFTER_NAME = 20;

    /// Field 9, counted from the name, and PF_EXITING in it (sched.h of the kernel).
    private static final int FLAGS = 6;

    private static final int EXITING = 4;

    /// Zombie and dead, proc_pid_stat(5).
    private static final Set<String> ENDED = Set.of("Z", "X", "x");

    private ProcessTimes() {}

    /// Field 22 of /proc/PID/stat, in clock ticks since boot. The name before it may hold anything, so fields
    /// are counted from its closing parenthesis.
    public static long startTime(int pid) {
        return startTime(fields(pid));
    }

    /// The same of a process that anybody may reap; empty if it is gone.
    public static OptionalLong findStartTime(int pid) {
        try {
            return OptionalLong.of(startTime(pid));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ESRCH)) {
                return OptionalLong.empty();
            }
            throw e;
        }
    }

    /// True if that very process runs: a zombie that nobody has reaped does not.
    public static boolean isRunning(int pid, long startTime) {
        try {
            return isRunning(fields(pid), startTime);
        } catch (ErrnoException e) {
            return false;
        }
    }

    /// True if that very process runs and is not on its way out: while a process 1 exits, its pid namespace takes no
    /// other process.
    public static boolean isStaying(int pid, long startTime) {
        try {
            String[] fields = fields(pid);
            return isRunning(fields, startTime) && (Long.parseLong(fields[FLAGS]) & EXITING) == 0;
        } catch (ErrnoException e) {
            return false;
        }
    }

    private static boolean isRunning(String[] fields, long startTime) {
        return startTime(fields) == startTime && !ENDED.contains(fields[0]);
    }

    private static long startTime(String[] fields) {
        return Long.parseLong(fields[FIELDS_AFTER_NAME - 1]);
    }

    private static String[] fields(int pid) {
        try (Fd stat = FileSystem.open("/proc/" + pid + "/stat", FileSystem.O_RDONLY)) {
            String text = new String(FileSystem.read(stat, MAX_STAT), StandardCharsets.UTF_8);
            return text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
        }
    }
}
