package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/// Holds a profile's compiled filter against the profile, call by call: the filter runs as in the kernel's interpreter,
/// and the profile's rules are asked one after the other by [ProfileEvaluator].
public final class ProfileProof {
    private static final int PICKS = 24;
    private static final int BEYOND_THE_TABLE = 64;
    private static final int SEED = 3;
    private static final int MOST_SHOWN = 20;

    /// The result of a comparison.
    /// @param decisions how many were compared
    /// @param mismatches the first of those that differ, each in a line
    public record Result(long decisions, List<String> mismatches) {
        public Result {
            mismatches = List.copyOf(mismatches);
        }

        public boolean holds() {
            return mismatches.isEmpty();
        }
    }

    private ProfileProof() {}

    /// Compares every number of every ABI of the target's machine, the holes between them and what lies beyond, with
    /// arguments at and around every constant of the profile.
    public static Result of(Profile profile, Target target) {
        return of(profile, target, Compiler.compile(profile, target));
    }

    static Result of(Profile profile, Target target, Filter filter) {
        var evaluator = new ProfileEvaluator(profile, target);
        List<Long> values = List.copyOf(values(profile));
        var random = new Random(SEED);
        var mismatches = new ArrayList<String>();
        long decisions = 0;
        for (Architecture abi : abis(target.architecture())) {
            for (int number : numbers(filter, abi)) {
                for (int pick = 0; pick < PICKS; pick++) {
                    long[] arguments = random.ints(6, 0, values.size())
                            .mapToLong(values::get)
                            .toArray();
                    var call = SeccompData.of(abi, number, arguments);
                    Action wanted = evaluator.decide(call);
                    Action decided = Simulator.run(filter, call).action();
                    decisions++;
                    if (!wanted.equals(decided) && mismatches.size() < MOST_SHOWN) {
                        mismatches.add(CallText.of(call) + ": the profile means " + wanted + ", the filter " + decided);
                    }
                }
            }
        }
        return new Result(decisions, mismatches);
    }

    private static Set<Architecture> abis(Architecture machine) {
        Set<Architecture> abis = EnumSet.of(machine);
        abis.addAll(machine.compatible());
        return abis;
    }

    private static SortedSet<Integer> numbers(Filter filter, Architecture abi) {
        var numbers = new TreeSet<>(Paths.numbers(filter, abi));
        SortedSet<Integer> known = new TreeSet<>(SyscallTable.get().calls(abi).keySet());
        int last = known.headSet(1 << 16).last() + BEYOND_THE_TABLE;
        for (int number = 0; number < last; number++) {
            numbers.add(number);
        }
        numbers.addAll(List.of(0x3fffffff, Integer.MAX_VALUE, Integer.MIN_VALUE, -1));
        return numbers;
    }

    private static Set<Long> values(Profile profile) {
        var values = new TreeSet<Long>(List.of(0L, 1L, -1L, 0xffffL, 0x10000L, 0xffffffffL, 1L << 32, 1L << 63));
        for (Rule rule : profile.rules()) {
            for (Condition condition : rule.conditions()) {
                for (long value : List.of(condition.value(), condition.valueTwo())) {
                    for (long near : List.of(value - 1, value, value + 1)) {
                        values.addAll(List.of(near, near | 1L << 32, near | 1L << 63, near | 1L << 16, ~near));
                    }
                }
            }
        }
        return values;
    }
}
