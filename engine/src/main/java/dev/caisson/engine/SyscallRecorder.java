package dev.caisson.engine;

import dev.caisson.launch.Step;
import dev.caisson.linux.Bpf;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Syscall;
import dev.caisson.seccomp.SyscallTable;
import java.util.ArrayList;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// Records which system calls the processes of a container make, whoever started it, until it is closed. Needs root
/// with
/// CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN.
///
/// While one is open, every call of the whole machine is looked at, which costs each about a tenth of a microsecond.
/// Processes in a pid namespace that the container has made for itself are not seen.
public final class SyscallRecorder implements AutoCloseable {
    /// What was seen, with how often.
    ///
    /// @param made calls that passed the filter
    /// @param denied calls of which none passed
    /// @param foreign how many calls entered by another ABI; they are in neither
    public record Recording(SortedMap<String, Long> made, SortedMap<String, Long> denied, long foreign) {}

    private final Fd entered;
    private final Fd left;
    private final ArrayList<Fd> programs = new ArrayList<>();

    private SyscallRecorder(Fd entered, Fd left) {
        this.entered = entered;
        this.left = left;
    }

    /// Records a container that runs already.
    /// @param pid of one of its processes
    /// @param options where Caisson's own containers are written down, whose init is no part of the workload
    /// @throws EngineException HOST_PROCESS for a process that is in no container
    public static SyscallRecorder ofRunning(int pid, EngineOptions options) {
        FileStatus namespace = namespace(Integer.toString(pid));
        if (isSame(namespace, namespace("self"))) {
            throw new EngineException(
                    "HOST_PROCESS",
                    "process " + pid + " is in the pid namespace of this command, and all others of it would be "
                            + "recorded too: give a process of a container, or record the program from its start, "
                            + "'caisson seccomp record -- run host PROGRAM'");
        }
        return attach(pid, true, initStays(namespace, options));
    }

    private static boolean initStays(FileStatus namespace, EngineOptions options) {
        return State.recordsIn(options.state()).stream()
                .filter(record -> isOf(record, namespace))
                .anyMatch(
                        record -> record.plan().plan().only(Step.Execute.class).initStays());
    }

    private static boolean isOf(ContainerRecord record, FileStatus namespace) {
        try {
            return record.pid() != 0 && isSame(namespace, namespace(Integer.toString(record.pid())));
        } catch (EngineException e) {
            return false; // that one has ended
        }
    }

    private static boolean isSame(FileStatus one, FileStatus other) {
        return one.fileSystem() == other.fileSystem() && one.inode() == other.inode();
    }

    /// Records a container that stands before its program, from the moment in which the program is started.
    /// @param container as [Engine#start] hands it out
    public static SyscallRecorder ofStanding(Container container) {
        boolean initStays = container.plan().only(Step.Execute.class).initStays();
        return attach(container.pid(), false, initStays);
    }

    private static SyscallRecorder attach(int pid, boolean runs, boolean skipsFirst) {
        try {
            Fd entered = Bpf.createArray(RecorderProgram.SLOTS);
            Fd left;
            try {
                left = Bpf.createArray(RecorderProgram.SLOTS);
            } catch (ErrnoException e) {
                entered.close();
                throw e;
            }
            var recorder = new SyscallRecorder(entered, left);
            try {
                recorder.attach(namespace(Integer.toString(pid)), runs, skipsFirst);
                return recorder;
            } catch (ErrnoException e) {
                recorder.close();
                throw e;
            }
        } catch (ErrnoException e) {
            throw new EngineException(
                    "RECORDER_REFUSED",
                    "the kernel lets no recorder in (" + e.getMessage()
                            + "): it needs root with CAP_BPF and CAP_PERFMON" + " on a kernel with CONFIG_BPF_SYSCALL",
                    e);
        }
    }

    private void attach(FileStatus namespace, boolean runs, boolean skipsFirst) {
        // as the kernel's dev_t packs it, 12 bits and 20
        long device = ((namespace.fileSystem() >>> 32) << 20) | (namespace.fileSystem() & 0xfffff);
        long inode = namespace.inode();
        if (runs) {
            Bpf.update(entered, RecorderProgram.STATE, 1);
        }
        start("sys_exit", RecorderProgram.exit(left.number(), entered.number(), device, inode, skipsFirst));
        start("sys_enter", RecorderProgram.enter(entered.number(), device, inode, skipsFirst));
    }

    private void start(String tracepoint, byte[] instructions) {
        try (Fd program = Bpf.loadRawTracepoint(instructions)) {
            programs.add(Bpf.attachRawTracepoint(tracepoint, program));
        }
    }

    /// @param pid or `self`
    private static FileStatus namespace(String pid) {
        try (Fd link = FileSystem.open("/proc/" + pid + "/ns/pid", FileSystem.O_PATH)) {
            return FileSystem.status(link);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                throw new EngineException("CONTAINER_ENDED", "the process " + pid + " does not run", e);
            }
            throw e;
        }
    }

    /// What was seen until now.
    public Recording recording() {
        var made = new TreeMap<String, Long>();
        var denied = new TreeMap<String, Long>();
        Architecture abi = Architecture.host();
        for (int number = 0; number < RecorderProgram.NUMBERS; number++) {
            long begun = Bpf.lookup(entered, number);
            long failed = Bpf.lookup(left, number);
            if (begun > 0 || failed > 0) {
                String name = SyscallTable.get()
                        .byNumber(abi, number)
                        .map(Syscall::name)
                        .orElse("number " + number);
                Map<String, Long> seen = begun > 0 ? made : denied;
                seen.put(name, begun > 0 ? begun : failed);
            }
        }
        long foreign = Bpf.lookup(entered, RecorderProgram.FOREIGN);
        return new Recording(made, denied, foreign);
    }

    @Override
    public void close() {
        programs.forEach(Fd::close);
        entered.close();
        left.close();
    }
}
