package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A call for which two filters decide differently, with one that shows it.
/// @param name of the call; empty where the number is none
public record FilterDifference(
        Architecture abi, int number, Optional<String> name, Action first, Action second, SeccompData example) {

    /// True if the second filter lets more through.
    public boolean loosens() {
        return first.isStricterThan(second);
    }

    /// Returns true if both deny, with different errors.
    public boolean isOfErrorsAlone() {
        return first.kind() == Action.Kind.ERRNO && second.kind() == Action.Kind.ERRNO;
    }

    /// All differences of two filters for the same machine, for every number and all arguments: exact, not by trial. Of
    /// the arguments of one call that get the same pair of actions, one example is given.
    /// @throws SeccompException FILTER_UNREADABLE where a filter holds instructions that cannot be followed
    public static List<FilterDifference> between(Filter first, Filter second) {
        if (first.architecture() != second.architecture()) {
            throw new SeccompException(
                    SeccompException.Code.CONTRADICTION,
                    "one filter is for " + first.architecture() + " and one for " + second.architecture());
        }
        var differences = new ArrayList<FilterDifference>();
        for (Architecture abi : DecisionTable.abis(first)) {
            var numbers = new TreeSet<>(Paths.numbers(first, abi));
            numbers.addAll(Paths.numbers(second, abi));
            for (int number : numbers) {
                differences.addAll(ofCall(first, second, abi, number));
            }
        }
        return differences;
    }

    private record Pair(Action first, Action second) {}

    private static List<FilterDifference> ofCall(Filter first, Filter second, Architecture abi, int number) {
        var differences = new ArrayList<FilterDifference>();
        Set<Pair> seen = new HashSet<>();
        Optional<String> name = SyscallTable.get().byNumber(abi, number).map(Syscall::name);
        for (Paths.Path way : Paths.of(first, abi.auditValue(), number)) {
            for (Paths.Path other : Paths.under(second, abi.auditValue(), number, way.tests())) {
                if (!way.action().equals(other.action()) && seen.add(new Pair(way.action(), other.action()))) {
                    differences.add(
                            new FilterDifference(abi, number, name, way.action(), other.action(), other.example()));
                }
            }
        }
        return differences;
    }

    @Override
    public String toString() {
        var arguments = new StringBuilder();
        for (int index = 0; index < 6; index++) {
            arguments.append(index == 0 ? "" : ", ").append("0x").append(Long.toHexString(example.argument(index)));
        }
        return abi + " " + name.orElse("number " + Integer.toUnsignedString(number)) + "(" + arguments + "): " + first
                + " / " + second;
    }
}
