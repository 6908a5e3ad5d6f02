package dev.caisson.audit;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The answer to one check for one subject.
/// @param severity of this finding; a rule may lower or raise the check's own
/// @param message what is so, in one sentence without a full stop
/// @param claim what a file or an engine says
/// @param truth what the kernel enforces
/// @param remediation what to do
/// @param fingerprint the same from run to run and when lines move, so that baselines and CI systems know it again
/// @param waiver why and until when it is tolerated
/// @param known whether the baseline has it
public record Finding(
        Check check,
        Subject subject,
        Status status,
        Severity severity,
        String message,
        Optional<String> claim,
        Optional<String> truth,
        Agreement agreement,
        List<Evidence> evidence,
        Optional<Location> location,
        String remediation,
        String fingerprint,
        Optional<String> waiver,
        boolean known)
        implements Comparable<Finding> {
    private static final Comparator<Finding> ORDER = Comparator.comparing(
                    (Finding finding) -> finding.location().map(Location::file).orElse(""))
            .thenComparing(Finding::subject)
            .thenComparing(finding -> finding.check().id())
            .thenComparing(finding -> finding.location().orElse(new Location("", 0, 0, 0, 0)))
            .thenComparing(Finding::message);

    /// A finding about a file, from what the file says alone.
    static Finding ofFile(
            Check check,
            Subject subject,
            Status status,
            Severity severity,
            String message,
            Optional<Evidence> shown,
            Optional<Location> location) {
        return new Finding(
                check,
                subject,
                status,
                severity,
                message,
                shown.map(Evidence::text),
                Optional.empty(),
                Agreement.CLAIM_ONLY,
                shown.stream().toList(),
                location,
                status == Status.PASS ? "" : check.fix(),
                "",
                Optional.empty(),
                false);
    }

    Finding waived(String reason) {
        return with(Status.WAIVED, evidence, fingerprint, Optional.of(reason), known);
    }

    Finding knownBefore() {
        return with(status, evidence, fingerprint, waiver, true);
    }

    Finding withFingerprint(String print) {
        return with(status, evidence, print, waiver, known);
    }

    Finding withEvidence(List<Evidence> more) {
        List<Evidence> all = new ArrayList<>(evidence);
        all.addAll(more);
        return with(status, List.copyOf(all), fingerprint, waiver, known);
    }

    /// The same finding in other words.
    Finding saying(String words) {
        return new Finding(
                check,
                subject,
                status,
                severity,
                words,
                claim,
                truth,
                agreement,
                evidence,
                location,
                remediation,
                fingerprint,
                waiver,
                known);
    }

    private Finding with(Status made, List<Evidence> seen, String print, Optional<String> reason, boolean before) {
        return new Finding(
                check,
                subject,
                made,
                severity,
                message,
                claim,
                truth,
                agreement,
                seen,
                location,
                remediation,
                print,
                reason,
                before);
    }

    /// True if it counts against a threshold: it fails, nobody tolerates it and the baseline lacks it.
    public boolean open() {
        return status == Status.FAIL && !known;
    }

    @Override
    public int compareTo(Finding other) {
        return ORDER.compare(this, other);
    }
}
