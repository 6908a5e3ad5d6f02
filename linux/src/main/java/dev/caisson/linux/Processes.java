package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Processes by descriptor: posix_spawn(3), pidfd_open(2), pidfd_send_signal(2), waitid(2).
public final class Processes {
    /// How a process ended: its exit code, or the signal that ended it.
    public record End(int code, int signal) {
        public boolean bySignal() {
            return signal != 0;
        }
    }

    private static final int P_PIDFD = 3;
    private static final int P_PID = 1;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;
    private static final int WNOWAIT = 0x01000000;
    private static final int PF_EXITING = 4;
    private static final long SIGKILL_BIT = 1L << 8;
    /// Counted from the state, which follows the name.
    private static final int STAT_FLAGS = 6;
    private static final int WALL = 0x40000000;
    private static final int CLD_EXITED = 1;
    private static final long SI_CODE = 8;
    private static final long SI_PID = 16;
    private static final long SI_STATUS = 24;

    private static final MemorySegment SPAWN = Native.function("posix_spawn");
    private static final MemorySegment ACTIONS_INIT = Native.function("posix_spawn_file_actions_init");
    private static final MemorySegment ACTIONS_DUP2 = Native.function("posix_spawn_file_actions_adddup2");
    private static final MemorySegment ACTIONS_CLOSE_FROM = Native.function("posix_spawn_file_actions_addclosefrom_np");
    private static final MemorySegment ACTIONS_DESTROY = Native.function("posix_spawn_file_actions_destroy");

    private Processes() {}

    /// Starts `executable` (an open file) with an empty environment and `inherited` as its descriptors 3, 4, …;
    /// 0, 1 and 2 are this process's own, everything else is closed. Returns its pid, to be reaped by
    /// the caller.
    public static int spawn(Fd executable, List<String> arguments, List<Fd> inherited) {
        try (Arena arena = Arena.ofConfined()) {
            long actions = arena.allocate(256, 16).address();
            MemorySegment pid = arena.allocate(JAVA_INT);
            checkSpawn(Native.call(ACTIONS_INIT, actions, 0, 0, 0, 0, 0));
            try {
                inherit(actions, executable, inherited);
                String path = "/proc/" + ProcessHandle.current().pid() + "/fd/" + executable.number();
                checkSpawn(Native.call(
                        SPAWN,
                        pid.address(),
                        Native.string(arena, path).address(),
                        actions,
                        0,
                        Native.strings(arena, arguments).address(),
                        Native.strings(arena, List.of()).address()));
            } finally {
                Native.call(ACTIONS_DESTROY, actions, 0, 0, 0, 0, 0); // cannot fail
            }
            return pid.get(JAVA_INT, 0);
        }
    }

    private static void inherit(long actions, Fd executable, List<Fd> inherited) {
        // Copies above every target first, so that no dup2 overwrites a source that is still needed.
        int top = Math.max(3 + inherited.size(), executable.number()) + 1;
        for (Fd fd : inherited) {
            top = Math.max(top, fd.number() + 1);
        }
        for (int i = 0; i < inherited.size(); i++) {
            checkSpawn(Native.call(ACTIONS_DUP2, actions, inherited.get(i).number(), top + i, 0, 0, 0));
        }
        for (int i = 0; i < inherited.size(); i++) {
            checkSpawn(Native.call(ACTIONS_DUP2, actions, top + i, 3 + i, 0, 0, 0));
        }
        checkSpawn(Native.call(ACTIONS_CLOSE_FROM, actions, 3 + inherited.size(), 0, 0, 0, 0));
    }

    private static void checkSpawn(int error) {
        if (error != 0) {
            throw new ErrnoException("posix_spawn", error);
        }
    }

    /// Makes this process the first of a session without a terminal. One that leads its group stays where it is:
    /// setsid(2).
    public static void leaveSession() {
        long result = Native.raw(Nr.SETSID, 0);
        if (result != -Errno.EPERM) {
            Native.check("setsid", result);
        }
    }

    /// A descriptor of the process `pid`, valid for that very process however pids are reused later. ESRCH also for one
    /// that is being reaped, and for a thread, for which kernels have errors of their own: pidfd_open(2).
    public static Fd open(int pid) {
        long result = Native.raw(Nr.PIDFD_OPEN, pid, 0);
        boolean hasNone = pid > 0 && (result == -Errno.EINVAL || result == -Errno.ENOENT);
        return Fd.of("pidfd_open", hasNone ? -Errno.ESRCH : result);
    }

    /// Sends a signal; false where the process is gone already.
    public static boolean signal(Fd pidfd, int signal) {
        long result = Native.raw(Nr.PIDFD_SEND_SIGNAL, pidfd.number(), signal, 0, 0);
        if (result == -Errno.ESRCH) {
            return false;
        }
        Native.check("pidfd_send_signal", result);
        return true;
    }

    /// Waits for a child of this process to end and takes its status from the kernel.
    public static End reap(Fd pidfd) {
        End end = waitFor(P_PIDFD, pidfd.number(), 0);
        if (end == null) {
            throw new IllegalStateException("waitid returned no child");
        }
        return end;
    }

    public static End reap(int pid) {
        End end = waitFor(P_PID, pid, 0);
        if (end == null) {
            throw new IllegalStateException("waitid returned no child");
        }
        return end;
    }

    /// The status of a child that has ended, or null while it runs.
    public static @org.jspecify.annotations.Nullable End reapNow(Fd pidfd) {
        return waitFor(P_PIDFD, pidfd.number(), WNOHANG);
    }

    /// True if a process has been killed and is on its way out, proc_pid_stat(5) and proc_pid_status(5); true if it is
    /// gone.
    public static boolean isBeingKilled(int pid) {
        Path process = Path.of("/proc/" + pid);
        try {
            String stat = ByteText.read(process.resolve("stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            if ((Long.parseLong(fields[STAT_FLAGS]) & PF_EXITING) != 0) {
                return true;
            }
            return KernelText.lines(ByteText.read(process.resolve("status")))
                    .filter(line -> line.startsWith("SigPnd:") || line.startsWith("ShdPnd:"))
                    .anyMatch(line -> (Long.parseUnsignedLong(line.substring(8).strip(), 16) & SIGKILL_BIT) != 0);
        } catch (IOException e) {
            return true;
        }
    }

    /// True if a process stands still by a signal, as SIGSTOP, proc_pid_stat(5).
    public static boolean isStopped(int pid) {
        try {
            String stat = ByteText.read(Path.of("/proc/" + pid, "stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
        } catch (IOException e) { // it is gone
            return false;
        }
    }

    /// True if a child has ended; its status stays where it is.
    public static boolean hasEnded(Fd pidfd) {
        try {
            return waitFor(P_PIDFD, pidfd.number(), WNOHANG | WNOWAIT) != null;
        } catch (ErrnoException e) {
            if (e.is(Errno.ECHILD)) { // somebody has taken the status
                return true;
            }
            throw e;
        }
    }

    private static @org.jspecify.annotations.Nullable End waitFor(int kind, int id, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(128, 8);
            long result;
            do {
                // __WALL: a child made by another process with CLONE_PARENT may have no exit signal.
                result = Native.raw(Nr.WAITID, kind, id, info.address(), WEXITED | WALL | flags, 0, 0);
            } while (result == -Errno.EINTR);
            Native.check("waitid", result);
            if (info.get(JAVA_INT, SI_PID) == 0) {
                return null;
            }
            int status = info.get(JAVA_INT, SI_STATUS);
            return info.get(JAVA_INT, SI_CODE) == CLD_EXITED ? new End(status, 0) : new End(0, status & 0x7f);
        }
    }

    private static final int RTMIN = 34;
    private static final int RTMAX = 64;

    /// The number of a signal that is given as a number, or as a name with or without SIG, as signal(7) has them.
    public static OptionalInt signalNumber(String text) {
        if (text.matches("[1-9][0-9]?")) {
            int number = Integer.parseInt(text);
            return number <= RTMAX ? OptionalInt.of(number) : OptionalInt.empty();
        }
        String upper = text.toUpperCase(Locale.ROOT);
        String name = upper.startsWith("SIG") ? upper.substring(3) : upper;
        Integer known = SIGNALS.get(name);
        if (known != null) {
            return OptionalInt.of(known);
        }
        Matcher realTime = REAL_TIME.matcher(name);
        if (!realTime.matches()) {
            return OptionalInt.empty();
        }
        int offset = realTime.group(2) == null ? 0 : Integer.parseInt(realTime.group(2));
        int number = realTime.group(1).equals("RTMIN") ? RTMIN + offset : RTMAX + offset;
        return number >= RTMIN && number <= RTMAX ? OptionalInt.of(number) : OptionalInt.empty();
    }

    private static final Pattern REAL_TIME = Pattern.compile("(RTMIN|RTMAX)([+-][0-9]{1,2})?");

    /// Names of the signals that people use, to numbers; signal(7), the same on x86_64 and aarch64.
    public static final Map<String, Integer> SIGNALS = Map.ofEntries(
            Map.entry("HUP", 1),
            Map.entry("INT", 2),
            Map.entry("QUIT", 3),
            Map.entry("ILL", 4),
            Map.entry("TRAP", 5),
            Map.entry("ABRT", 6),
            Map.entry("BUS", 7),
            Map.entry("FPE", 8),
            Map.entry("KILL", 9),
            Map.entry("USR1", 10),
            Map.entry("SEGV", 11),
            Map.entry("USR2", 12),
            Map.entry("PIPE", 13),
            Map.entry("ALRM", 14),
            Map.entry("TERM", 15),
            Map.entry("CHLD", 17),
            Map.entry("CONT", 18),
            Map.entry("STOP", 19),
            Map.entry("TSTP", 20),
            Map.entry("TTIN", 21),
            Map.entry("TTOU", 22),
            Map.entry("URG", 23),
            Map.entry("XCPU", 24),
            Map.entry("XFSZ", 25),
            Map.entry("VTALRM", 26),
            Map.entry("PROF", 27),
            Map.entry("WINCH", 28),
            Map.entry("IO", 29),
            Map.entry("PWR", 30),
            Map.entry("SYS", 31));
}
