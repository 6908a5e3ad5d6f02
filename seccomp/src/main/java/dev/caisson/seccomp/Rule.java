package dev.caisson.seccomp;

import java.util.List;

/// An action for some calls, under conditions that must all hold, also where two name the same argument.
/// @param names system calls; a name that an ABI does not have counts for nothing there
public record Rule(
        List<String> names,
        Action action,
        List<Condition> conditions,
        Selector includes,
        Selector excludes,
        String comment) {
    public Rule {
        names = List.copyOf(names);
        conditions = List.copyOf(conditions);
    }

    public static Rule of(Action action, List<Condition> conditions, String... names) {
        return new Rule(List.of(names), action, conditions, Selector.NONE, Selector.NONE, "");
    }

    boolean appliesTo(Target target) {
        return includes.includes(target) && !excludes.excludes(target);
    }
}
