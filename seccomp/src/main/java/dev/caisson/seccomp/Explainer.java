package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Explains what one profile decides for one target. Made once, it explains any number of calls, in any
/// thread.
public final class Explainer implements CallExplainer {
    private final Profile profile;
    private final Target target;
    private final ProfileEvaluator evaluator;
    private final Map<String, SortedSet<Integer>> examined = new HashMap<>();

    public Explainer(Profile profile, Target target) {
        this.profile = profile;
        this.target = target;
        evaluator = new ProfileEvaluator(profile, target);
        for (Rule rule : profile.rules()) {
            for (String name : rule.conditions().isEmpty() ? List.<String>of() : rule.names()) {
                SortedSet<Integer> indexes = examined.computeIfAbsent(name, n -> new TreeSet<>());
                rule.conditions().forEach(condition -> indexes.add(condition.index()));
            }
        }
    }

    @Override
    public Explanation explain(SeccompData data) {
        Action decided = evaluator.decide(data);
        List<String> reasons = reasons(data);
        return new Explanation(CallText.of(data), decided, reasons, brief(data, decided, reasons));
    }

    private List<String> brief(SeccompData data, Action decided, List<String> reasons) {
        List<Rule> rules = evaluator.call(data).stream()
                .filter(Syscall::filterable)
                .flatMap(call ->
                        profile.rules().stream().filter(rule -> rule.names().contains(call.name())))
                .toList();
        if (rules.isEmpty()) {
            return reasons;
        }
        var brief = new ArrayList<String>();
        brief.add(deciding(rules, decided, data)
                .map(rule -> number(profile.rules().indexOf(rule))
                        + (rule.comment().isBlank() ? effect(rule, data) : rule.comment()))
                .orElse("no rule allows it with these arguments"));
        if (!isAllowed(decided)) {
            String allowing = allowing(rules, data).stream()
                    .map(name -> "--cap-add " + name.substring("CAP_".length()))
                    .collect(Collectors.joining(" or "));
            brief.add(
                    allowing.isEmpty()
                            ? "no capability allows it, but a profile of your own can: --security-opt seccomp=FILE"
                            : "to allow it: " + allowing);
        }
        return brief;
    }

    /// One with conditions comes before one without, as in [ProfileEvaluator#decide].
    private Optional<Rule> deciding(List<Rule> rules, Action decided, SeccompData data) {
        List<Rule> applying = rules.stream()
                .filter(rule -> rule.action().equals(decided) && rule.appliesTo(target))
                .filter(rule -> rule.conditions().stream().allMatch(condition -> evaluator.holds(condition, data)))
                .toList();
        return applying.stream()
                .filter(rule -> !rule.conditions().isEmpty())
                .findFirst()
                .or(() -> applying.stream().findFirst());
    }

    private SortedSet<String> allowing(List<Rule> rules, SeccompData data) {
        var allowing = new TreeSet<String>();
        for (Rule rule : rules) {
            allowing.addAll(rule.includes().capabilities());
            allowing.addAll(rule.excludes().capabilities());
        }
        allowing.removeIf(name -> {
            var more = new TreeSet<>(target.capabilities());
            more.add(name);
            var with = new Target(target.architecture(), target.kernel(), more);
            return !isAllowed(new ProfileEvaluator(profile, with).decide(data));
        });
        return allowing;
    }

    private static boolean isAllowed(Action action) {
        return action.kind() == Action.Kind.ALLOW || action.kind() == Action.Kind.LOG;
    }

    private static String number(int index) {
        return "rule " + (index + 1) + ": ";
    }

    /// The arguments that some rule for the call has a condition on, as wide as the kernel reads them.
    @Override
    public List<Long> examined(SeccompData data) {
        return evaluator
                .call(data)
                .map(call -> examined.getOrDefault(call.name(), new TreeSet<>()).stream()
                        .map(index -> evaluator.argument(data, index))
                        .toList())
                .orElse(List.of());
    }

    private List<String> reasons(SeccompData data) {
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
                reasons.add(number(index) + effect(rule, data));
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

    private String effect(Rule rule, SeccompData data) {
        return rule.action() + " " + why(rule, data);
    }

    private String why(Rule rule, SeccompData data) {
        if (!rule.appliesTo(target)) {
            return "does not apply: " + selection(rule);
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

    private String selection(Rule rule) {
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
