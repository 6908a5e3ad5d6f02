package dev.caisson.audit;

import dev.caisson.scan.Leak;
import dev.caisson.scan.Place;
import dev.caisson.scan.RuleSet;
import dev.caisson.scan.ScanSink;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Makes a report of what the leak scanner finds. Takes the findings of any number of scans.
public final class LeakAudit implements ScanSink {
    /// More are counted and not kept: nobody reads them, and each takes memory.
    private static final int MOST = 50_000;

    private final RuleSet rules;
    private final List<Finding> findings = new ArrayList<>();
    private final Map<Finding, String> keys = new HashMap<>();
    private long left;

    /// @param rules that the scans look for
    public LeakAudit(RuleSet rules) {
        this.rules = rules;
    }

    @Override
    public void found(Leak leak) {
        Place place = leak.place();
        int line = bounded(place.line());
        int column = bounded(place.column());
        var location = new Location(place.source(), line, column, line, column);
        String encoded = place.decoded().isEmpty()
                ? ""
                : ", in " + String.join(" in ", place.decoded().reversed());
        String shown = leak.rule().title() + " " + leak.masked();
        var finding = Finding.ofFile(
                LeakChecks.of(leak.rule()),
                subject(place.source()),
                Status.FAIL,
                LeakChecks.severity(leak.confidence()),
                shown + encoded + "; " + leak.confidence().word() + ": " + leak.reason(),
                Optional.of(new Evidence(place.source(), leak.masked(), Optional.of(location))),
                Optional.of(location));
        add(
                leak.allowed().isEmpty() ? finding : finding.waived(leak.allowed()),
                leak.rule().id() + "\n" + place.source() + "\n" + leak.masked() + "\n" + leak.mark() + leak.known());
    }

    @Override
    public void skipped(String source, String why) {
        Check check = LeakChecks.NOT_SCANNED;
        add(
                Finding.ofFile(
                        check,
                        subject(source),
                        Status.NOT_EVALUATED,
                        check.severity(),
                        why,
                        Optional.empty(),
                        Optional.empty()),
                "not-scanned\n" + source + "\n" + why);
    }

    private void add(Finding finding, String key) {
        if (findings.size() >= MOST) {
            left++;
            return;
        }
        findings.add(finding);
        keys.put(finding, key);
    }

    private static Subject subject(String source) {
        return new Subject(Subject.Kind.FILE, source);
    }

    private static int bounded(long number) {
        return (int) Math.min(number, Integer.MAX_VALUE - 1);
    }

    /// Returns the report of all findings.
    /// @param targets what was scanned
    /// @param today the day by which waivers are judged
    /// @param failOn the severity from which an open finding makes the run fail
    /// @param waivers a file of waivers
    /// @param baseline a JSON report whose findings are known
    /// @throws AuditException if waivers or baseline cannot be read
    public Report conclude(
            List<String> targets, LocalDate today, Severity failOn, Optional<Path> waivers, Optional<Path> baseline) {
        if (left > 0) {
            findings.removeLast();
            String message = (left + 1) + " more findings were not kept: scan less at once";
            left = 0;
            skipped("", message);
        }
        List<Finding> numbered = Findings.numbered(findings, finding -> keys.getOrDefault(finding, ""));
        List<Finding> waived = new Waivers(
                        today,
                        waivers,
                        Set.of(),
                        name -> LeakChecks.find(name, rules.rules()).or(() -> Checks.find(name)),
                        LeakChecks::isLeak)
                .apply(numbered);
        return Baseline.apply(baseline, targets, today, failOn, waived);
    }
}
