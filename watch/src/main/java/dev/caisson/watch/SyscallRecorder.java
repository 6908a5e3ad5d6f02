package dev.caisson.watch;

import dev.caisson.launch.Step;
import dev.caisson.linux.Bpf;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Syscall;
import dev.caisson.seccomp.SyscallTable;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;

/// Records which system calls the processes of a container make, until it is closed: whoever
/// started it by eBPF, which needs root with CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, and a
/// kernel that has bpf(2); without it a container whose filter asks about every call,
/// `SeccompChoice.Watch#RECORD`.
///
/// While one by eBPF is open, every call of the whole machine is looked at, which costs each about
/// a tenth of a microsecond. Processes in a pid namespace that the container has made for itself
/// are not seen.
public final class SyscallRecorder implements AutoCloseable {
    /// The calls that were seen, with their counts.
    ///
    /// @param made calls that passed the filter
    /// @param denied calls of which none passed
    /// @param foreign how many calls entered by another ABI; they are in neither
    public record Recording(SortedMap<String, Long> made, SortedMap<String, Long> denied, long foreign) {
        /// @param begun by number of the native ABI, how many calls passed
        /// @param failed by number, how many were denied or failed
        static Recording of(IntToLongFunction begun, IntToLongFunction failed, long foreign) {
            var made = new TreeMap<String, Long>();
            var denied = new TreeMap<String, Long>();
            for (int number = 0; number < RecorderProgram.NUMBERS; number++) {
                long passed = begun.applyAsLong(number);
                long stopped = failed.applyAsLong(number);
                if (passed > 0 || stopped > 0) {
                    String name = SyscallTable.get()
                            .byNumber(Architecture.host(), number)
                            .map(Syscall::name)
                            .orElse("number " + number);
                    Map<String, Long> seen = passed > 0 ? made : denied;
                    seen.put(name, passed > 0 ? passed : stopped);
                }
            }
            return new Recording(made, denied, foreign);
        }
    }

    /// The way in which calls are seen.
    public enum Way {
        /// At the kernel's entry and exit of system calls, by eBPF programs.
        EBPF,
        /// By the container's own filter, which asks the engine about every call,
        /// seccomp_unotify(2). Calls of the base set of [dev.caisson.seccomp.RecordedProfile] are
        /// not seen.
        NOTIFICATION
    }

    private final Way way;
    private final Supplier<Recording> reading;
    private final Deque<Fd> open;

    private SyscallRecorder(Way way, Supplier<Recording> reading, Deque<Fd> open) {
        this.way = way;
        this.reading = reading;
        this.open = open;
    }

    public Way way() {
        return way;
    }

    /// Returns why the kernel refuses eBPF programs of this process; empty if it takes them, which is tried.
    public static Optional<String> refusal() {
        try {
            attach((int) ProcessHandle.current().pid(), false, false).close();
            return Optional.empty();
        } catch (WatchException e) {
            return Optional.of(
                    e.getCause() instanceof ErrnoException refused
                            ? refused.call() + ": " + Errno.name(refused.errno())
                            : "it is made for x86_64 and aarch64");
        }
    }

    /// Records a container that runs already.
    /// @param pid of one of its processes
    /// @param state where Caisson's own containers are written down, whose init is no part of the workload
    /// @throws WatchException HOST_PROCESS for a process that is in no container
    public static SyscallRecorder ofRunning(int pid, Path state) {
        PidNamespace namespace = PidNamespace.ofContainer(
                pid,
                "recorded",
                ", or record the program from its start, 'caisson seccomp record -- run host PROGRAM'");
        return attach(pid, true, initStays(namespace, state));
    }

    private static boolean initStays(PidNamespace namespace, Path state) {
        return State.runningIn(state).stream()
                .filter(record -> isOf(record, namespace))
                .anyMatch(
                        record -> record.plan().plan().only(Step.Execute.class).initStays());
    }

    private static boolean isOf(ContainerRecord record, PidNamespace namespace) {
        try {
            return record.pid() != 0 && PidNamespace.of(record.pid()).equals(namespace);
        } catch (WatchException e) {
            return false; // that one has ended
        }
    }

    /// Records a container that stands before its program, from the moment in which the program is
    /// started: by its filter where that asks about every call, by eBPF otherwise.
    /// @param pid of its process 1
    /// @param initStays whether the program is a child of that
    /// @param notified what its filter asks about, where that asks about every call
    public static SyscallRecorder ofStanding(int pid, boolean initStays, Optional<Supplier<Recording>> notified) {
        if (notified.isPresent()) {
            return new SyscallRecorder(Way.NOTIFICATION, notified.get(), new ArrayDeque<>());
        }
        return attach(pid, false, initStays);
    }

    private static SyscallRecorder attach(int pid, boolean runs, boolean skipsFirst) {
        var open = new ArrayDeque<Fd>();
        try {
            Fd entered = opened(open, Bpf.createArray(RecorderProgram.SLOTS));
            Fd left = opened(open, Bpf.createArray(RecorderProgram.SLOTS));
            PidNamespace namespace = PidNamespace.of(pid);
            if (runs) {
                Bpf.update(entered, RecorderProgram.STATE, 1);
            }
            RecorderProgram.Registers registers = RecorderProgram.ofMachine();
            opened(open, start("sys_exit", RecorderProgram.exit(registers, left, entered, namespace, skipsFirst)));
            opened(open, start("sys_enter", RecorderProgram.enter(registers, entered, namespace, skipsFirst)));
            return new SyscallRecorder(
                    Way.EBPF,
                    () -> Recording.of(
                            number -> Bpf.lookup(entered, number),
                            number -> Bpf.lookup(left, number),
                            Bpf.lookup(entered, RecorderProgram.FOREIGN)),
                    open);
        } catch (RuntimeException e) {
            open.forEach(Fd::close);
            if (!(e instanceof ErrnoException refused)) {
                throw e;
            }
            throw new WatchException(
                    "RECORDER_REFUSED",
                    "the kernel takes no eBPF program (" + refused.getMessage()
                            + "): that needs root with CAP_BPF and CAP_PERFMON on a kernel that has bpf(2) and is not "
                            + "locked down; without it only a program that Caisson starts can be recorded, "
                            + "'caisson seccomp record --recorder notify -- run …'",
                    e);
        }
    }

    private static Fd opened(Deque<Fd> open, Fd descriptor) {
        open.push(descriptor);
        return descriptor;
    }

    private static Fd start(String tracepoint, byte[] instructions) {
        try (Fd program = Bpf.loadRawTracepoint(instructions)) {
            return Bpf.attachRawTracepoint(tracepoint, program);
        }
    }

    /// Returns what was seen until now.
    /// @throws WatchException RECORDING_BROKEN where some calls were not seen
    public Recording recording() {
        return reading.get();
    }

    @Override
    public void close() {
        open.forEach(Fd::close);
    }
}
