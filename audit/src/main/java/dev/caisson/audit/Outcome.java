package dev.caisson.audit;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The findings before and after files were changed. What cannot be judged any more has not gone away.
/// @param before the report of the files as they are
/// @param after the report of the changed files
record Outcome(Report before, Report after) {
    /// Checks of a file as a whole: where one of them is new, the change broke the file or what it refers to.
    private static final Set<String> WHOLE = Set.of("file-not-understood", "reference-not-followed");

    /// The files that were understood before and are not any more.
    Set<String> broken() {
        return unknown().stream()
                .filter(finding -> WHOLE.contains(finding.check().name()))
                .flatMap(finding -> Stream.concat(
                        Stream.of(finding.subject().name()), finding.location().map(Location::file).stream()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /// How many findings go away, and what else happens.
    String text() {
        List<Finding> failed = failing(before);
        Set<String> left = prints(failing(after));
        Set<String> unjudged = unknown().stream().map(Outcome::question).collect(Collectors.toSet());
        long gone = failed.stream()
                .filter(finding -> !left.contains(finding.fingerprint()) && !unjudged.contains(question(finding)))
                .count();
        left.removeAll(prints(failed));
        return String.format(
                Locale.ROOT,
                "%d of %d findings go away%s%s",
                gone,
                failed.size(),
                left.isEmpty() ? "" : ", " + left.size() + " look different",
                unjudged.isEmpty() ? "" : ", " + unjudged.size() + " can then not be evaluated");
    }

    /// Returns findings that can no longer be judged after the change.
    private List<Finding> unknown() {
        Set<String> known = before.findings().stream()
                .filter(finding -> finding.status() == Status.NOT_EVALUATED)
                .map(Finding::fingerprint)
                .collect(Collectors.toSet());
        return after.findings().stream()
                .filter(finding -> finding.status() == Status.NOT_EVALUATED && !known.contains(finding.fingerprint()))
                .toList();
    }

    private static List<Finding> failing(Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .toList();
    }

    private static Set<String> prints(List<Finding> findings) {
        return findings.stream().map(Finding::fingerprint).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static String question(Finding finding) {
        return finding.check().id() + " " + finding.subject();
    }
}
