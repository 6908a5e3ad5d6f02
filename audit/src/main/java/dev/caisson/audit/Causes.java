package dev.caisson.audit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Folds what follows from one cause into the finding of that cause. Formats for programs list all of it.
final class Causes {
    /// By the check of the cause: checks whose findings about the same subject it brings about.
    private static final Map<String, Set<String>> CONSEQUENCES = Map.of(
            "privileged-in-effect",
            Set.of(
                    "apparmor-off",
                    "capabilities-wide",
                    "filter-off",
                    "filter-too-wide",
                    "host-devices",
                    "kernel-paths-open",
                    "selinux-off"),
            "filter-off",
            Set.of("filter-too-wide"),
            "host-net",
            Set.of("host-utsns"));

    private Causes() {}

    /// The findings without those that follow from another one, whose message then names them.
    static List<Finding> folded(List<Finding> findings) {
        Map<Subject, Map<String, Finding>> causes = new HashMap<>();
        findings.stream()
                .filter(finding -> finding.status() == Status.FAIL
                        && CONSEQUENCES.containsKey(finding.check().name()))
                .forEach(finding -> causes.computeIfAbsent(finding.subject(), subject -> new HashMap<>())
                        .put(finding.check().name(), finding));
        Map<Finding, Set<String>> with = new HashMap<>();
        List<Finding> left = new ArrayList<>();
        for (Finding finding : findings) {
            Finding cause = causes.getOrDefault(finding.subject(), Map.of()).values().stream()
                    .filter(other -> follows(finding, other))
                    // the widest cause takes all
                    .max(java.util.Comparator.comparingInt(other -> CONSEQUENCES
                            .getOrDefault(other.check().name(), Set.of())
                            .size()))
                    .orElse(null);
            if (cause == null) {
                left.add(finding);
            } else {
                with.computeIfAbsent(cause, key -> new TreeSet<>())
                        .add(finding.check().name());
            }
        }
        return left.stream()
                .map(finding -> with.containsKey(finding)
                        ? finding.saying(finding.message() + ", and so "
                                + String.join(", ", with.getOrDefault(finding, Set.of())))
                        : finding)
                .toList();
    }

    private static boolean follows(Finding finding, Finding cause) {
        return finding.status() == Status.FAIL
                && finding.known() == cause.known()
                && cause.severity().atLeast(finding.severity())
                && CONSEQUENCES
                        .getOrDefault(cause.check().name(), Set.of())
                        .contains(finding.check().name());
    }
}
