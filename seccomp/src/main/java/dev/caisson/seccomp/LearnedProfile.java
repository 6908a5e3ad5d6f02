package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// A profile and, beside what it allows, calls that a program made against it.
///
/// A call for which some rule has conditions is allowed for the arguments that it was seen with, as
/// far as rules look at them; any other whatever its arguments. A rule that denies such a call
/// whatever its arguments names it no longer.
///
/// @param profile that allows them
/// @param added what it allows and the given one denies
/// @param missing names of calls that the given one answers as missing, ENOSYS, and this one too: the
///     program has seen a kernel without them
/// @param refused calls that are denied after all, by a rule whose conditions they meet or for want of
///     a name
public record LearnedProfile(Profile profile, List<Added> added, List<String> missing, List<String> refused) {
    /// A call that is allowed in addition.
    ///
    /// @param conditions under which it is; none for all arguments
    /// @param group what it is for, as `mount`
    /// @param risk a note; empty where it is none of note
    public record Added(String name, List<Condition> conditions, String group, String risk) {
        public Added {
            conditions = List.copyOf(conditions);
        }

        /// One line for people.
        @Override
        public String toString() {
            var text = new StringBuilder(name);
            if (!conditions.isEmpty()) {
                text.append(" where ")
                        .append(String.join(
                                " and ",
                                conditions.stream().map(Condition::toString).toList()));
            }
            text.append(", of the group ").append(group);
            return (risk.isEmpty() ? text : text.append("; its risk: ").append(risk)).toString();
        }
    }

    private record Kind(List<Condition> conditions, String comment) {}

    public LearnedProfile {
        added = List.copyOf(added);
        missing = List.copyOf(missing);
        refused = List.copyOf(refused);
    }

    /// Adds to a profile what a program was seen to make against it.
    /// @param given under which the program ran
    /// @param calls what it was seen to make, one of each kind
    public static LearnedProfile of(Profile given, Target target, Collection<SeccompData> calls) {
        var evaluator = new ProfileEvaluator(given, target);
        Map<String, Set<List<Condition>>> wanted = new TreeMap<>();
        var missing = new TreeSet<String>();
        for (SeccompData data : calls) {
            Action action = evaluator.decide(data);
            if (passes(action)) {
                continue;
            }
            String name = evaluator.call(data).map(Syscall::name).orElse("");
            if (action.equals(Action.errno(Action.ENOSYS))) {
                missing.add(name.isEmpty() ? CallText.of(data) : name);
            } else if (!name.isEmpty()) {
                wanted.computeIfAbsent(name, n -> new LinkedHashSet<>())
                        .add(conditions(given, target, evaluator, name, data));
            }
        }
        var added = new ArrayList<Added>();
        wanted.forEach((name, ways) -> ways.forEach(conditions -> {
            Syscall call = SyscallTable.get().byName(name).orElseThrow();
            added.add(new Added(name, conditions, call.group(), call.note()));
        }));
        Profile profile = with(given, target, added);
        var learned = new ProfileEvaluator(profile, target);
        var refused = new TreeSet<String>();
        for (SeccompData data : calls) {
            boolean isMissing = evaluator.decide(data).equals(Action.errno(Action.ENOSYS));
            if (!isMissing && !passes(learned.decide(data))) {
                refused.add(CallText.of(data));
                String name = evaluator.call(data).map(Syscall::name).orElse("");
                List<Condition> conditions = conditions(given, target, evaluator, name, data);
                added.removeIf(
                        way -> way.name().equals(name) && way.conditions().equals(conditions));
            }
        }
        // a rule for a call that stays denied all the same would say what is not so
        return new LearnedProfile(
                refused.isEmpty() ? profile : with(given, target, added),
                added,
                List.copyOf(missing),
                List.copyOf(refused));
    }

    private static boolean passes(Action action) {
        return action.kind() == Action.Kind.ALLOW || action.kind() == Action.Kind.LOG;
    }

    /// The arguments that rules look at, as they were.
    private static List<Condition> conditions(
            Profile given, Target target, ProfileEvaluator evaluator, String name, SeccompData data) {
        var indexes = new TreeSet<Integer>();
        for (Rule rule : given.rules()) {
            if (rule.appliesTo(target) && rule.names().contains(name)) {
                rule.conditions().forEach(condition -> indexes.add(condition.index()));
            }
        }
        return indexes.stream()
                .map(index -> Condition.of(index, Condition.Operator.EQ, evaluator.argument(data, index)))
                .toList();
    }

    private static Profile with(Profile given, Target target, List<Added> added) {
        var whole = new TreeSet<String>();
        added.stream().filter(way -> way.conditions().isEmpty()).forEach(way -> whole.add(way.name()));
        var rules = new ArrayList<Rule>();
        for (Rule rule : given.rules()) {
            boolean denies = rule.appliesTo(target) && rule.conditions().isEmpty() && !passes(rule.action());
            List<String> names = denies
                    ? rule.names().stream()
                            .filter(name -> !whole.contains(name))
                            .toList()
                    : rule.names();
            if (!names.isEmpty()) {
                rules.add(new Rule(
                        names, rule.action(), rule.conditions(), rule.includes(), rule.excludes(), rule.comment()));
            }
        }
        Map<Kind, Set<String>> kinds = new LinkedHashMap<>();
        added.forEach(way -> kinds.computeIfAbsent(new Kind(way.conditions(), comment(way)), kind -> new TreeSet<>())
                .add(way.name()));
        kinds.forEach((kind, names) -> rules.add(new Rule(
                List.copyOf(names), Action.ALLOW, kind.conditions(), Selector.NONE, Selector.NONE, kind.comment())));
        return new Profile(
                given.defaultAction(),
                given.abis(),
                given.flags(),
                given.listenerPath(),
                given.listenerMetadata(),
                rules);
    }

    private static String comment(Added way) {
        return way.risk().isEmpty() ? "learned" : "learned; risk: " + way.risk();
    }
}
