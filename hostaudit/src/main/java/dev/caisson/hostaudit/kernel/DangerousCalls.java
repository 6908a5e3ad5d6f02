package dev.caisson.hostaudit.kernel;

import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.SyscallTable;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/// Calls that lead out of a container or into parts of the kernel that no ordinary program needs, and whether a filter
/// lets them through. A condition on their arguments that holds for nearly all of them is none.
public final class DangerousCalls {
    public static final List<String> ALL = List.of(
            "acct",
            "add_key",
            "bpf",
            "clock_settime",
            "delete_module",
            "finit_module",
            "fsconfig",
            "fsmount",
            "fsopen",
            "fspick",
            "init_module",
            "io_uring_setup",
            "ioperm",
            "iopl",
            "kexec_file_load",
            "kexec_load",
            "keyctl",
            "mount",
            "mount_setattr",
            "move_mount",
            "open_by_handle_at",
            "open_tree",
            "perf_event_open",
            "pivot_root",
            "quotactl",
            "reboot",
            "request_key",
            "setns",
            "settimeofday",
            "swapoff",
            "swapon",
            "umount2",
            "unshare",
            "userfaultfd");

    private static final int REGISTERS = 6;
    private static final int SAMPLES = 16;
    /// Arguments of no meaning, the same in every run.
    private static final List<long[]> ARGUMENTS = samples();

    private DangerousCalls() {}

    private static List<long[]> samples() {
        Random random = new Random(1);
        return Stream.generate(() -> random.longs(REGISTERS).toArray())
                .limit(SAMPLES)
                .toList();
    }

    /// Those that are let through whatever their arguments, or whatever most of them.
    /// @param decide what is decided for a call of this number with these arguments
    static List<String> open(BiFunction<Integer, long[], Action> decide) {
        return ALL.stream().filter(call -> isOpen(call, decide)).toList();
    }

    private static boolean isOpen(String call, BiFunction<Integer, long[], Action> decide) {
        OptionalInt number = SyscallTable.get().number(Architecture.host(), call);
        return number.isPresent()
                && 2
                                * ARGUMENTS.stream()
                                        .filter(arguments -> passes(decide.apply(number.getAsInt(), arguments)))
                                        .count()
                        >= SAMPLES;
    }

    private static boolean passes(Action action) {
        return action.kind() == Action.Kind.ALLOW || action.kind() == Action.Kind.LOG;
    }
}
