package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Instructions in front of a filter that asks: a call that would give the program a listener of its own fails with
/// EBUSY. While somebody listens the kernel does that. Once nobody does, the program's own listener, asked in place of
/// the one that is gone, could let pass what the filter denies.
final class ListenerGuard {
    /// The instructions for one ABI.
    static final int LENGTH = 7;

    private static final int LOAD = 0x20;
    private static final int EQUAL = 0x15;
    private static final int ANY_BIT = 0x45;
    private static final int RETURN = 0x06;
    private static final int ARCHITECTURE = 4;
    private static final int THIRD_ARGUMENT = 32;
    private static final int EBUSY = 16;
    /// `SECCOMP_SET_MODE_FILTER`
    private static final int INSTALLS = 1;
    /// Above `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`, the last flag that there is.
    private static final int MOST_FLAGS = 64;

    private ListenerGuard() {}

    /// Returns the instructions for each ABI by which a filter may let the call pass.
    ///
    /// @param flags offset of the call's flags in `seccomp_data`
    /// @param asked true if a question about the machine's own call stands in front already
    static long[] of(Filter filter, int flags, boolean asked) {
        return calls(filter)
                .filter(call -> !(asked && isOwn(filter, call)) && mayPass(filter, call))
                .flatMap(call -> instructions(call, flags).stream())
                .mapToLong(Long::longValue)
                .toArray();
    }

    /// Returns how many instructions of a guard stand in a filter from `at` on.
    static int length(Filter filter, int at, int flags) {
        int end = at;
        for (SeccompData call : calls(filter).toList()) {
            if (stands(filter, end, instructions(call, flags))) {
                end += LENGTH;
            }
        }
        return end - at;
    }

    /// Returns seccomp(2) of the machine and of the other ABIs that it runs.
    private static Stream<SeccompData> calls(Filter filter) {
        List<SeccompData> others = switch (filter.architecture()) {
            case X86_64 -> List.of(call(Architecture.X86, 354), call(Architecture.X32, 317));
            case AARCH64 -> List.of(call(Architecture.ARM, 383));
            case X86, X32, ARM, RISCV64, S390X, PPC64LE, LOONGARCH64 -> List.of();
        };
        return Stream.concat(Stream.of(call(filter.architecture(), filter.seccomp())), others.stream());
    }

    private static SeccompData call(Architecture abi, int number) {
        return SeccompData.of(abi, number);
    }

    private static boolean isOwn(Filter filter, SeccompData call) {
        return call.arch() == filter.architecture().auditValue() && call.number() == filter.seccomp();
    }

    /// Tries all flags that the kernel takes beside that for a listener. A filter that looks at the third argument may
    /// decide otherwise for another one.
    private static boolean mayPass(Filter filter, SeccompData call) {
        for (int flags = 0; flags < MOST_FLAGS; flags++) {
            var one = new SeccompData(call.number(), call.arch(), 0, INSTALLS, Filter.NEW_LISTENER | flags, 0, 0, 0, 0);
            boolean passes = switch (filter.decide(one).kind()) {
                case ALLOW, LOG, NOTIFY, TRACE -> true;
                case ERRNO, KILL_PROCESS, KILL_THREAD, TRAP -> false;
            };
            List<Long> words = Simulator.examined(filter, one);
            if (passes || words.stream().anyMatch(word -> word >>> Integer.SIZE >= THIRD_ARGUMENT)) {
                return true;
            }
            if (words.isEmpty()) {
                return false;
            }
        }
        return false;
    }

    private static List<Long> instructions(SeccompData call, int flags) {
        var all = new ArrayList<Long>();
        all.add(Filter.instruction(LOAD, 0, 0, ARCHITECTURE));
        all.add(Filter.instruction(EQUAL, 0, LENGTH - 2, call.arch()));
        all.add(Filter.instruction(LOAD, 0, 0, 0));
        all.add(Filter.instruction(EQUAL, 0, LENGTH - 4, call.number()));
        all.add(Filter.instruction(LOAD, 0, 0, flags));
        all.add(Filter.instruction(ANY_BIT, 0, 1, Filter.NEW_LISTENER));
        all.add(Filter.instruction(RETURN, 0, 0, Action.errno(EBUSY).returnValue()));
        return all;
    }

    private static boolean stands(Filter filter, int at, List<Long> instructions) {
        for (int i = 0; i < instructions.size(); i++) {
            int index = at + i;
            if (index >= filter.length()
                    || Filter.instruction(
                                    filter.code(index),
                                    filter.jumpIfTrue(index),
                                    filter.jumpIfFalse(index),
                                    filter.constant(index))
                            != instructions.get(i)) {
                return false;
            }
        }
        return true;
    }
}
