package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;

/// Calls to hold a filter against its profile with: every number, and arguments at and around every constant.
final class Calls {
    static final KernelVersion KERNEL = KernelVersion.parse("6.18");
    static final long DEFAULT_CAPABILITIES = 0x405fbL;

    private Calls() {}

    static Target target(Architecture architecture) {
        return new Target(architecture, KERNEL, DEFAULT_CAPABILITIES);
    }

    /// Every number of the table, every hole between, and what lies beyond, for each ABI of the machine and one
    /// foreign.
    static List<SeccompData> numbers(Architecture machine) {
        var calls = new ArrayList<SeccompData>();
        var abis = new ArrayList<Architecture>(machine.compatible());
        abis.add(machine);
        for (Architecture abi : abis) {
            var numbers = new TreeSet<>(SyscallTable.get().calls(abi).keySet());
            for (int number = 0; number < 640; number++) {
                numbers.add(number);
            }
            numbers.addAll(List.of(1023, 4095, 65535, 0xf0000, 0xf0007, 0x3fffffff));
            numbers.forEach(number -> calls.add(SeccompData.of(abi, number)));
            for (int odd : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 0x40000000, 0x80000000 | 39}) {
                calls.add(new SeccompData(odd, abi.auditValue(), 0, 0, 0, 0, 0, 0, 0));
            }
        }
        int foreign = (machine == Architecture.S390X ? Architecture.RISCV64 : Architecture.S390X).auditValue();
        calls.add(new SeccompData(1, foreign, 0, 0, 0, 0, 0, 0, 0));
        calls.add(new SeccompData(1, 0, 0, 0, 0, 0, 0, 0, 0));
        return calls;
    }

    /// Values at, below and above the constants of a profile's conditions, with and without something in the upper
    /// half.
    static List<Long> boundaries(Profile profile) {
        var values = new TreeSet<Long>(List.of(0L, 1L, -1L, 0xffffL, 0x10000L, 0xffffffffL, 1L << 32, 1L << 63));
        for (Rule rule : profile.rules()) {
            for (Condition condition : rule.conditions()) {
                for (long value : List.of(condition.value(), condition.valueTwo())) {
                    for (long near : List.of(value - 1, value, value + 1, value & -value)) {
                        values.addAll(List.of(near, near | 1L << 32, near | 1L << 63, near | 1L << 16, ~near));
                    }
                }
                values.add(condition.value() | condition.valueTwo());
                values.add(~condition.value() | condition.valueTwo());
            }
        }
        return List.copyOf(values);
    }

    /// The same call with arguments picked from `values`, `count` times.
    static List<SeccompData> withArguments(SeccompData call, List<Long> values, int count, Random random) {
        var calls = new ArrayList<SeccompData>();
        for (int i = 0; i < count; i++) {
            long[] picked =
                    random.ints(6, 0, values.size()).mapToLong(values::get).toArray();
            calls.add(new SeccompData(
                    call.number(),
                    call.arch(),
                    random.nextLong(),
                    picked[0],
                    picked[1],
                    picked[2],
                    picked[3],
                    picked[4],
                    picked[5]));
        }
        return calls;
    }
}
