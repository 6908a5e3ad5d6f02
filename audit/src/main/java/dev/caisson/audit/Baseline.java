package dev.caisson.audit;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Source;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Compares findings with those of an earlier JSON report.
final class Baseline {
    private Baseline() {}

    static Report apply(AuditRequest request, List<String> targets, List<Finding> findings) {
        return apply(request.baseline(), targets, request.today(), request.failOn(), findings);
    }

    static Report apply(
            Optional<Path> file, List<String> targets, LocalDate today, Severity failOn, List<Finding> findings) {
        Set<String> known = file.map(Baseline::read).orElse(Set.of());
        List<Finding> judged = findings.stream()
                .map(finding -> known.contains(finding.fingerprint()) ? finding.knownBefore() : finding)
                .toList();
        Set<String> resolved = new TreeSet<>(known);
        resolved.removeAll(findings.stream()
                .filter(finding -> finding.status() != Status.PASS)
                .map(Finding::fingerprint)
                .collect(Collectors.toSet()));
        return new Report(FileAudit.VERSION, today, targets, failOn, judged, List.copyOf(resolved));
    }

    private static Set<String> read(Path path) {
        try {
            Object document = Json.parse(Source.read(path.toString(), path).text());
            Set<String> prints = new TreeSet<>();
            if (document instanceof Map<?, ?> map && map.get("findings") instanceof List<?> all) {
                for (Object item : all) {
                    if (item instanceof Map<?, ?> finding && finding.get("fingerprint") instanceof String print) {
                        prints.add(print);
                    }
                }
                return prints;
            }
        } catch (ContainerFileException | MalformedJsonException e) {
            throw new AuditException(
                    AuditException.Code.BASELINE_INVALID, path + " is no JSON report of caisson: " + e.getMessage(), e);
        }
        throw new AuditException(AuditException.Code.BASELINE_INVALID, path + " is no JSON report of caisson.");
    }
}
