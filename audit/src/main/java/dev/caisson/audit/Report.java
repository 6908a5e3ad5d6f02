package dev.caisson.audit;

import java.time.LocalDate;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// The result of an audit: the findings in a fixed order, passes included, and how they are to be counted.
/// @param targets what was audited
/// @param date the day by which waivers were judged
/// @param failOn the severity from which an open finding makes the run fail
/// @param resolved fingerprints of the baseline that were not found again
public record Report(
        String version,
        LocalDate date,
        List<String> targets,
        Severity failOn,
        List<Finding> findings,
        List<String> resolved) {
    public Report {
        findings = findings.stream().sorted().toList();
        targets = List.copyOf(targets);
        resolved = List.copyOf(resolved);
    }

    /// The same report, in which findings rest on more evidence.
    public Report withEvidence(Function<Finding, List<Evidence>> more) {
        return new Report(
                version,
                date,
                targets,
                failOn,
                findings.stream()
                        .map(finding -> finding.withEvidence(more.apply(finding)))
                        .toList(),
                resolved);
    }

    /// The findings that are no passes.
    public List<Finding> notable() {
        return findings.stream()
                .filter(finding -> finding.status() != Status.PASS && finding.status() != Status.NOT_APPLICABLE)
                .toList();
    }

    /// How many findings have each status.
    public Map<Status, Long> byStatus() {
        Map<Status, Long> counts = new EnumMap<>(Status.class);
        findings.forEach(finding -> counts.merge(finding.status(), 1L, Long::sum));
        return counts;
    }

    /// How many open failures have each severity.
    public Map<Severity, Long> bySeverity() {
        Map<Severity, Long> counts = new EnumMap<>(Severity.class);
        findings.stream().filter(Finding::open).forEach(finding -> counts.merge(finding.severity(), 1L, Long::sum));
        return counts;
    }

    /// Returns true if the finding makes the run fail.
    public boolean fails(Finding finding) {
        return finding.open() && finding.severity().atLeast(failOn);
    }

    /// 0 clean, 1 an open finding at or over the threshold, 3 something was not evaluated. 2, an error of the audit
    /// itself, comes as an [AuditException] instead.
    public int exitCode() {
        if (findings.stream().anyMatch(this::fails)) {
            return 1;
        }
        return findings.stream().anyMatch(finding -> finding.status() == Status.NOT_EVALUATED) ? 3 : 0;
    }
}
