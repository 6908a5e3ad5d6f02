package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/// Why a profile decides a call as it does, and what would let it through.
///
/// @param call with its arguments
/// @param action what the profile decides
/// @param reasons a sentence each, from the profile's rules in their order
public record Explanation(String call, Action action, List<String> reasons) {
    public Explanation {
        reasons = List.copyOf(reasons);
    }

    public static Explanation of(Profile profile, Target target, SeccompData data) {
        var evaluator = new ProfileEvaluator(profile, target);
        Action action = evaluator.decide(data);
        return new Explanation(CallText.of(data), action, reasons(profile, target, data, evaluator));
    }

    private static List<String> reasons(Profile profile, Target target, SeccompData data, ProfileEvaluator evaluator) {
        var reasons = new ArrayList<String>();
        var call = evaluator.call(data);
        if (call.isEmpty()) {
            reasons.add(
                    CallText.abi(data)
                                    .filter(profile.abisOn(target.architecture())::contains)
                                    .isPresent()
                            ? "no call has this number"
                            : "the profile lets in no call by this ABI: add it to archMap");
            return reasons;
        }
        if (!call.get().filterable()) {
            reasons.add("the kernel asks no filter about this call: it cannot be denied");
        }
        String name = call.get().name();
        for (int index = 0; index < profile.rules().size(); index++) {
            Rule rule = profile.rules().get(index);
            if (rule.names().contains(name)) {
                reasons.add("rule " + (index + 1) + ": " + rule.action() + " " + why(rule, target, data, evaluator));
            }
        }
        if (reasons.isEmpty()) {
            call.get()
                    .since()
                    .filter(target.kernel()::isBefore)
                    .ifPresent(since -> reasons.add("the call is of Linux " + since
                            + ", newer than this kernel: it answers as one without it"));
            reasons.add("no rule names " + name + ": allow it with a rule of the group "
                    + call.get().group()
                    + (call.get().note().isEmpty()
                            ? ""
                            : "; its risk: " + call.get().note()));
        }
        return reasons;
    }

    private static String why(Rule rule, Target target, SeccompData data, ProfileEvaluator evaluator) {
        if (!rule.appliesTo(target)) {
            return "does not apply: " + selection(rule, target);
        }
        var failed = rule.conditions().stream()
                .filter(condition -> !evaluator.holds(condition, data))
                .toList();
        if (failed.isEmpty()) {
            return rule.conditions().isEmpty() ? "applies to all arguments" : "applies, all its conditions hold";
        }
        return "does not apply: it is for "
                + String.join(" and ", failed.stream().map(Condition::toString).toList());
    }

    private static String selection(Rule rule, Target target) {
        var missing = new TreeSet<>(rule.includes().capabilities());
        missing.removeAll(target.capabilities());
        if (!missing.isEmpty()) {
            return "it needs " + String.join(", ", missing);
        }
        var excluding = new TreeSet<>(rule.excludes().capabilities());
        excluding.retainAll(target.capabilities());
        if (!excluding.isEmpty()) {
            return "it is for containers without " + String.join(", ", excluding);
        }
        return rule.includes()
                .minKernel()
                .filter(target.kernel()::isBefore)
                .map(least -> "it needs Linux " + least)
                .orElse("it is for other machines");
    }
}
