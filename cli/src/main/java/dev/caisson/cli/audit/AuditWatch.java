package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import dev.caisson.audit.Finding;
import dev.caisson.audit.Report;
import dev.caisson.audit.Status;
import dev.caisson.cli.caller.OneLine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Audits again and again, and tells what changed between two runs.
final class AuditWatch {
    private AuditWatch() {}

    /// Until the process is told to end. An engine that does not answer for a while is told once, and what changed
    /// meanwhile when it does.
    static void run(Report first, Supplier<Report> audit, Duration pause, Consumer<String> line) {
        Report before = first;
        String problem = "";
        while (true) {
            try {
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            Report now;
            try {
                now = audit.get();
            } catch (AuditException e) {
                String said = OneLine.of("not audited: " + e.code() + ": " + e.getMessage());
                if (!said.equals(problem)) {
                    line.accept(said);
                }
                problem = said;
                continue;
            }
            problem = "";
            changes(before, now).forEach(line);
            before = now;
        }
    }

    /// A line for each open failure that came, went or reads differently. One that was not judged this time is not
    /// gone, and not new when it is judged again.
    static List<String> changes(Report before, Report now) {
        Map<String, Finding> old = open(before);
        Map<String, Finding> present = open(now);
        Map<String, Finding> unknown = notEvaluated(now);
        Map<String, Finding> unknownBefore = notEvaluated(before);
        List<String> lines = new ArrayList<>();
        present.forEach((print, finding) -> {
            Finding known = old.get(print);
            if (known == null) {
                lines.add((unknownBefore.containsKey(print) ? "evaluated: " : "new: ") + text(finding));
            } else if (!known.message().equals(finding.message())) {
                lines.add("changed: " + text(finding));
            }
        });
        old.forEach((print, finding) -> {
            Finding unjudged = unknown.get(print);
            if (unjudged != null) {
                lines.add("not evaluated: " + text(unjudged));
            } else if (!present.containsKey(print)) {
                lines.add("gone: " + text(finding));
            }
        });
        return lines;
    }

    private static Map<String, Finding> notEvaluated(Report report) {
        Map<String, Finding> unknown = new LinkedHashMap<>();
        report.findings().stream()
                .filter(finding -> finding.status() == Status.NOT_EVALUATED)
                .forEach(finding -> unknown.put(finding.fingerprint(), finding));
        return unknown;
    }

    private static String text(Finding finding) {
        return OneLine.of(finding.severity().word() + " " + finding.check().name() + " " + finding.subject() + ": "
                + finding.message());
    }

    private static Map<String, Finding> open(Report report) {
        Map<String, Finding> open = new LinkedHashMap<>();
        report.findings().stream().filter(Finding::open).forEach(finding -> open.put(finding.fingerprint(), finding));
        return open;
    }
}
