package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// A profile resolved for a target: for each ABI and each number of the table, one decision in normal form.
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
    }

    private final Profile profile;
    private final Target target;
    private final SyscallTable table = SyscallTable.get();
    private final Map<String, List<Rule>> applicable = new HashMap<>();

    Decisions(Profile profile, Target target) {
        this.profile = profile;
        this.target = target;
        for (Rule rule : profile.rules()) {
            if (rule.appliesTo(target)) {
                for (String name : rule.names()) {
                    List<Rule> rules = applicable.computeIfAbsent(name, n -> new ArrayList<>(2));
                    if (rules.isEmpty() || !rules.getLast().equals(rule)) {
                        rules.add(rule);
                    }
                }
            }
        }
    }

    /// The decisions of an ABI by number, without the X32 bit.
    SortedMap<Integer, Decision> of(Architecture abi) {
        var decisions = new TreeMap<Integer, Decision>();
        int newest = newestNamed(abi);
        table.calls(abi).forEach((number, call) -> {
            boolean newer = number > newest
                    || call.since().filter(target.kernel()::isBefore).isPresent();
            Action unnamed = newer ? profile.unknownAction() : profile.defaultAction();
            decisions.put(number, decision(applicable.getOrDefault(call.name(), List.of()), unnamed));
        });
        return decisions;
    }

    private int newestNamed(Architecture abi) {
        var names = new ArrayList<String>();
        profile.rules().forEach(rule -> names.addAll(rule.names()));
        return table.newest(abi, names);
    }

    private static Decision decision(List<Rule> rules, Action unnamed) {
        if (rules.isEmpty()) {
            return new Decision(List.of(), unnamed);
        }
        Optional<Rule> last = rules.stream()
                .filter(rule -> rule.conditions().isEmpty())
                .min(Comparator.comparing(rule -> rule.action().kind()));
        Action otherwise = last.map(Rule::action).orElse(unnamed);
        var branches = new ArrayList<Branch>();
        rules.stream()
                .filter(rule -> !rule.conditions().isEmpty())
                .sorted(Comparator.comparing(rule -> rule.action().kind()))
                .map(rule -> new Branch(rule.conditions(), rule.action()))
                .filter(branch -> !branches.contains(branch))
                .forEach(branches::add);
        while (!branches.isEmpty() && branches.getLast().action().equals(otherwise)) {
            branches.removeLast();
        }
        return new Decision(branches, otherwise);
    }
}
