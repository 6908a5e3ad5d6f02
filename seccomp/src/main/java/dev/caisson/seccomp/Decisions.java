package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// A profile resolved for a target: for each ABI and each number of the table, one decision in normal form. A cold
/// command does this some thousand times and interprets it: hence loops, no streams, and no equality that the JVM makes
/// for a record when it is first asked for.
final class Decisions {
    /// The rules of one call in the order in which they are to be tried, and what holds if none matches.
    record Decision(List<Branch> branches, Action otherwise) {
        Decision {
            branches = List.copyOf(branches);
        }

        boolean dependsOnArguments() {
            return !branches.isEmpty();
        }
    }

    record Branch(List<Condition> conditions, Action action) {
        Branch {
            conditions = List.copyOf(conditions);
        }

        private boolean isSame(Branch other) {
            boolean same = action.equals(other.action) && conditions.size() == other.conditions.size();
            for (int at = 0; same && at < conditions.size(); at++) {
                same = conditions.get(at).isSame(other.conditions.get(at));
            }
            return same;
        }
    }

    private final Profile profile;
    private final Target target;
    private final SyscallTable table = SyscallTable.get();
    private final Map<String, List<Rule>> applicable = new HashMap<>();
    private final Set<String> named = new HashSet<>();

    Decisions(Profile profile, Target target) {
        this.profile = profile;
        this.target = target;
        for (Rule rule : profile.rules()) {
            named.addAll(rule.names());
            if (rule.appliesTo(target)) {
                for (String name : rule.names()) {
                    applicable.computeIfAbsent(name, n -> new ArrayList<>(2)).add(rule);
                }
            }
        }
    }

    /// The decisions of an ABI by number, without the X32 bit.
    SortedMap<Integer, Decision> of(Architecture abi) {
        var decisions = new TreeMap<Integer, Decision>();
        int newest = table.newest(abi, named);
        table.calls(abi).forEach((number, call) -> {
            boolean newer = number > newest
                    || (call.since().isPresent()
                            && target.kernel().isBefore(call.since().get()));
            Action unnamed = newer ? profile.unknownAction() : profile.defaultAction();
            decisions.put(number, decision(applicable.getOrDefault(call.name(), List.of()), unnamed));
        });
        return decisions;
    }

    private static Decision decision(List<Rule> rules, Action unnamed) {
        if (rules.isEmpty()) {
            return new Decision(List.of(), unnamed);
        }
        Optional<Action> last = Optional.empty();
        var branches = new ArrayList<Branch>();
        for (Rule rule : rules) {
            Action action = rule.action();
            if (rule.conditions().isEmpty()) {
                if (last.isEmpty() || action.isStricterThan(last.get())) {
                    last = Optional.of(action);
                }
            } else {
                insert(branches, new Branch(rule.conditions(), action));
            }
        }
        Action otherwise = last.orElse(unnamed);
        while (!branches.isEmpty() && branches.getLast().action().equals(otherwise)) {
            branches.removeLast();
        }
        return new Decision(branches, otherwise);
    }

    /// Behind those that are as strict, once.
    private static void insert(List<Branch> branches, Branch branch) {
        int at = 0;
        for (Branch before : branches) {
            if (before.isSame(branch)) {
                return;
            }
            at += branch.action().isStricterThan(before.action()) ? 0 : 1;
        }
        branches.add(at, branch);
    }
}
